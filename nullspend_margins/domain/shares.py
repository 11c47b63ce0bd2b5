"""Amounts in shares that add up to them: by weights, and over months. Pure and exact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from nullspend_margins.domain.period import Period, as_utc

_TICK = timedelta(microseconds=1)


def split_amount(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` in integer shares proportional to ``weights``, which add up to it.

    Largest remainder: each share is rounded down, then what is missing goes, one each, to those
    with the largest remainders (the earlier on a tie). A negative ``total`` is split as the
    positive one is, so that what is taken back mirrors what was given. Weights may be negative;
    their sum must not be 0. Raises ``ValueError`` if it is.
    """
    whole = sum(weights)
    if whole == 0:
        raise ValueError("the weights add up to nothing")
    if total < 0:
        return [-share for share in split_amount(-total, weights)]
    if whole < 0:
        whole, weights = -whole, [-weight for weight in weights]
    floors, remainders = [], []
    for weight in weights:
        floor, remainder = divmod(total * weight, whole)
        floors.append(floor)
        remainders.append(remainder)
    missing = total - sum(floors)
    order = sorted(range(len(floors)), key=lambda index: -remainders[index])
    for index in order[:missing]:
        floors[index] += 1
    return floors


def month_shares(total: int, start: datetime, end: datetime | None) -> list[tuple[Period, int]]:
    """``total`` over the months that ``[start, end)`` touches, by the time in each.

    Without an ``end``, or where it is not after ``start``: all in the month of ``start``. Oldest
    first; months whose share is 0 are there too.
    """
    first = Period.containing(start)
    if end is None or end <= first.end:
        return [(first, total)]
    start, end = as_utc(start), as_utc(end)
    last = Period.containing(end - _TICK)
    months = [first.shift(offset) for offset in range(last.index - first.index + 1)]
    times = [(min(end, month.end) - max(start, month.start)) // _TICK for month in months]
    return list(zip(months, split_amount(total, times), strict=True))
