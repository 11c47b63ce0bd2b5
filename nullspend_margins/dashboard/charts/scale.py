"""Axes: round values that cover what is shown, and where each amount is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from nullspend_margins.domain.money import format_hundredths

LEAST_STEP = 10_000
"""One cent in microdollars: finer ticks could not be told apart in words."""

_ROUND = (1, 2, 5)


def round_step(span: int, at_most: int, least: int = 1) -> int:
    """The least of 1, 2 and 5 times a power of ten that covers ``span`` in ``at_most`` steps.

    A multiple of ``least``, which is a power of ten.
    """
    power = least
    while True:
        for factor in _ROUND:
            if factor * power * at_most >= span:
                return factor * power
        power *= 10


def round_ticks(lowest: int, highest: int, at_most: int, least: int = 1) -> list[int]:
    """Round values from below ``lowest`` to above ``highest``, evenly spaced; 0 is one of them.

    There are ``at_most`` steps and two more, where it takes them to begin and end on a round one.
    """
    lowest, highest = min(lowest, 0), max(highest, 0)
    step = round_step(max(highest - lowest, 1), at_most, least)
    first, last = lowest // step, -(-highest // step)
    if first == last:
        last += 1
    return [step * each for each in range(first, last + 1)]


class Tick(NamedTuple):
    """A line across the chart, and the value at its end."""

    y: str
    value: int


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from ``low`` to ``high`` between two heights: ``bottom`` and ``top``, in pixels."""

    low: int
    high: int
    top: int
    bottom: int

    def at(self, value: int) -> int:
        """How far down, in hundredths of a pixel. What is beyond the scale stays at its edge."""
        value = min(max(value, self.low), self.high)
        height = (self.bottom - self.top) * 100
        return self.top * 100 + (self.high - value) * height // (self.high - self.low)

    def y(self, value: int) -> str:
        """The same as SVG writes it."""
        return format_hundredths(self.at(value))

    def span(self, low: int, high: int) -> tuple[str, str]:
        """``y`` and ``height`` of what reaches from one value to another."""
        top, bottom = self.at(high), self.at(low)
        return format_hundredths(top), format_hundredths(bottom - top)

    def bar(self, value: int) -> tuple[str, str]:
        """``y`` and ``height`` of a bar from 0. What is not nothing can be seen: one pixel."""
        zero, end = self.at(0), self.at(value)
        height = abs(end - zero)
        if value and height < 100:
            height, end = 100, zero - 100 if value > 0 else zero + 100
        return format_hundredths(min(zero, end) if value >= 0 else zero), format_hundredths(height)

    def covers(self, value: int) -> bool:
        """Whether it is within the scale."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Slots:
    """The width in equal parts, from left to right."""

    count: int

    def x(self, index: int, hundredths: int = 0) -> str:
        """Where a part begins, or a place within it, in percent of the width."""
        return format_hundredths((index * 100_00 + hundredths * 100) // self.count)

    def width(self, hundredths: int) -> str:
        """So much of a part, in percent of the width."""
        return format_hundredths(hundredths * 100 // self.count)


def span_of(values: Iterable[int]) -> tuple[int, int]:
    """The least and the greatest of them and 0."""
    known = [0, *values]
    return min(known), max(known)
