"""A calendar month in UTC: the unit every margin is told in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Self

from nullspend_margins.errors import ValidationFailed

FIRST_YEAR, LAST_YEAR = 1970, 9998
"""The years that periods have, both included."""

_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}")
_EPOCH_DAY = date(1970, 1, 1)
_EPOCH_ORDINAL = _EPOCH_DAY.toordinal()


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A UTC month. ``index`` is ``year * 12 + month - 1``, which is also how it is stored."""

    index: int
    """``year * 12 + month - 1``; 24315 is April 2026."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``YYYY-MM``, years 1970-9998.

        Raises ``ValidationFailed`` for anything else, the empty string included.
        """
        if _PATTERN.fullmatch(text):
            year, month = int(text[:4]), int(text[5:])
            if FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12:
                return cls(year * 12 + month - 1)
        raise ValidationFailed.of(
            ("period", "must be a calendar month as YYYY-MM, for example 2026-04")
        )

    @classmethod
    def containing(cls, when: date) -> Self:
        """The month of a day, or of an aware ``datetime``: in UTC whatever its offset."""
        day = as_utc(when) if isinstance(when, datetime) else when
        return cls(day.year * 12 + day.month - 1)

    def shift(self, months: int) -> Period:
        """The period ``months`` later (earlier when negative)."""
        return Period(self.index + months)

    @property
    def start(self) -> datetime:
        """The first instant of the month, UTC."""
        return month_start(self.index)

    @property
    def end(self) -> datetime:
        """The first instant of the next month, UTC: the month is ``[start, end)``."""
        return month_start(self.index + 1)

    @property
    def day_numbers(self) -> range:
        """The ``day_number`` of each of its days."""
        return range(day_number(self.start), day_number(self.end))

    def __str__(self) -> str:
        return f"{self.index // 12:04d}-{self.index % 12 + 1:02d}"


@lru_cache(maxsize=4096)  # a sync asks for the same few months all the time
def month_start(index: int) -> datetime:
    """The first instant of the month with this ``Period.index``, UTC."""
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Months:
    """Periods in a row, ``first`` and ``last`` included."""

    first: Period
    last: Period

    @property
    def count(self) -> int:
        """How many."""
        return self.last.index - self.first.index + 1

    @property
    def indexes(self) -> range:
        """The ``Period.index`` of each."""
        return range(self.first.index, self.last.index + 1)

    def __iter__(self) -> Iterator[Period]:
        return (self.first.shift(offset) for offset in range(self.count))


def month_index(moment: datetime) -> int:
    """The ``Period.index`` of an aware moment, for whoever needs a million of them."""
    day = moment if moment.tzinfo is UTC else as_utc(moment)  # nearly always a call less
    return day.year * 12 + day.month - 1


def microseconds_between(start: datetime, end: datetime) -> int:
    """From one aware moment to another; negative where ``end`` is before ``start``."""
    # Of one zone two moments are compared by its clocks, which is wrong where those are changed.
    utc = start.tzinfo is UTC is end.tzinfo  # nearly always two calls less
    time = end - start if utc else as_utc(end) - as_utc(start)
    # Divided by a microsecond it would take three times as long.
    return (time.days * 86_400 + time.seconds) * 1_000_000 + time.microseconds


def as_utc(moment: datetime) -> datetime:
    """The same instant in UTC. A naive ``moment`` has no instant: ``ValueError``."""
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone, so it names no instant")
    return moment.astimezone(UTC)


def day_number(when: date) -> int:
    """Days since 1970-01-01: how days are stored. Of an aware ``datetime``, its day in UTC."""
    day = as_utc(when) if isinstance(when, datetime) else when
    return day.toordinal() - _EPOCH_ORDINAL


def day_of(number: int) -> date:
    """The date of a stored day number."""
    return _EPOCH_DAY + timedelta(days=number)


def format_instant(moment: datetime) -> str:
    """An aware moment for people, in UTC, to the second: ``2026-04-05 10:00:00Z``."""
    return f"{as_utc(moment):%Y-%m-%d %H:%M:%SZ}"
