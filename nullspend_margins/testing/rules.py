"""A rule: one test whose name is a sentence, and what it says when it is broken.

The docstring of a rule is what an author reads: its first paragraph says what is checked, then
``Why:`` and ``To do:``. A failure repeats the last two under what happened.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, NoReturn, Protocol, TypeVar

import pytest

HOME = "nullspend_margins.testing"
_NOT_SHOWN = (HOME, "asyncio")
_PREFIX = "test_"


class Patient(Protocol):
    """A suite, as far as running its rules goes."""

    patience_seconds: float


S = TypeVar("S", bound=Patient)
T = TypeVar("T")


class RuleBroken(Exception):
    """The plugin does not keep a rule. ``guess`` is what was probably meant or forgotten."""

    def __init__(self, happened: str, *, guess: str | None = None) -> None:
        super().__init__(happened)
        self.happened = happened
        self.guess = guess


def rule(check: Callable[[S], Coroutine[Any, Any, None] | None]) -> Callable[[S], None]:
    """Make a test of ``check``; a coroutine gets an event loop of its own."""

    @wraps(check)
    def run(suite: S) -> None:
        broken = _broken_by(check, suite)
        if broken is not None:
            _fail(suite, check, broken)

    # Plugins of pytest look for coroutine functions below wrappers.
    del run.__wrapped__
    run.is_rule = True  # type: ignore[attr-defined]  # for ``rules_of`` to know it by
    return run


def rules_of(suite: type) -> dict[str, str]:
    """The rules of a suite: the name of each test and its docstring, in order of definition."""
    found: dict[str, str] = {}
    for cls in reversed(suite.__mro__):
        for name, member in vars(cls).items():
            if getattr(member, "is_rule", False):
                found[name] = inspect.getdoc(member) or ""
    return found


def sentence(name: str) -> str:
    """The name of a rule as a person reads it."""
    return name.removeprefix(_PREFIX).replace("_", " ")


async def bounded(check: Coroutine[Any, Any, T], seconds: float) -> T:
    """A plugin that never answers fails its rule instead of holding up the whole run."""
    patience = asyncio.timeout(seconds)
    try:
        async with patience:
            return await check
    except TimeoutError as problem:
        if not patience.expired():
            raise
        raise RuleBroken(
            f"it had not ended after {seconds:g} seconds",
            guess="something waits for what never comes, or retries without an end",
        ) from problem


def _broken_by(
    check: Callable[[S], Coroutine[Any, Any, None] | None], suite: S
) -> RuleBroken | None:
    try:
        done = check(suite)
        if inspect.iscoroutine(done):
            asyncio.run(bounded(done, suite.patience_seconds))
    except RuleBroken as broken:
        return broken
    except Exception as problem:
        unexpected = RuleBroken(f"it raised {type(problem).__name__}: {problem}")
        unexpected.__cause__ = problem
        return unexpected
    return None


def _fail(suite: object, check: Callable[..., object], broken: RuleBroken) -> NoReturn:
    __tracebackhide__ = True
    advice = (inspect.getdoc(check) or "").partition("\n\n")[2]
    ours = (cls for cls in type(suite).__mro__ if cls.__module__.startswith(f"{HOME}."))
    kind = next(ours, type(suite)).__name__
    lines = [f"Rule broken: {sentence(check.__name__)} ({kind})", f"  {broken.happened}"]
    if broken.guess:
        lines.append(f"  A guess: {broken.guess}.")
    lines += ["", *advice.splitlines()]
    if broken.__cause__ is not None:
        lines += ["", *_traceback(broken.__cause__)]
    pytest.fail("\n".join(lines), pytrace=False)


def _traceback(problem: BaseException) -> list[str]:
    """Where it came from, beginning with the author's code and not with ours."""
    frame = problem.__traceback__
    while frame is not None and frame.tb_frame.f_globals.get("__package__") in _NOT_SHOWN:
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(problem), problem, frame)).splitlines()
