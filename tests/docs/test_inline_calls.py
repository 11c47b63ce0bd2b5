"""Calls that stand within a line of the docs, forms with three dots too, have the parameters."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

import nullspend_margins
from nullspend_margins import Outbound, PluginContext, testing
from tests.docs.pages import PAGES, prose
from tests.docs.taken import inline_spans, taken_inline

taken_inline(
    "plugins.md",
    "await context.outbound.get(url, receive=write, max_body=10_000_000, timeout_seconds=60)",
)


def calls() -> Iterator[tuple[str, ast.Call, Any]]:
    """Page, call and what is called, of calls of the public API."""
    for page in PAGES:
        for span in inline_spans(prose(page)):
            try:
                found = [*ast.walk(ast.parse(span))]
            except SyntaxError:
                continue
            for each in found:
                if isinstance(each, ast.Call) and (called := callee(ast.unparse(each.func))):
                    yield f"{page.name} {span}", each, called


def callee(name: str) -> Any:
    """The public thing of this name."""
    holder, _, method = name.rpartition(".")
    if holder == "context.outbound":
        return getattr(Outbound, method)
    if holder == "context":
        return getattr(PluginContext, method)
    if holder:
        return None
    return getattr(nullspend_margins, name, getattr(testing, name, None))


@pytest.mark.parametrize(
    ("call", "called"), [each[1:] for each in calls()], ids=[each[0] for each in calls()]
)
def test_every_call_has_the_parameters_of_what_is_called(call: ast.Call, called: Any) -> None:
    itself = (None,) if inspect.isfunction(called) and "." in called.__qualname__ else ()
    given = [each for each in call.args if ast.unparse(each) != "..."]
    named = {str(each.arg): each.value for each in call.keywords if each.arg}
    assert inspect.signature(called).bind_partial(*itself, *given, **named)


def test_forms_and_calls_are_found() -> None:
    assert len([*calls()]) > 15
