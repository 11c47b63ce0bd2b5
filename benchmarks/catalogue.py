"""Every benchmark, in the order in which they run and are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks import (
    dashboard,
    growth,
    ingest,
    metering,
    middleware,
    recording,
    startup,
    sync,
    tables,
)
from benchmarks.databases import Engine
from benchmarks.results import Measure, Say, Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """``run`` measures at a scale on some engines; ``described`` says how much that is."""

    name: str
    run: Callable[[Scale, Sequence[Engine], Say], list[Measure]]
    described: Callable[[Scale], str]


BENCHMARKS = {
    each.name: each
    for each in (
        Benchmark(name="tables", run=tables.run, described=tables.described),
        Benchmark(name="growth", run=growth.run, described=growth.described),
        Benchmark(name="dashboard", run=dashboard.run, described=dashboard.described),
        Benchmark(name="sync", run=sync.run, described=sync.described),
        Benchmark(name="ingest", run=ingest.run, described=ingest.described),
        Benchmark(
            name="middleware",
            run=lambda scale, _engines, say: middleware.run(scale, say),
            described=middleware.described,
        ),
        Benchmark(
            name="metering",
            run=lambda scale, _engines, say: metering.run(scale, say),
            described=metering.described,
        ),
        Benchmark(
            name="recording",
            run=lambda scale, _engines, say: recording.run(scale, say),
            described=recording.described,
        ),
        Benchmark(
            name="startup",
            run=lambda scale, _engines, say: startup.run(scale, say),
            described=startup.described,
        ),
    )
}
