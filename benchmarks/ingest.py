"""Cost events over HTTP against the fastest durable way that a bare driver has."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import msgspec

from benchmarks.children import server
from benchmarks.databases import SQLITE, Engine, rows_of, sqlite_path
from benchmarks.http_load import load, rendered
from benchmarks.ingest_floor import (
    Batch,
    Row,
    executemany_seconds,
    json_seconds,
    sqlite_executemany_seconds,
    sqlite_values_seconds,
    unnest_seconds,
)
from benchmarks.products import ORG
from benchmarks.results import Goal, Measure, Say, Scale, Sides, at_least, ratio

_CUSTOMERS = 5_000
_MODELS = ("gpt-4o", "gpt-4o-mini", "o4")
_MICRODOLLARS = 5_250
_NANODOLLARS = _MICRODOLLARS * 1_000
_TOKENS = (1_200, 350, 0, 0)
_SQLITE_WAYS = (sqlite_executemany_seconds, sqlite_values_seconds)
_POSTGRESQL_WAYS = (executemany_seconds, unnest_seconds, json_seconds)


class Load(NamedTuple):
    """Requests of ``batch`` events each, over so many connections."""

    name: str
    batch: int
    connections: int


SINGLES = Load("singles, one after the other", 1, 1)
CONCURRENT = Load("singles, 64 at once", 1, 64)
TENS = Load("batches of 10, 8 at once", 10, 8)
HUNDREDS = Load("batches of 100, 8 at once", 100, 8)
HUNDREDS_ALONE = Load("batches of 100, one after the other", 100, 1)
LOADS = (SINGLES, CONCURRENT, TENS, HUNDREDS, HUNDREDS_ALONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Requests of each load, and transactions of the floor by batch."""

    rounds: int = 5
    requests: tuple[int, ...] = (800, 4_000, 800, 160, 80)
    transactions: tuple[tuple[int, int], ...] = ((1, 800), (10, 300), (100, 80))


SIZES = {
    Scale.FULL: Size(),
    Scale.QUICK: Size(rounds=2, requests=(200, 1_000, 200, 40, 20)),
    Scale.SMOKE: Size(
        rounds=1, requests=(3, 70, 9, 9, 2), transactions=((1, 3), (10, 2), (100, 2))
    ),
}


def described(scale: Scale) -> str:
    """The sizes in words."""
    size = SIZES[scale]
    loads = ", ".join(
        f"{load.name}: {count * load.batch:,} events"
        for load, count in zip(LOADS, size.requests, strict=True)
    )
    return f"In each repetition: {loads}. {_CUSTOMERS:,} customers, 3 models."


def run(scale: Scale, engines: Sequence[Engine], say: Say) -> list[Measure]:
    """Every load on every engine, in turns with the floor and with an app that does nothing."""
    size = SIZES[scale]
    with ExitStack() as stack:
        nothing = _Served(stack, "")
        sides = {engine.name: _Engine(stack, engine) for engine in engines}
        empty = Sides()
        for nth in range(size.rounds):
            say(f"round {nth + 1} of {size.rounds}")
            for each, count in zip(LOADS, size.requests, strict=True):
                empty.add(each.name, nothing.seconds_per_event(each, count))
                for engine in sides.values():
                    engine.serve(each, count)
            for batch, count in size.transactions:
                for engine in sides.values():
                    engine.store(batch, count)
        for engine in sides.values():
            engine.require_exact()
    found = [measure for engine in sides.values() for measure in engine.measures(empty)]
    ceilings = [
        Measure(f"an empty app, {its.name}: rate", "/s", empty.rates(its.name)) for its in LOADS
    ]
    return found + ceilings


class _Served:
    """A server and what to send to it."""

    def __init__(self, stack: ExitStack, database: str) -> None:
        its = stack.enter_context(server("benchmarks.ingest_server", database=database))
        self._port = int(its["url"].rsplit(":", 1)[1])
        self._key = its["key"]
        self._numbers = itertools.count()
        self.sent = 0

    def seconds_per_event(self, its: Load, count: int) -> float:
        """Send ``count`` requests; the seconds it took, by event."""
        requests = [self._request(its.batch) for _ in range(count)]
        seconds = asyncio.run(load(self._port, requests, its.connections))
        self.sent += count * its.batch
        return seconds / (count * its.batch)

    def _request(self, batch: int) -> bytes:
        events = [_event(number) for number in itertools.islice(self._numbers, batch)]
        if batch == 1:
            return rendered("/api/cost-events", self._key, msgspec.json.encode(events[0]))
        body = msgspec.json.encode({"events": events})
        return rendered("/api/cost-events/batch", self._key, body)


