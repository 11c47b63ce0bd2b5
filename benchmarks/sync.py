"""A revenue sync against the Stripe SDK's own paging, and against fetching alone.

Every side is a process of its own, started for each repetition, and reads the same pages from
the same server. The SDK reads a tenth of them: its time is per invoice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.children import ask, server
from benchmarks.databases import Engine
from benchmarks.results import Goal, Measure, Say, Scale, Sides, at_least, at_most, ratio

_SDK_SHARE = 10
_BARE = ("httpx", "serial")
SYNCS = ("first", "repeated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many invoices, and how often each side reads them."""

    invoices: int = 100_000
    rounds: int = 3


SIZES = {
    Scale.FULL: Size(),
    Scale.QUICK: Size(invoices=20_000, rounds=2),
    Scale.SMOKE: Size(invoices=800, rounds=1),
}


def described(scale: Scale) -> str:
    """The sizes in words."""
    invoices = SIZES[scale].invoices
    return (
        f"{invoices:,} invoices of 5,000 customers in four months, 100 a page, 5.5 KB each; "
        f"{invoices // _SDK_SHARE:,} of them for the SDK."
    )


def run(scale: Scale, engines: Sequence[Engine], say: Say) -> list[Measure]:
    """Every side, in turns."""
    size = SIZES[scale]
    found = _Found([engine.name for engine in engines])
    with ExitStack() as stack:
        few = size.invoices // _SDK_SHARE
        pages, some = (stack.enter_context(_stripe(count)) for count in (size.invoices, few))
        for nth in range(size.rounds):
            say(f"round {nth + 1} of {size.rounds}")
            found.keep("sdk", _side("sdk", some, few)["sdk"], few)
            for bare in _BARE:
                found.keep(bare, _side(bare, pages, size.invoices)[bare], size.invoices)
            for engine in engines:
                done = _side("product", pages, size.invoices, database=engine.migrated())
                for name in SYNCS:
                    found.keep(f"{engine.name}, {name} sync", done[name], size.invoices)
    return found.measures(size.invoices)


@contextmanager
def _stripe(invoices: int) -> Iterator[str]:
    with server("benchmarks.stripe_pages", invoices=invoices) as its:
        yield its["url"]


def _side(side: str, stripe: str, invoices: int, **more: str) -> dict[str, dict[str, float]]:
    found: Any = ask("benchmarks.sync_side", side=side, stripe=stripe, invoices=invoices, **more)
    return dict(found)


@dataclass(slots=True)
class _Found:
    engines: Sequence[str]
    per_invoice: Sides = field(default_factory=Sides)
    others: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def keep(self, side: str, measured: dict[str, float], invoices: int) -> None:
        self.per_invoice.add(side, measured["seconds"] / invoices)
        for name, value in measured.items():
            self.others.setdefault(side, {}).setdefault(name, []).append(value)

    def measures(self, invoices: int) -> list[Measure]:
        """The product's, then the others' for comparison."""
        found: list[Measure] = []
        rates = self.per_invoice.rates
        # The faster of the two, in each round: the harder one to keep up with.
        both = zip(*(self.per_invoice.seconds[bare] for bare in _BARE), strict=True)
        fetching = [min(pair) * invoices for pair in both]
        for sync in (f"{name}, {nth} sync" for name in self.engines for nth in SYNCS):
            seconds = [each * invoices for each in self.per_invoice.seconds[sync]]
            found += [
                ratio(f"{sync}: rate to SDK's", rates(sync), rates("sdk"), "/s", at_least(10)),
                ratio(f"{sync}: time to fetching's", seconds, fetching, "s", at_most(1.5)),
                *self._strain(sync, at_most(100), at_most(50)),
            ]
        for side, name in _NAMES.items():
            found += [Measure(f"{name}: rate", "/s", rates(side)), *self._strain(side)]
        return found

    def _strain(
        self, side: str, memory: Goal | None = None, longest: Goal | None = None
    ) -> list[Measure]:
        its, name = self.others[side], _NAMES.get(side, side)
        return [
            Measure(f"{name}: memory added", "MB", its["memory_mb"], memory),
            Measure(f"{name}: longest wait of the loop", "ms", its["longest_ms"], longest),
            Measure(f"{name}: 99.9 % of the loop's waits", "ms", its["late_ms"]),
        ]


_NAMES = {
    "sdk": "SDK",
    "httpx": "httpx and orjson, four months at once",
    "serial": "httpx and orjson, month after month",
}
