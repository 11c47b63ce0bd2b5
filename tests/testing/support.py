"""Runs a suite rule by rule, as pytest would, and tells what came of each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from nullspend_margins.testing.rules import rules_of

Status = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Result:
    status: Status
    message: str = ""


def run(suite: type, rule: str) -> Result:
    """One rule on a new instance of ``suite``."""
    try:
        getattr(suite(), rule)()
    except pytest.fail.Exception as failure:
        return Result("failed", str(failure))
    except pytest.skip.Exception as skip:
        return Result("skipped", str(skip))
    return Result("passed")


def run_all(suite: type) -> dict[str, Result]:
    """Every rule of ``suite``, by its name."""
    return {rule: run(suite, rule) for rule in rules_of(suite)}


def failed(results: dict[str, Result]) -> set[str]:
    return {rule for rule, result in results.items() if result.status == "failed"}


def variant(suite: type, plugin: Any = None, **members: object) -> type:
    """``suite`` over another plugin, or with other facts."""
    own = {**members, **({"plugin": plugin} if plugin is not None else {})}
    return type(f"Test{getattr(plugin, '__name__', 'Variant')}", (suite,), own)


async def network() -> None:
    """Where a real plugin would wait."""
    await asyncio.sleep(0)
