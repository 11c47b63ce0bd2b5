"""The margin table's first page as HTML, against the JSON of the table that it is a page of.

In CPU time of the process: what is compared is the server's work, which is partly in threads.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.databases import Engine
from benchmarks.loop_gaps import LoopGaps
from benchmarks.products import ORG, answered, call, product, scope, signed_in
from benchmarks.results import Measure, Say, Scale, Sides, at_most, ratio
from benchmarks.seed import PERIOD, seed
from nullspend_margins import Margins

_JSON = (b"content-type", b"application/json")
_PAGE = f"/margins?period={PERIOD}"
_SEARCH = f"{_PAGE}&q=mer+49"
_TABLE = f"/api/margins?period={PERIOD}&include=coverage"
_UNCHANGED, _WRITTEN = "nothing written since", "after a write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many customers, and how often each case is repeated."""

    customers: tuple[int, int] = (50_000, 50)
    events: int = 150_000
    rounds: tuple[int, int] = (7, 101)


SIZES = {
    Scale.FULL: Size(),
    Scale.QUICK: Size(rounds=(3, 21)),
    Scale.SMOKE: Size(customers=(60, 5), events=400, rounds=(1, 1)),
}


def described(scale: Scale) -> str:
    """The sizes in words."""
    size = SIZES[scale]
    large, small = size.customers
    return (
        f"{large:,} customers (large) or {small:,} (small), all mapped, with revenue and costs in "
        f"each of three months, from {size.events:,} cost events; 50 customers on a page. Times "
        "are CPU time, waits are not."
    )


def run(scale: Scale, engines: Sequence[Engine], say: Say) -> list[Measure]:
    """Every case on every engine."""
    size = SIZES[scale]
    found: list[Measure] = []
    for engine in engines:
        for label, customers, rounds in zip(
            ("large", "small"), size.customers, size.rounds, strict=True
        ):
            url = engine.migrated()
            seed(url, size.events, customers)
            say(f"{engine.name}: {customers:,} customers")
            compared = asyncio.run(_compared(url, customers, rounds))
            found += _measures(f"{engine.name}, {label}", compared)
    return found


def _measures(name: str, compared: _Compared) -> list[Measure]:
    found = [
        ratio(
            f"{name}: {case}",
            sides.milliseconds("page"),
            sides.milliseconds("table"),
            "ms",
            at_most(2),
        )
        for case, sides in compared.cases.items()
    ]
    waits = [seconds * 1000 for seconds in compared.waits]
    return [
        *found,
        Measure(f"{name}: longest wait of the loop for a page", "ms", waits, at_most(50)),
        Measure(f"{name}: the page, compressed", "KB", compared.kilobytes, at_most(100)),
    ]


@dataclass(slots=True)
class _Compared:
    """What was measured: times by case, and of each page its size and how long the loop waited."""

    cases: dict[str, Sides] = field(default_factory=dict)
    waits: list[float] = field(default_factory=list)
    kilobytes: list[float] = field(default_factory=list)


async def _compared(url: str, customers: int, rounds: int) -> _Compared:
    margins, found = product(url), _Compared()
    async with margins.lifespan():
        write = await _writer(margins)
        await _check(margins, customers)
        for what, target in (("page", _PAGE), ("search", _SEARCH)):
            for case, before in ((_UNCHANGED, _nothing), (_WRITTEN, write)):
                sides = found.cases[f"{what}, {case}"] = Sides()
                for _ in range(rounds):
                    await before()
                    async with LoopGaps() as gaps:
                        seconds, body = await _asked(margins, target)
                    sides.add("page", seconds)
                    found.waits.append(gaps.longest)
                    found.kilobytes.append(len(gzip.compress(body)) / 1024)
                    await before()
                    sides.add("table", (await _asked(margins, _TABLE))[0])
    return found


async def _asked(margins: Margins, target: str) -> tuple[float, bytes]:
    asked = scope("GET", target, signed_in(margins, "viewer"))
    started = time.process_time()
    found = await answered(margins.app, asked)
    seconds = time.process_time() - started
    return seconds, found.require(200)


async def _check(margins: Margins, customers: int) -> None:
    """Both sides see every customer, and know each other's worst."""
    table = json.loads((await _asked(margins, _TABLE))[1])["data"]["customers"]
    page = (await _asked(margins, _PAGE))[1].decode()
    shown, least = page.count('scope="row"'), min(table, key=lambda row: row["marginMicrodollars"])
    if (len(table), shown) != (customers, min(customers, 50)):
        raise RuntimeError(f"{len(table)} customers in the table and {shown} on the page")
    if f">{customers:,}</span>" not in page or f">{least['tagValue']}</bdi></span>" not in page:
        raise RuntimeError(
            "the page does not count every customer, or does not begin with the worst"
        )


async def _writer(margins: Margins) -> Callable[[], Awaitable[None]]:
    key, _ = await (await margins.services()).keys.create(ORG)
    event = {
        "provider": "openai", "model": "gpt-4o", "inputTokens": 1, "outputTokens": 1,
        "costMicrodollars": 1, "customer": "customer-1", "occurredAt": f"{PERIOD}-15T00:00:00Z",
    }  # fmt: skip
    headers = [(b"x-nullspend-key", key.encode()), _JSON]
    body = json.dumps(event).encode()

    async def write() -> None:
        (await call(margins.app, "POST", "/api/cost-events", headers, body)).require(201)

    return write


async def _nothing() -> None:
    """No write."""
