"""docs/performance.md: written by the benchmarks, around words that stay."""

from __future__ import annotations

import re
import shlex

import pytest

from benchmarks import __main__ as command
from benchmarks.catalogue import BENCHMARKS
from benchmarks.machine import described
from benchmarks.page import PAGE, form_of, section, section_of, with_section
from benchmarks.results import RATIO, Measure, Sides, at_least, at_most, number, ratio
from tests.docs.taken import taken

[COMMANDS] = taken("sh", page="performance.md")
MEASURES = [
    ratio("ours to theirs", [2.0, 3.0, 10.0], [1.0, 1.0, 2.0], "ms", at_most(2)),
    Measure("memory", "MB", [12.345], at_least(5)),
    Measure("told only", "/s", [12_345.6]),
]


def test_a_section_has_a_row_for_each_measure() -> None:
    assert section(MEASURES, "Three things.", "a machine").splitlines() == [
        "Three things.",
        "",
        "| measure | median | least to most | repetitions | sides | goal | met |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| ours to theirs | 3 times | 2 to 5 | 3 | 3 ms to 1 ms | at most 2 times | **no** |",
        "| memory | 12.3 MB | 12.3 to 12.3 | 1 |  | at least 5 MB | yes |",
        "| told only | 12,346 /s | 12,346 to 12,346 | 1 |  |  |  |",
        "",
        "Measured on a machine.",
    ]


def test_the_form_of_a_section_leaves_out_what_was_measured() -> None:
    faster = [Measure(each.name, each.unit, [1.0], each.goal) for each in MEASURES]
    form = form_of(section(MEASURES, "", ""))
    assert form == form_of(section(faster, "", ""))
    assert form == [
        ("ours to theirs (times)", "at most 2 times"),
        ("memory (MB)", "at least 5 MB"),
        ("told only (/s)", ""),
    ]


def test_writing_a_section_changes_nothing_else() -> None:
    page = PAGE.read_text("utf-8")
    written = with_section(page, "sync", "new results")
    assert section_of(written, "sync") == "new results"
    assert with_section(written, "sync", section_of(page, "sync")) == page
    for other in BENCHMARKS.keys() - {"sync"}:
        assert section_of(written, other) == section_of(page, other)


def test_a_benchmark_without_a_place_on_the_page_is_told() -> None:
    with pytest.raises(LookupError, match="no place for nothing"):
        with_section("a page", "nothing", "results")
    with pytest.raises(LookupError, match="no results of nothing"):
        section_of("a page", "nothing")


def test_the_page_has_every_benchmark_in_their_order_and_where_it_was_measured() -> None:
    page = PAGE.read_text("utf-8")
    assert re.findall(r"<!-- results: (\w+) -->", page) == list(BENCHMARKS)
    for name in BENCHMARKS:
        last = section_of(page, name).splitlines()[-1]
        assert re.fullmatch(r"Measured on \d{4}-\d\d-\d\d, .+, \d+ cores, \d+ GB, .+\.", last)


def test_the_machine_is_told_without_names_and_paths() -> None:
    import getpass
    import socket

    line = described({"SQLite": "3.40.1"})
    assert line.endswith("SQLite 3.40.1")
    assert "/" not in line
    assert socket.gethostname() not in line
    assert getpass.getuser() not in line.split()


def test_the_commands_on_the_page_are_ones_that_the_program_takes() -> None:
    for line in COMMANDS.text.splitlines():
        program, module, name, *options = shlex.split(line)
        assert (program, module, name) == (".venv/bin/python", "-m", "benchmarks")
        assert command._options(options)


@pytest.mark.parametrize(
    "options",
    [["--write", "--quick"], ["--write", "--events", "1"], ["--only", "lunch"], ["--events", "x"]],
)
def test_options_that_make_no_sense_are_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command._options(options)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_a_goal_is_about_the_median() -> None:
    assert Measure("", RATIO, [1, 9, 2], at_most(2)).is_met
    assert not Measure("", RATIO, [1, 9, 2], at_least(2.1)).is_met
    assert Measure("", RATIO, [1]).is_met is None


def test_sides_give_milliseconds_and_rates() -> None:
    sides = Sides()
    sides.add("one", 0.5)
    sides.add("one", 0.25)
    assert sides.milliseconds("one") == [500, 250]
    assert sides.rates("one") == [2, 4]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "0.01"), (0.5, "0.50"), (2, "2"), (12.34, "12.3"), (123.4, "123"), (12345, "12,345")],
)
def test_numbers_have_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text
