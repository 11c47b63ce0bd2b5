"""Amounts in shares that add up to them: by weights, and over months. Pure and exact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from nullspend_margins.domain.period import month_index, month_ticks, ticks


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
    first = month_index(start)
    if end is None:
        return [(first, total)]
    until, bound = ticks(end), month_ticks(first + 1)
    if until <= bound:
        return [(first, total)]
    since, times = ticks(start), list[int]()
    if until <= month_ticks(first + 2):
        one, other = _halved(total, bound - since, until - since)
        return [(first, one), (first + 1, other)]
    while bound < until:
        times.append(bound - since)
        since, bound = bound, month_ticks(first + 1 + len(times))
    times.append(until - since)
    return [*enumerate(split_amount(total, times), first)]


def _halved(total: int, weight: int, whole: int) -> tuple[int, int]:
    """``split_amount`` of two weights, ``weight`` and the rest of ``whole``, above 0 both.

    Of two shares only one can be rounded up: the first, where its remainder is half or more. Most
    services go over the end of one month, and this takes a quarter of the time.
    """
    first = (2 * abs(total) * weight + whole) // (2 * whole)
    return (first, total - first) if total >= 0 else (-first, total + first)
