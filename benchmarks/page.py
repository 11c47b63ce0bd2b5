"""docs/performance.md: the results are written between markers, the words around them stay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import Goal, Measure, number

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"

HEAD = ("measure", "median", "least to most", "repetitions", "sides", "goal", "met")


def section(measures: Sequence[Measure], described: str, machine: str) -> str:
    """The results of one benchmark as Markdown."""
    rows = [HEAD, ("---",) * len(HEAD), *map(cells_of, measures)]
    table = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([described, "", *table, "", f"Measured on {machine}."])


def with_section(page: str, name: str, text: str) -> str:
    """``page`` with ``text`` as the results of a benchmark. ``LookupError``: it has no place."""
    begin, end = _markers(name)
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise LookupError(f"the page has no place for {name}: {begin} ... {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def section_of(page: str, name: str) -> str:
    """The results of a benchmark as the page has them."""
    begin, end = map(re.escape, _markers(name))
    found = re.search(f"{begin}\n(.*?)\n{end}", page, re.DOTALL)
    if found is None:
        raise LookupError(f"the page has no results of {name}")
    return found[1].strip()


def form_of(section: str) -> list[tuple[str, str]]:
    """What a section's table tells, without what was measured: (measure with unit, goal)."""
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [(f"{row[0][2:]} ({row[1].split()[-1]})", row[5]) for row in rows[2:]]


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- results: {name} -->", f"<!-- end: {name} -->"


def cells_of(measure: Measure) -> tuple[str, ...]:
    """A measure as the cells of a row."""
    return (
        measure.name,
        f"{number(measure.median)} {measure.unit}",
        f"{number(min(measure.values))} to {number(max(measure.values))}",
        str(len(measure.values)),
        measure.sides,
        _goal(measure.goal, measure.unit),
        {None: "", True: "yes", False: "**no**"}[measure.is_met],
    )


def _goal(goal: Goal | None, unit: str) -> str:
    return "" if goal is None else f"{goal.bound} {number(goal.value)} {unit}"
