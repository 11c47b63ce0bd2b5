"""Which revenue a fact is in which month, by each basis. Pure, and exact to the microdollar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from nullspend_margins.domain.currency import converted
from nullspend_margins.domain.money import MICRODOLLARS_PER_CENT
from nullspend_margins.domain.period import Period, month_index
from nullspend_margins.domain.revenue import RevenueFact
from nullspend_margins.domain.revenue_part import (
    BASES,
    Basis,
    ExchangeRate,
    RevenuePart,
)
from nullspend_margins.domain.shares import month_shares
from nullspend_margins.errors import ValidationFailed

CONFIGURED = "configuration"
"""The source of a rate that is the operator's."""

MAX_MICRODOLLARS = 2**63 - 1
"""What one stored cell can hold; more is refused, never wrapped."""

_USD = Decimal(1)
_USD_DIGITS = 2

_PLACE = {basis: place for place, basis in enumerate(BASES)}

MonthCells = dict[int, list[int]]
"""By month (a ``Period.index``): the amount of each basis, in the order of ``BASES``."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """Whether other currencies are converted, and the operator's own rates.

    ``rates``: US dollars for one unit, by lower-case currency and month.
    """

    is_on: bool = False
    rates: Mapping[str, Mapping[Period, Decimal]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def rate(self, currency: str, period: Period) -> ExchangeRate | None:
        """The operator's rate of a month, if there is one."""
        value = self.rates.get(currency, {}).get(period)
        if value is None:
            return None
        return ExchangeRate(value=value, source=CONFIGURED, on=period.start.date())


class Share(msgspec.Struct, frozen=True, gc=False):
    """What a part is in one month: in its own currency's minor unit, and in microdollars."""

    period: Period
    amount_minor: int
    microdollars: int


def recognized(fact: RevenueFact, conversion: Conversion) -> Sequence[RevenuePart] | None:
    """The fact's parts, each with the rate it is converted at; ``None``: it does not count.

    It counts where its customer is known and every part can be told in US dollars: at the
    provider's own rate, else at the operator's: for what is spread over time that of the fact's
    month, else that of the part's.
    """
    if fact.customer_id is None:
        return None
    if not fact.is_foreign:
        return fact.all_parts
    if not conversion.is_on:
        return None
    own = conversion.rate(fact.currency, Period.containing(fact.occurred_at))
    found = []
    for part in fact.all_parts:
        rate = part.rate or fact.rate
        if rate is None and part.until is None:
            rate = conversion.rate(fact.currency, Period.containing(part.occurred_at))
        rate = rate or own
        if rate is None:
            return None
        found.append(replace(part, rate=rate))
    return found


def part_shares(part: RevenuePart, minor_digits: int) -> list[Share]:
    """What a part is in each of its months, oldest first. The shares add up to the part.

    Split in the currency's minor unit, as books are kept; what was converted adds up to the
    converted whole. Raises ``ValidationFailed`` for what no cell can hold.
    """
    found, sofar, told = [], 0, 0
    for month, amount in month_shares(part.amount_minor, part.occurred_at, part.until):
        sofar += amount
        whole = _microdollars(sofar, minor_digits, part.rate)
        found.append(Share(Period(month), amount, whole - told))
        told = whole
    return found


def month_cells(parts: Iterable[RevenuePart], minor_digits: int) -> MonthCells:
    """What parts add to each month, in microdollars.

    Raises ``ValidationFailed`` for what no cell can hold, a part by itself too.
    """
    cells: MonthCells = {}
    together = 0
    for part in parts:
        amount, bases = part.amount_minor, part.bases
        if part.rate is None and minor_digits == _USD_DIGITS:  # nearly all: nothing to round
            size = abs(amount) * MICRODOLLARS_PER_CENT
            if part.until is None:
                month = month_index(part.occurred_at)
                _add(cells, bases, month, amount * MICRODOLLARS_PER_CENT)
            else:
                for month, share in month_shares(amount, part.occurred_at, part.until):
                    _add(cells, bases, month, share * MICRODOLLARS_PER_CENT)
        else:
            size = 0
            for each in part_shares(part, minor_digits):
                _add(cells, bases, each.period.index, each.microdollars)
                size += each.microdollars
            size = abs(size)
        together += size * len(bases)  # which may name one more than once
        if size > MAX_MICRODOLLARS:
            raise _too_much()
    return _fitting(cells) if together > MAX_MICRODOLLARS else cells


def unconverted_cells(parts: Iterable[RevenuePart]) -> MonthCells:
    """The same of a fact that does not count: in its own currency's minor unit."""
    cells: MonthCells = {}
    for part in parts:
        for month, share in month_shares(part.amount_minor, part.occurred_at, part.until):
            _add(cells, part.bases, month, share)
    return _fitting(cells)


def _add(cells: MonthCells, bases: Sequence[Basis], month: int, amount: int) -> None:
    cell = cells.get(month)
    if cell is None:
        cell = cells[month] = [0] * len(_PLACE)
    for basis in bases:
        cell[_PLACE[basis]] += amount


def _fitting(cells: MonthCells) -> MonthCells:
    """Each part fits; what several add up to may not, and SQLite would cut it off in silence."""
    for cell in cells.values():
        if max(cell) > MAX_MICRODOLLARS or min(cell) < -MAX_MICRODOLLARS:
            raise _too_much()
    return cells


def _microdollars(amount_minor: int, minor_digits: int, rate: ExchangeRate | None) -> int:
    """What is taken away mirrors what was given: it is rounded as its opposite is."""
    found = converted(abs(amount_minor), minor_digits, rate.value if rate else _USD)
    if found > MAX_MICRODOLLARS:
        raise _too_much()
    return found if amount_minor >= 0 else -found


def _too_much() -> ValidationFailed:
    return ValidationFailed.of(("amount_minor", "is more than 9.2 trillion dollars"))