class _Engine:
    """The product and the bare driver on one kind of database, each with its own."""

    def __init__(self, stack: ExitStack, engine: Engine) -> None:
        self._name = engine.name
        self._databases = engine.migrated(), engine.migrated()
        self._product = _Served(stack, self._databases[0])
        self._numbers = itertools.count()
        self._stored = 0
        self._sides = Sides()
        self._floor = Sides()

    def serve(self, its: Load, count: int) -> None:
        """One load on the product."""
        self._sides.add(its.name, self._product.seconds_per_event(its, count))

    def store(self, batch: int, count: int) -> None:
        """So many transactions by the bare driver, in its fastest way."""
        fastest = min(
            write(self._batches(batch, count)) / (batch * count) for write in self._ways()
        )
        self._floor.add(str(batch), fastest)

    def _ways(self) -> list[Callable[[Sequence[Batch]], float]]:
        url = self._databases[1]
        if self._name == SQLITE:
            path = sqlite_path(url)
            return [partial(way, path) for way in _SQLITE_WAYS]
        return [partial(way, url) for way in _POSTGRESQL_WAYS]

    def _batches(self, batch: int, count: int) -> list[Batch]:
        self._stored += batch * count
        text = self._name == SQLITE
        return [_batch(itertools.islice(self._numbers, batch), text=text) for _ in range(count)]

    def require_exact(self) -> None:
        """Every event is there once, and the rollups have all of them."""
        for url, events in zip(self._databases, (self._product.sent, self._stored), strict=True):
            for query in (
                "SELECT COUNT(*), SUM(cost_nanodollars) FROM margins_cost_events",
                "SELECT SUM(request_count), SUM(cost_nanodollars) FROM margins_cost_months",
                "SELECT SUM(request_count), SUM(cost_nanodollars) FROM margins_cost_model_days",
            ):
                count, sum_of_costs = rows_of(url, query)[0]
                if (count, sum_of_costs) != (events, events * _NANODOLLARS):
                    raise RuntimeError(f"{count} and {sum_of_costs} of {events} events: {query}")

    def measures(self, empty: Sides) -> list[Measure]:
        """Rates against the driver's; singles also against what else could limit them."""
        goals = {100: at_least(0.5)}
        floors = {each.batch: self._floor.rates(str(each.batch)) for each in LOADS}
        return [
            *(self._ratio(it, "driver's", floors[it.batch], goals.get(it.batch)) for it in LOADS),
            self._ratio(CONCURRENT, "driver's at 100", floors[100]),
            *(
                self._ratio(it, "that of an empty app", empty.rates(it.name))
                for it in (SINGLES, CONCURRENT)
            ),
        ]

    def _ratio(
        self, its: Load, whose: str, theirs: Sequence[float], goal: Goal | None = None
    ) -> Measure:
        name = f"{self._name}, {its.name}: rate to {whose}"
        return ratio(name, self._sides.rates(its.name), theirs, "/s", goal)


def _event(number: int) -> dict[str, object]:
    return {
        "provider": "openai",
        "model": _MODELS[number % len(_MODELS)],
        "inputTokens": 1_200,
        "outputTokens": 350,
        "costMicrodollars": _MICRODOLLARS,
        "customer": _customer(number),
        "idempotencyKey": f"request-{number}",
    }


def _customer(number: int) -> str:
    return f"customer-{number * 31 % _CUSTOMERS}"


def _batch(numbers: Iterator[int], *, text: bool) -> Batch:
    """The rows of some events, instants as ``text`` where the database has no type for them."""
    now = datetime.now(UTC)
    at: object = now.isoformat(timespec="microseconds") if text else now
    events: list[Row] = []
    cells: Counter[tuple[str, str]] = Counter()
    for number in numbers:
        model, tag = _MODELS[number % len(_MODELS)], _customer(number)
        key = f"openai\x1frequest-{number}"
        events.append(
            (
                ORG,
                "api",
                key,
                str(uuid.uuid4()),
                at,
                at,
                "openai",
                model,
                _NANODOLLARS,
                tag,
                *_TOKENS,
            )
        )
        cells[tag, model] += 1
    months: Counter[str] = Counter()
    for (tag, _), count in cells.items():
        months[tag] += count
    month, day = now.year * 12 + now.month - 1, now.toordinal() - 719_163
    return Batch(
        sorted(events),
        [(ORG, month, tag, n * _NANODOLLARS, n) for tag, n in sorted(months.items())],
        [
            (ORG, day, tag, "api", "openai", model, n * _NANODOLLARS, n)
            for (tag, model), n in sorted(cells.items())
        ],
    )
