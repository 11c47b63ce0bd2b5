"""What is wrong with a file, in words for whoever has to mend it."""

from __future__ import annotations

from typing import NamedTuple

_SHOWN = 50


class Problem(NamedTuple):
    """A row that can't be counted: its line, its column where it is one, and why.

    The first line is 1. Of a row of several lines it is the first one.
    """

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        place = f", column {self.column}:" if self.column else ":"
        return f"line {self.line}{place} {self.message}"


class Unreadable(Exception):
    """A file that can't be read on from here; ``problem`` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Misfit(Exception):
    """A cell can't be what its column holds; the message says why and what would do."""


def shown(text: str) -> str:
    """What stands in a cell, short enough for a message."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}..."
