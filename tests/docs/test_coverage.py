"""Everything that can be called, set or met is in the docs."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import nullspend_margins
from nullspend_margins import PluginContext, hookspecs, protocols
from nullspend_margins.cli.program import app as cli
from nullspend_margins.config import reference_rows
from nullspend_margins.hookspecs import HOOKS
from nullspend_margins.web.failures import STATUS_OF_CODE
from tests.docs.openapi import places
from tests.docs.pages import DOCS, ROOT, everything, read, sections
from tests.docs.reference import API_PAGE, PAGE, PARTS

PROTOCOLS = (
    "Authenticator",
    "PlanChecker",
    "CostSource",
    "PulledCostSource",
    "AggregatingCostSource",
    "RevenueProvider",
    "Notifier",
)


def written(name: str, function: object) -> str:
    """A function's signature as the docs write it, without ``self``."""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    arguments = ", ".join(
        f"{each.name}: {each.annotation}"
        for each in signature.parameters.values()
        if each.name != "self"
    )
    prefix = "async " if inspect.iscoroutinefunction(function) else ""
    return f"{prefix}{name}({arguments}) -> {signature.return_annotation}"


def commands(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command below ``found``, with the words that call it."""
    if hasattr(found, "commands"):
        for name, each in found.commands.items():
            yield from commands(each, (*path, name))
    else:
        yield " ".join(path), found


COMMANDS = dict(commands(typer.main.get_command(cli)))


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_exact_signature(hook: str) -> None:
    signature = written(hook, getattr(hookspecs, hook))
    assert f"`{signature}`" in read(DOCS / "plugins.md")


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_is_documented_with_every_attribute_and_method(name: str) -> None:
    section = sections(DOCS / "plugins.md")[name]
    protocol = getattr(protocols, name)
    members = dict(vars(protocol))
    wanted = [f"`{written(each, members[each])}`" for each in members if _is_method(members, each)]
    wanted += [f"`{each}: " for each in protocol.__annotations__]
    assert [each for each in wanted if each not in section] == []
    assert wanted


def test_every_protocol_that_plugins_implement_is_among_those_checked_here() -> None:
    found = {
        name
        for name, each in vars(protocols).items()
        if inspect.isclass(each)
        and getattr(each, "_is_protocol", False)
        and each.__module__ == protocols.__name__
    }
    assert found == {*PROTOCOLS, "Clock"}


def test_all_that_a_plugin_is_given_is_documented() -> None:
    section = sections(DOCS / "plugins.md")["PluginContext"]
    names = [name for name in dir(PluginContext) if not name.startswith("_")]
    assert [name for name in names if f"`context.{name}" not in section] == []
    assert "`context.clock.now()`" in section


@pytest.mark.parametrize("name", nullspend_margins.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    assert f"`{name}`" in sections(DOCS / "plugins.md")["Public names"]


@pytest.mark.parametrize("key", [row.key for row in reference_rows()])
def test_every_configuration_key_is_documented(key: str) -> None:
    assert f"`{key}`" in read(PAGE)


def test_the_reference_says_what_is_required_and_within_which_bounds() -> None:
    rows = {line.split("`")[1]: line for line in read(PAGE).splitlines() if line.startswith("| `")}
    assert "| **required** |" in rows["plugins.sql.sources.NAME.url"]
    assert "a number, 0 to 3,600" in rows["plugins.stripe.retry_seconds"]
    assert "a whole number, at least 5 |" in rows["sync.lease_seconds"]
    assert "| none |" in rows["plugins.slack.link"]


@pytest.mark.parametrize("page", PARTS, ids=lambda page: page.name)
def test_what_is_made_from_the_code_is_as_the_code_makes_it(page: Path) -> None:
    assert read(page) == PARTS[page](read(page)), "run: python -m tests.docs.reference"


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_documented_with_its_options_and_arguments(path: str) -> None:
    rows = read(DOCS / "operations.md").splitlines()
    [row] = [row for row in rows if re.match(rf"\| `{path}[ `]", row)]
    usage = row.split("`")[1]
    options = [each for each in COMMANDS[path].params if each.param_type_name == "option"]
    wanted = [each.opts[-1] for each in options if "--help" not in each.opts]
    arguments = [each for each in COMMANDS[path].params if each.param_type_name == "argument"]
    wanted += [str(each.metavar) for each in arguments]
    assert [each for each in wanted if each not in usage] == []
    assert re.findall(r"--[\w-]+", usage) == [each for each in wanted if each.startswith("--")]


@pytest.mark.parametrize("path", COMMANDS)
def test_options_shown_in_brackets_are_those_that_may_be_left_out(path: str) -> None:
    usage = re.search(rf"\| `({path}(?: [^`]*)?)`", read(DOCS / "operations.md"))
    assert usage is not None
    left_out = set(re.findall(r"\[(--[\w-]+)", usage[1]))
    optional = {
        each.opts[-1]
        for each in COMMANDS[path].params
        if each.param_type_name == "option" and not each.required and "--help" not in each.opts
    }
    assert left_out == optional


def test_every_route_has_a_section_with_its_role_parameters_answers_and_errors() -> None:
    described = sections(API_PAGE)
    missing = [place for place in places() if "| for |" not in described.get(_heading(*place), "")]
    assert missing == []


def test_the_docs_name_no_route_that_does_not_exist() -> None:
    named = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`\s]*)`", everything()))
    assert named <= {_heading(*place).strip("`") for place in places()}


@pytest.mark.parametrize(("code", "status"), STATUS_OF_CODE.items())
def test_every_error_code_is_documented_with_its_status(code: str, status: int) -> None:
    assert f"| {status} | `{code}` |" in sections(DOCS / "api.md")["Errors"]


def test_every_dependency_is_documented_with_its_reason() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    names = {re.split(r"[\[<>=!~ ;]", each)[0] for group in lists for each in group}
    section = sections(DOCS / "decisions.md")["Dependencies"]
    listed = set(re.findall(r"`([\w.-]+)`", " ".join(_first_cells(section))))
    assert listed - set(project["optional-dependencies"]) == names - {"nullspend-margins"}


def _first_cells(text: str) -> list[str]:
    return [row.split("|")[1] for row in text.splitlines() if row.startswith("|")]


def _is_method(members: dict[str, object], name: str) -> bool:
    return not name.startswith("_") and inspect.isfunction(members[name])


def _heading(method: str, path: str) -> str:
    return f"`{method} {path}`"
