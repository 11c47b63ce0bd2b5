"""The house rules that no tool checks: how long things are, that no failure vanishes, and that
whoever silences a tool says why.

A module has at most 300 lines, a function at most 40. Every line counts: docstrings, comments and
blank ones too, decorators alone are left out. Whoever reads has to read them all.
"""

from __future__ import annotations

import ast
import io
import pkgutil
import re
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent
from types import NoneType

import nullspend_margins

ROOT = Path(__file__).parent.parent
PRODUCT = ("nullspend_margins", "plugins")
ROOMS = (*PRODUCT, "tests")

MOST_MODULE_LINES = 300
MOST_FUNCTION_LINES = 40

_BROAD = {"Exception", "BaseException"}
_SILENCED = re.compile(
    r"# (?:type: ignore|pyright: ignore|noqa)\b(?:: ?[A-Z0-9, ]+\b|\[[a-z, -]+\])?"
)
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


def test_whoever_silences_a_tool_says_why() -> None:
    found = [
        f"{module.place}:{line} {comment}"
        for module in modules()
        if module.place.startswith(PRODUCT)
        for line, comment in _silenced_without_a_reason(module)
    ]
    rule = "The reason stands behind the codes, or in a comment right above."
    assert not found, _told(found, rule)


def test_a_reason_is_seen_where_it_stands() -> None:
    text = """
        with_codes_alone()  # noqa: S608
        with_two()  # type: ignore[misc, arg-type] # noqa: N801
        with_none()  # noqa
        behind()  # noqa: S608, S101 - a constant
        behind_the_last()  # type: ignore[misc]  # noqa: N801 - read by its name
        # It is above.
        above()  # type: ignore[misc]
        in_a_text("# noqa: S608")
    """
    found = [line for line, _ in _silenced_without_a_reason(Module("here", dedent(text)))]
    assert found == [2, 3, 4]


def test_plugins_are_kept_out_of_every_room() -> None:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    contract = next(each for each in linter["contracts"] if "public API" in each["name"])
    rooms = {each.name for each in pkgutil.iter_modules(nullspend_margins.__path__)} - {"__main__"}
    plugins = {folder.name for folder in (ROOT / "plugins").glob("nullspend_margins_*")}
    assert set(contract["forbidden_modules"]) == {f"nullspend_margins.{room}" for room in rooms}
    assert set(contract["source_modules"]) == plugins
    assert set(linter["root_packages"]) == {"nullspend_margins", *plugins}


def _silenced_without_a_reason(module: Module) -> Iterator[tuple[int, str]]:
    """The number of the line and the comment of each."""
    lines = module.text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type != tokenize.COMMENT or not _SILENCED.match(token.string):
            continue
        number = token.start[0]
        is_told_above = number > 1 and lines[number - 2].lstrip().startswith("# ")
        if not is_told_above and not re.search(r"\w", _SILENCED.sub("", token.string)):
            yield number, token.string


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
