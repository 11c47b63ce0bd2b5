"""docs/testing-plugins.md: its examples pass, its tables are whole, its output is what is said."""

from __future__ import annotations

import inspect
import re
import shlex
from pathlib import Path

import pytest

from nullspend_margins import testing
from nullspend_margins.cli import main
from nullspend_margins.testing import FakeService
from nullspend_margins.testing.suite import PluginSuite
from tests.docs.pages import Block, read, sections
from tests.docs.sandbox import plugin_modules
from tests.docs.taken import taken
from tests.testing.packages import run_tests
from tests.testing.tables import PAGE, SUITES, own_rules, with_tables

EXAMPLES = taken("python", page=PAGE.name)
[FAILURE] = taken("text", page=PAGE.name)
[COMMAND] = taken("sh", page=PAGE.name)


def write(block: Block, folder: Path, text: str | None = None) -> str:
    """The example as the file that its first line names."""
    named = re.match(r"# (test_\w+\.py)\n", block.text)
    assert named is not None, f"{block.label} does not begin with its file's name"
    (folder / named[1]).write_text(text or block.text)
    return named[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the plugins of docs/plugins.md."""
    for name, block in plugin_modules().items():
        (tmp_path / f"{name}.py").write_text(block.text)
    return tmp_path


def test_every_example_passes_every_rule(folder: Path) -> None:
    names = [write(block, folder) for block in EXAMPLES]
    found = run_tests(folder, "-W", "error", *names)
    assert found.returncode == 0, found.stdout
    reasons = re.findall(r"SKIPPED .*: Test\w+ has no ([\w ]+)", found.stdout)
    # A dictionary and tokens in memory are always reachable, and a file does not fail half way.
    # and what answers in a file's place is for nobody to say.
    assert sorted(set(reasons)) == [
        "forbidden_body",
        "make_answering",
        "make_failing_half_way",
        "make_garbled",
        "make_unreachable",
    ]


def test_there_is_an_example_of_every_suite() -> None:
    shown = "".join(block.text for block in EXAMPLES)
    assert [name for name in SUITES if f"({name}):" not in shown] == ["PluginSuite"]


def test_the_failure_that_is_shown_is_the_one_that_is_met(folder: Path) -> None:
    first = EXAMPLES[0]
    broken = first.text.replace("PLANS.get(org_id)", 'PLANS.get(org_id, "basic")')
    name = write(first, folder, broken)
    assert FAILURE.text in run_tests(folder, name).stdout


def test_the_command_that_is_shown_writes_a_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    command, *arguments = shlex.split(COMMAND.text)
    assert command == "nullspend-margins"
    with pytest.raises(SystemExit, match="0"):
        main(arguments)
    assert (folder / "nullspend-margins-acme-billing/pyproject.toml").is_file()


def test_the_tables_of_rules_are_those_of_the_suites() -> None:
    assert with_tables(read(PAGE)) == read(PAGE), "run: python -m tests.testing.tables"
    assert all(own_rules(suite) for suite in SUITES.values())


@pytest.mark.parametrize("name", SUITES)
def test_every_fact_and_method_of_a_suite_is_documented(name: str) -> None:
    suite = SUITES[name]
    section = sections(PAGE)["Rules of every kind" if suite is PluginSuite else name]
    known = set(dir(PluginSuite)) if suite is not PluginSuite else {"make", "make_unreachable"}
    annotated = {fact for cls in suite.__mro__ for fact in inspect.get_annotations(cls)}
    wanted = {
        member
        for member in {*dir(suite), *annotated} - known - {"patience_seconds"}
        if not member.startswith(("_", "test_"))
    }
    assert [each for each in sorted(wanted) if f"`{each}" not in section] == []


def test_every_public_name_is_documented() -> None:
    page = read(PAGE)
    assert [name for name in testing.__all__ if f"`{name}" not in page and name not in SUITES] == []
    shown = sections(PAGE)["Services, requests, alerts, a clock"]
    methods = [each for each in vars(FakeService) if not each.startswith("_")]
    assert [each for each in methods if f"`service.{each}(" not in shown] == []
