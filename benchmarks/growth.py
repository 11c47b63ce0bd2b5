"""The margin table against GROUP BY over raw events, and what ten times the events do to it."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from benchmarks.databases import Engine
from benchmarks.products import ORG, answered, call, product, scope, signed_in
from benchmarks.results import Measure, Say, Scale, Sides, at_least, at_most, ratio
from benchmarks.seed import MONTHS, PERIOD, Baseline, seed
from nullspend_margins import Margins

_JSON = (b"content-type", b"application/json")
_STATES = ("nothing written since", "after a write")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """``events`` of the org; the smaller database has a tenth of them. ``reads`` in a round."""

    events: int = 1_000_000
    customers: int = 5_000
    rounds: int = 5
    reads: int = 5


SIZES = {
    Scale.FULL: Size(),
    Scale.QUICK: Size(events=200_000, rounds=3, reads=3),
    Scale.SMOKE: Size(events=4_000, customers=20, rounds=1, reads=1),
}


def described(scale: Scale) -> str:
    """The sizes in words."""
    size = SIZES[scale]
    return (
        f"{size.customers:,} customers; {size.events:,} events of the org over three months, "
        f"those of others as many together; a tenth of all that in the smaller database."
    )


def run(scale: Scale, engines: Sequence[Engine], say: Say) -> list[Measure]:
    """Both states of the table on every engine."""
    return run_with(SIZES[scale], engines, say)


def run_with_events(
    scale: Scale, engines: Sequence[Engine], say: Say, *, events: int
) -> list[Measure]:
    """The same with another number of events."""
    return run_with(replace(SIZES[scale], events=events), engines, say)


def run_with(size: Size, engines: Sequence[Engine], say: Say) -> list[Measure]:
    """The same for any size."""
    return [measure for engine in engines for measure in _measures(engine, size, say)]


def _measures(engine: Engine, size: Size, say: Say) -> list[Measure]:
    urls, baselines = {}, {}
    for database, events in (("large", size.events), ("small", size.events // 10)):
        url = urls[database] = engine.migrated()
        baselines[database] = seed(url, events, size.customers)
        say(f"{engine.name}: {events:,} + {events:,} events")
    sides = asyncio.run(_rounds(urls, baselines["large"], size))
    raw, found = sides.milliseconds("GROUP BY"), []
    for state in _STATES:
        name = f"{engine.name}, {state}"
        large, small = (sides.milliseconds(f"{which} {state}") for which in ("large", "small"))
        found.append(ratio(f"{name}: GROUP BY to table", raw, large, "ms", at_least(50)))
        found.append(ratio(f"{name}: tenfold to before", large, small, "ms", at_most(1.25)))
    return found


async def _rounds(urls: dict[str, str], group_by: Baseline, size: Size) -> Sides:
    sides = Sides()
    async with AsyncExitStack() as stack:
        readers = {}
        for database, url in urls.items():
            margins = product(url)
            await stack.enter_async_context(margins.lifespan())
            readers[database] = await _Reader.made(margins)
        for _ in range(size.rounds):
            rows, seconds = group_by()
            if rows != size.customers * MONTHS:
                raise RuntimeError(f"GROUP BY found {rows} rows")
            sides.add("GROUP BY", seconds)
            reads = Sides()
            for state in _STATES:
                for reader in readers.values():
                    await reader.seconds()  # as after the last round
                for _ in range(size.reads):
                    for database, reader in readers.items():
                        if state == _STATES[1]:
                            await reader.write()
                        reads.add(f"{database} {state}", await reader.seconds())
            for side, each in reads.seconds.items():
                sides.add(side, statistics.median(each))
    return sides


@dataclass(frozen=True, slots=True)
class _Reader:
    margins: Margins
    key: str

    @classmethod
    async def made(cls, margins: Margins) -> _Reader:
        key, _ = await (await margins.services()).keys.create(ORG)
        return cls(margins, key)

    async def seconds(self) -> float:
        person = signed_in(self.margins, "viewer")
        asked = scope("GET", f"/api/margins?period={PERIOD}", person)
        started = time.perf_counter()
        table = await answered(self.margins.app, asked)
        seconds = time.perf_counter() - started
        table.require(200)
        return seconds

    async def write(self) -> None:
        event = {
            "provider": "openai", "model": "gpt-4o", "inputTokens": 1, "outputTokens": 1,
            "costMicrodollars": 1, "customer": "customer-1",
            "occurredAt": f"{PERIOD}-15T00:00:00Z",
        }  # fmt: skip
        headers = [(b"x-nullspend-key", self.key.encode()), _JSON]
        body = json.dumps(event).encode()
        sent = await call(self.margins.app, "POST", "/api/cost-events", headers, body)
        sent.require(201)
