"""The specification's arithmetic: months, roundings, percents, tiers. Plain, slow and obvious.

Money in microdollars, percents as exact fractions until they are rounded, a month as (year,
month). No code of the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from math import floor
from typing import NamedTuple

Month = tuple[int, int]
SEVERITY = ("critical", "at_risk", "moderate", "healthy")
HALF = Fraction(1, 2)


class Thresholds(NamedTuple):
    """The least percent of each tier."""

    healthy: Fraction = Fraction(50)
    moderate: Fraction = Fraction(20)
    at_risk: Fraction = Fraction(0)


def rounded(value: Fraction) -> int:
    """To the nearest integer, halves toward +infinity."""
    return floor(value + HALF)


def month_of(moment: datetime) -> Month:
    utc = moment.astimezone(UTC)
    return utc.year, utc.month


def month_from(text: str) -> Month:
    return int(text[:4]), int(text[5:])


def shifted(month: Month, by: int) -> Month:
    year, number = month
    step = 1 if by > 0 else -1
    for _ in range(abs(by)):
        number += step
        if number in (0, 13):
            year, number = year + step, 12 if number == 0 else 1
    return year, number


def shown(month: Month) -> str:
    return f"{month[0]:04d}-{month[1]:02d}"


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def percent(revenue: int, cost: int) -> Fraction:
    """Of revenue, exact. Without revenue 0; less than none counts as none."""
    return Fraction(revenue - cost, revenue) * 100 if revenue > 0 else Fraction(0)


def hundredths(value: Fraction) -> int:
    return rounded(value * 100)


def as_json(hundredths_of_percent: int) -> int | float:
    """A percent with two decimals as a JSON number."""
    if hundredths_of_percent % 100 == 0:
        return hundredths_of_percent // 100
    return float(Fraction(hundredths_of_percent, 100))


def tier_of_percent(value: Fraction, thresholds: Thresholds) -> str:
    if value >= thresholds.healthy:
        return "healthy"
    if value >= thresholds.moderate:
        return "moderate"
    return "at_risk" if value >= thresholds.at_risk else "critical"


def tier(revenue: int, cost: int, thresholds: Thresholds) -> str:
    """Of the unrounded percent; a loss without revenue is critical."""
    if revenue <= 0 and cost > revenue:
        return "critical"
    return tier_of_percent(percent(revenue, cost), thresholds)


def spark(revenue: int, cost: int) -> int:
    """A month of a sparkline, in hundredths of a percent."""
    if revenue <= 0:
        return -10_000 if cost > revenue else 0
    return hundredths(percent(revenue, cost))


def one_month_on(points: Sequence[int]) -> int:
    """The least-squares line through three points at 0, 1, 2, taken at 3."""
    ys = [Fraction(point) for point in points]
    mean = sum(ys) / 3
    slope = sum((x - 1) * (y - mean) for x, y in enumerate(ys)) / sum(
        Fraction((x - 1) ** 2) for x in range(3)
    )
    return rounded(mean + slope * 2)


def two_decimals(hundredths_exact: Fraction) -> str:
    whole = rounded(hundredths_exact)
    digits = f"{abs(whole):03d}"
    return f"{'-' if whole < 0 else ''}{digits[:-2]}.{digits[-2:]}"
