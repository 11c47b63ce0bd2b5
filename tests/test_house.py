"""The house rules that no tool checks: how long things are, and that no failure vanishes.

A module has at most 300 lines, a function at most 40. Every line counts: docstrings, comments and
blank ones too, decorators alone are left out. Whoever reads has to read them all.
"""

from __future__ import annotations

import ast
import pkgutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import NoneType

import nullspend_margins

ROOT = Path(__file__).parent.parent
PRODUCT = ("nullspend_margins", "plugins")
ROOMS = (*PRODUCT, "tests")

MOST_MODULE_LINES = 300
MOST_FUNCTION_LINES = 40

_BROAD = {"Exception", "BaseException"}
_LOGGED = {"debug", "info", "warning", "error", "exception", "critical", "log"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A source file: its place in the repository, its text, and what Python reads in it."""

    place: str
    text: str

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    def nodes(self, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
        return (node for node in ast.walk(ast.parse(self.text)) if isinstance(node, kinds))


@cache
def modules() -> list[Module]:
    files = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
    return [Module(str(file.relative_to(ROOT)), file.read_text("utf-8")) for file in files]


def test_there_is_a_house() -> None:
    assert {module.place.split("/")[0] for module in modules()} == set(ROOMS)


def test_no_module_is_too_long_to_read_at_a_sitting() -> None:
    found = [
        f"{module.place} has {module.lines} lines; split it by what it is about"
        for module in modules()
        if module.lines > MOST_MODULE_LINES
    ]
    assert not found, _told(found, f"A module has at most {MOST_MODULE_LINES} lines.")


def test_no_function_is_too_long_to_see_at_a_glance() -> None:
    found = [
        f"{module.place}:{node.lineno} {node.name} has {_length(node)} lines; name its parts"
        for module in modules()
        for node in module.nodes(ast.FunctionDef, ast.AsyncFunctionDef)
        if isinstance(node, Function) and _length(node) > MOST_FUNCTION_LINES
    ]
    assert not found, _told(found, f"A function has at most {MOST_FUNCTION_LINES} lines.")


def test_no_failure_vanishes() -> None:
    found = [
        f"{module.place}:{node.lineno} catches {_caught(node)} and forgets it"
        for module in modules()
        if module.place.startswith(PRODUCT)
        for node in module.nodes(ast.ExceptHandler)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _is_answered(node)
    ]
    rule = "Whoever catches everything logs it, raises, or gives back something made of it."
    assert not found, _told(found, rule)


def test_plugins_are_kept_out_of_every_room() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    contract = next(each for each in linter["contracts"] if "public API" in each["name"])
    rooms = {each.name for each in pkgutil.iter_modules(nullspend_margins.__path__)} - {"__main__"}
    plugins = {folder.name for folder in (ROOT / "plugins").glob("nullspend_margins_*")}
    assert set(contract["forbidden_modules"]) == {f"nullspend_margins.{room}" for room in rooms}
    assert set(contract["source_modules"]) == plugins
    assert set(linter["root_packages"]) == {"nullspend_margins", *plugins}


def _told(found: list[str], rule: str) -> str:
    return "\n".join([rule, *found])


def _length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _caught(handler: ast.ExceptHandler) -> str:
    return "everything" if handler.type is None else ast.unparse(handler.type)


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(node, ast.Name) and node.id in _BROAD for node in ast.walk(handler.type))


def _is_answered(handler: ast.ExceptHandler) -> bool:
    body = [node for statement in handler.body for node in ast.walk(statement)]
    return any(
        isinstance(node, ast.Raise)
        or (isinstance(node, ast.Return) and not isinstance(node.value, ast.Constant | NoneType))
        or (isinstance(node, ast.Attribute) and node.attr in _LOGGED)
        or (isinstance(node, ast.Name) and node.id == handler.name)
        for node in body
    )
