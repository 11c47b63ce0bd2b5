"""The margin table and one customer's detail over HTTP, against the bare driver and orjson."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks.databases import Engine
from benchmarks.products import ORG, answered, call, product, scope, signed_in
from benchmarks.results import Measure, Say, Scale, Sides, at_most, ratio
from benchmarks.seed import PERIOD, seed
from benchmarks.table_floor import TABLE, Floor, detail, encode, floor_of
from nullspend_margins import Margins

_JSON = (b"content-type", b"application/json")
_GOAL = at_most(2)
_BESIDE = "the floor itself in a thread"
_UNCHANGED, _WRITTEN, _STARTED = "nothing written since", "after a write", "first after a start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many customers, and how often each case is repeated."""

    customers: tuple[int, int] = (5_000, 500)
    events: int = 150_000
    table_rounds: int = 21
    detail_rounds: int = 201
    start_rounds: int = 9


SIZES = {
    Scale.FULL: Size(),
    Scale.QUICK: Size(table_rounds=5, detail_rounds=21, start_rounds=3),
    Scale.SMOKE: Size(
        customers=(20, 5), events=400, table_rounds=1, detail_rounds=1, start_rounds=1
    ),
}


def described(scale: Scale) -> str:
    """The sizes in words."""
    size = SIZES[scale]
    large, small = size.customers
    return (
        f"{large:,} customers (large) or {small:,} (small), all mapped, with revenue and costs in "
        f"each of three months, from {size.events:,} cost events."
    )


def run(scale: Scale, engines: Sequence[Engine], say: Say) -> list[Measure]:
    """Every case on every engine."""
    size = SIZES[scale]
    found: list[Measure] = []
    for engine in engines:
        for label, customers in zip(("large", "small"), size.customers, strict=True):
            url = engine.migrated()
            seed(url, size.events, customers)
            say(f"{engine.name}: {customers:,} customers")
            found += _measures(f"{engine.name}, {label}", url, size, customers)
    return found


def _measures(name: str, url: str, size: Size, customers: int) -> list[Measure]:
    found: list[Measure] = []
    for case, compared in asyncio.run(_Comparison(url, size, customers).sides()).items():
        floor = compared.milliseconds("floor")
        product = compared.milliseconds("product")
        found.append(ratio(f"{name}: {case}", product, floor, "ms", _GOAL))
        if _BESIDE in compared.seconds:
            beside = compared.milliseconds(_BESIDE)
            found.append(ratio(f"{name}: {case}, {_BESIDE}", beside, floor, "ms"))
    return found


class _Comparison:
    """The product and the bare driver on one database, in turns."""

    def __init__(self, url: str, size: Size, customers: int) -> None:
        self._url = url
        self._size = size
        self._customers = customers
        self._person = signed_in(product(url), "viewer")  # once, as people are
        self._tag = customers // 2
        self._table = f"/api/margins?period={PERIOD}"
        self._detail = f"/api/margins/customer-{self._tag}?period={PERIOD}"

    async def sides(self) -> dict[str, Sides]:
        """What was measured, by case."""
        size, questions = self._size, detail(self._tag)
        margins = product(self._url)
        floor = floor_of(self._url)
        floor.connect()
        found: dict[str, Sides] = {}
        async with margins.lifespan():
            write = await self._writer(margins)
            table = await self._answer(margins, self._table)
            one = await self._answer(margins, self._detail)
            self._check(table, floor)
            for what, target, rounds, queries, known in (
                ("table", self._table, size.table_rounds, TABLE, table),
                ("customer", self._detail, size.detail_rounds, questions, one),
            ):
                for case, before in ((_UNCHANGED, _nothing), (_WRITTEN, write)):
                    sides = found[f"{what}, {case}"] = Sides()
                    for _ in range(rounds):
                        await before()
                        sides.add("product", await self._product_seconds(margins, target))
                        await before()  # each side after a write of its own, which leaves it cold
                        sides.add("floor", _floor_seconds(floor, queries, known))
                        if what == "customer":
                            await before()
                            sides.add(_BESIDE, await _seconds_in_a_thread(floor, queries, known))
        floor.close()
        found[f"table, {_STARTED}"] = await self._started(table)
        return found

    async def _started(self, table: object) -> Sides:
        sides = Sides()
        for _ in range(self._size.start_rounds):
            margins = product(self._url)
            async with margins.lifespan():
                sides.add("product", await self._product_seconds(margins, self._table))
            floor = floor_of(self._url)
            started = time.perf_counter()
            floor.connect()
            sides.add("floor", time.perf_counter() - started + _floor_seconds(floor, TABLE, table))
            floor.close()
        return sides

    async def _product_seconds(self, margins: Margins, target: str) -> float:
        asked = scope("GET", target, self._person)
        started = time.perf_counter()
        found = await answered(margins.app, asked)
        seconds = time.perf_counter() - started
        found.require(200)
        return seconds

    async def _answer(self, margins: Margins, target: str) -> Any:
        found = await call(margins.app, "GET", target, self._person)
        return orjson.loads(found.require(200))

    async def _writer(self, margins: Margins) -> Callable[[], Awaitable[None]]:
        key, _ = await (await margins.services()).keys.create(ORG)
        event = {
            "provider": "openai", "model": "gpt-4o", "inputTokens": 1, "outputTokens": 1,
            "costMicrodollars": 1, "customer": f"customer-{self._tag}",
            "occurredAt": f"{PERIOD}-15T00:00:00Z",
        }  # fmt: skip
        headers = [(b"x-nullspend-key", key.encode()), _JSON]
        body = json.dumps(event).encode()

        async def write() -> None:
            sent = await call(margins.app, "POST", "/api/cost-events", headers, body)
            sent.require(201)

        return write

    def _check(self, table: Any, floor: Floor) -> None:
        """Both sides see every customer."""
        shown = len(table["data"]["customers"])
        rows = floor.read(TABLE[1:2])
        if (shown, rows) != (self._customers, 3 * self._customers):
            raise RuntimeError(f"{shown} customers in the table and {rows} rows below it")


def _floor_seconds(floor: Floor, queries: Sequence[str], answer: object) -> float:
    started = time.perf_counter()
    floor.read(queries)
    encode(answer)
    return time.perf_counter() - started


async def _seconds_in_a_thread(floor: Floor, queries: Sequence[str], answer: object) -> float:
    """How long it takes whoever does not hold up the event loop meanwhile."""
    started = time.perf_counter()
    await asyncio.to_thread(floor.read, queries)
    encode(answer)
    return time.perf_counter() - started


async def _nothing() -> None:
    """No write."""
