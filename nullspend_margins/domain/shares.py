"""Amounts in shares that add up to them: by weights, and over months. Pure and exact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from nullspend_margins.domain.period import as_utc, microseconds_between, month_index, month_start


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
    floors = [total * weight // whole for weight in weights]
    missing = total - sum(floors)
    if missing:
        remainders = [total * weight % whole for weight in weights]
        order = sorted(range(len(floors)), key=remainders.__getitem__, reverse=True)
        for index in order[:missing]:
            floors[index] += 1
    return floors


def month_shares(total: int, start: datetime, end: datetime | None) -> list[tuple[int, int]]:
    """``total`` over the months that ``[start, end)`` touches, by the time in each.

    As (``Period.index``, share), oldest first; months whose share is 0 are there too. Without an
    ``end``, or where it is not after ``start``: all in the month of ``start``.
    """
    if end is None:
        return [(month_index(start), total)]
    if not (start.tzinfo is end.tzinfo is UTC):  # others may be equal where they are not the same
        start, end = as_utc(start), as_utc(end)
    first, times = _month_times(start, end)
    if len(times) == 1:
        return [(first, total)]
    if len(times) > 2:
        return [*enumerate(split_amount(total, times), first)]
    # Most services go over the end of one month.
    share, other = _halved(total, *times)
    return [(first, share), (first + 1, other)]


@lru_cache(maxsize=128)  # that of an invoice's lines is mostly the same
def _month_times(start: datetime, end: datetime) -> tuple[int, Sequence[int]]:
    """The first month that ``[start, end)`` touches, and the time in it and in each after it."""
    first = month_index(start)
    bound = month_start(first + 1)
    if end <= bound:
        return first, (microseconds_between(start, end),)
    times = [microseconds_between(start, bound)]
    while (after := month_start(first + 1 + len(times))) < end:
        times.append(microseconds_between(bound, after))
        bound = after
    times.append(microseconds_between(bound, end))
    return first, times


def _halved(total: int, weight: int, other: int) -> tuple[int, int]:
    """``split_amount`` of two weights, above 0 both.

    Of two shares only one can be rounded up: the first, where its remainder is half or more. This
    takes a quarter of the time.
    """
    whole = weight + other
    first = (2 * abs(total) * weight + whole) // (2 * whole)
    return (first, total - first) if total >= 0 else (-first, total + first)
