"""A revenue sync against the Stripe SDK's own paging, and against fetching alone.

Every side is a process of its own, started for each repetition, and reads the same pages from
the same server: over TLS, and all but the SDK without it as well. The SDK reads a tenth of them:
its time is per invoice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.children import ask, server
from benchmarks.databases import Engine
from benchmarks.results import Goal, Measure, Say, Scale, Sides, at_least, at_most, ratio
from tests.outbound.receivers import Authority

_SDK_SHARE = 10
_BARE = ("httpx", "serial")
SYNCS = ("first", "repeated")
PLAIN = ", without TLS"
"""What is added to a side's name that reads without TLS."""


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
    few = size.invoices // _SDK_SHARE
    with ExitStack() as stack:
        trust = _Trust(Path(stack.enter_context(TemporaryDirectory(prefix="margins-benchmark-"))))
        many, some = (stack.enter_context(_stripe(trust, count)) for count in (size.invoices, few))
        for nth in range(size.rounds):
            say(f"round {nth + 1} of {size.rounds}")
            found.keep("sdk", trust.ask(side="sdk", stripe=some["url"], invoices=few)["sdk"], few)
            for way, url in (("", many["url"]), (PLAIN, many["plain"])):
                asked = {"stripe": url, "invoices": size.invoices}
                for bare in _BARE:
                    found.keep(bare + way, trust.ask(side=bare, **asked)[bare], size.invoices)
                for engine in engines:
                    done = trust.ask(side="product", database=engine.migrated(), **asked)
                    for name in SYNCS:
                        found.keep(f"{engine.name}, {name} sync{way}", done[name], size.invoices)
    return found.measures(size.invoices)


class _Trust:
    """A certificate for the server, and sides that trust it."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder)
        authority.server("127.0.0.1")
        self.certificate = folder / "server.pem"
        self._authority = folder / "authority.pem"
        self._authority.write_bytes(authority.pem)

    def ask(self, **arguments: object) -> dict[str, dict[str, float]]:
        """What one side measures."""
        ours = {"SSL_CERT_FILE": str(self._authority), "NO_PROXY": "127.0.0.1"}
        environment = {**os.environ, **ours, "no_proxy": "127.0.0.1"}
        return dict(ask("benchmarks.sync_side", environment, **arguments))


@contextmanager
def _stripe(trust: _Trust, invoices: int) -> Iterator[Mapping[str, Any]]:
    certificate = str(trust.certificate)
    with server("benchmarks.stripe_pages", invoices=invoices, certificate=certificate) as its:
        yield its


@dataclass(slots=True)
class _Found:
    engines: Sequence[str]
    per_invoice: Sides = field(default_factory=Sides)
    others: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def keep(self, side: str, measured: dict[str, float], invoices: int) -> None:
        self.per_invoice.add(side, measured["seconds"] / invoices)
        if side.endswith(PLAIN):
            return  # of that the time alone is told
        for name, value in measured.items():
            self.others.setdefault(side, {}).setdefault(name, []).append(value)

    def measures(self, invoices: int) -> list[Measure]:
        """The product's, then the others' for comparison."""
        found: list[Measure] = []
        rates = self.per_invoice.rates
        for sync in (f"{name}, {nth} sync" for name in self.engines for nth in SYNCS):
            found += [
                ratio(f"{sync}: rate to SDK's", rates(sync), rates("sdk"), "/s", at_least(10)),
                *(self._to_fetching(sync, way, invoices) for way in ("", PLAIN)),
                *self._strain(sync, at_most(100), at_most(50)),
            ]
        for side, name in _NAMES.items():
            found += [Measure(f"{name}: rate", "/s", rates(side)), *self._strain(side)]
        return found

    def _to_fetching(self, sync: str, way: str, invoices: int) -> Measure:
        seconds = [each * invoices for each in self.per_invoice.seconds[sync + way]]
        # The faster of the two, in each round: the harder one to keep up with.
        both = zip(*(self.per_invoice.seconds[bare + way] for bare in _BARE), strict=True)
        fetching = [min(pair) * invoices for pair in both]
        return ratio(f"{sync}{way}: time to fetching's", seconds, fetching, "s", at_most(1.5))

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
