"""What a benchmark finds out: measures, each with what was found in every repetition."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

RATIO = "times"

Say = Callable[[str], None]
"""Tells whoever waits how far it is."""


class Scale(Enum):
    """How much is measured: for the page, in a few minutes, or only to see that it works."""

    FULL = "full"
    QUICK = "quick"
    SMOKE = "smoke"


@dataclass(frozen=True, slots=True)
class Goal:
    """What the median shall be."""

    bound: Literal["at most", "at least"]
    value: float

    def is_met(self, median: float) -> bool:
        """Whether ``median`` is on the right side."""
        return median <= self.value if self.bound == "at most" else median >= self.value


def at_most(value: float) -> Goal:
    """The smaller the better."""
    return Goal("at most", value)


def at_least(value: float) -> Goal:
    """The larger the better."""
    return Goal("at least", value)


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of interest, as found in each repetition.

    ``unit`` is ``RATIO`` where each value compares two sides of one repetition; ``sides`` then
    tells them, for information.
    """

    name: str
    unit: str
    values: Sequence[float]
    goal: Goal | None = None
    sides: str = ""

    @property
    def median(self) -> float:
        """Of all repetitions."""
        return statistics.median(self.values)

    @property
    def is_met(self) -> bool | None:
        """``None`` where there is no goal."""
        return None if self.goal is None else self.goal.is_met(self.median)


def ratio(
    name: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    unit: str,
    goal: Goal | None = None,
) -> Measure:
    """How many times ``theirs`` is in ``ours``, by repetition; both in ``unit``."""
    values = [one / other for one, other in zip(ours, theirs, strict=True)]
    sides = " to ".join(f"{number(statistics.median(side))} {unit}" for side in (ours, theirs))
    return Measure(name, RATIO, values, goal, sides)


@dataclass(slots=True)
class Sides:
    """Two or more sides of one comparison, measured in turns: A B, A B, A B."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, side: str, seconds: float) -> None:
        """Keep one repetition of one side."""
        self.seconds.setdefault(side, []).append(seconds)

    def milliseconds(self, side: str) -> list[float]:
        """What a side took."""
        return [seconds * 1000 for seconds in self.seconds[side]]

    def rates(self, side: str) -> list[float]:
        """How many of what ``seconds`` are for fit into a second."""
        return [1 / seconds for seconds in self.seconds[side]]


def number(value: float) -> str:
    """Three digits that count."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
