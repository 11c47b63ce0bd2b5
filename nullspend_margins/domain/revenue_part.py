"""What an object of a provider adds to which basis of revenue, and at which rate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import chain, permutations
from typing import Literal, get_args

import msgspec

from nullspend_margins.domain.fields import (
    day_problem,
    instant_problem,
    integer_problem,
    string_problem,
)
from nullspend_margins.domain.money import MICRODOLLARS_PER_CENT
from nullspend_margins.domain.period import FIRST_YEAR, LAST_YEAR
from nullspend_margins.domain.text import MAX_TEXT
from nullspend_margins.errors import ValidationFailed

Basis = Literal["invoiced", "cash", "net", "accrual"]
"""What counts as revenue, and when.

``invoiced``: what paid invoices were paid, in the month they were made. ``cash``: what was paid,
when it was. ``net``: cash less tax, refunds and disputes, each in its own month. ``accrual``: the
untaxed price of a service over the time it was given, less credit notes and other refunds.
"""
BASES: tuple[Basis, ...] = get_args(Basis)


def parse_basis(text: str) -> Basis:
    """Read the name of a basis. Raises ``ValidationFailed`` for any other text."""
    if text in BASES:
        return text
    raise ValidationFailed.of(("basis", f"must be one of {', '.join(BASES)}"))


_USUAL = frozenset(chain.from_iterable(permutations(BASES, count) for count in range(1, 5)))
PartKind = Literal["invoice", "payment", "tax", "line", "refund", "credit_note", "dispute"]
PART_KINDS: tuple[PartKind, ...] = get_args(PartKind)

MAX_MINOR_AMOUNT = 10**17
"""A quadrillion dollars: more than any integer that JSON numbers are exact for (2^53)."""
MAX_COUNTED_CENTS = (2**63 - 1) // MICRODOLLARS_PER_CENT
"""About 9.2 trillion dollars: its microdollars fit 64 bits. More is told and not counted."""
MAX_SERVICE = timedelta(days=366 * 50)
MAX_RATE = Decimal(10**6)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """US dollars for one unit of another currency (one euro, not one cent), and whose rate it is.

    ``source`` is a word for people: the provider's name, or ``configuration``. ``on`` is the day
    it is of. Raises ``ValidationFailed`` naming every field that is wrong.
    """

    value: Decimal
    """Above 0, at most 10^6, of 20 digits at most."""
    source: str
    """1 to 64 characters."""
    on: date
    """A date of the years 1970 to 9998."""

    def __post_init__(self) -> None:
        found = []
        if not isinstance(self.value, Decimal) or not self.value.is_finite():
            found.append(("value", "must be a finite Decimal"))
        elif not 0 < self.value <= MAX_RATE or _digits(self.value) > 20:
            found.append(("value", f"must be above 0, {MAX_RATE} at most, of 20 digits at most"))
        if problem := string_problem(self.source, 1, 64):
            found.append(("source", problem))
        if problem := day_problem(self.on):
            found.append(("on", problem))
        if found:
            raise ValidationFailed.of(*found)


class RevenuePart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an object adds to one or more bases of revenue.

    ``amount_minor`` is in the fact's currency, negative for what is taken away. It counts in the
    month of ``occurred_at``; with ``until`` it is spread over the time from ``occurred_at`` to
    ``until``, by seconds, so that the shares add up to it. ``part_id`` is the provider's name for
    it (a line, a payment). ``rate`` is the rate it was converted at, if the provider did and it
    is not the fact's. Raises ``ValidationFailed`` naming every field that is wrong.
    """

    bases: Sequence[Basis]
    """Those it counts in, one at least."""
    kind: PartKind
    """``invoice``, ``payment``, ``tax``, ``line``, ``refund``, ``credit_note`` or ``dispute``."""
    amount_minor: int
    """In the currency's minor unit, up to 10^17 either way."""
    occurred_at: datetime
    """Aware; where it is spread, its beginning."""
    until: datetime | None = None
    """The end of the time it is spread over, 50 years later at most; ``None`` is not spread."""
    part_id: str | None = None
    """The provider's own name for it, 1 to 256 characters."""
    description: str | None = None
    """What people read when a number is explained, 1 to 256 characters."""
    rate: ExchangeRate | None = None
    """US dollars for a unit; ``None`` is the fact's."""

    def __post_init__(self) -> None:
        # Nearly every part is plainly right, which shows in a tenth of the time that it takes to
        # tell what is wrong.
        amount = self.amount_minor
        if (
            type(self.bases) is tuple
            and self.bases in _USUAL
            and self.kind in PART_KINDS
            and type(amount) is int
            and -MAX_MINOR_AMOUNT <= amount <= MAX_MINOR_AMOUNT
            and self.rate is None
            and _are_plain_times(self.occurred_at, self.until)
            and (self.part_id is None or is_plain_text(self.part_id))
            and (self.description is None or is_plain_text(self.description))
        ):
            return
        found = [*self._problems()]
        if found:
            raise ValidationFailed.of(*found)

    def _problems(self) -> Iterator[tuple[str, str]]:
        if problem := bases_problem(self.bases):
            yield "bases", problem
        if self.kind not in PART_KINDS:
            yield "kind", f"must be one of {', '.join(PART_KINDS)}"
        if problem := integer_problem(self.amount_minor, -MAX_MINOR_AMOUNT, MAX_MINOR_AMOUNT):
            yield "amount_minor", problem
        for name in ("part_id", "description"):
            text = getattr(self, name)
            if text is not None and (problem := string_problem(text, 1, MAX_TEXT)):
                yield name, problem
        if problem := rate_problem(self.rate):
            yield "rate", problem
        yield from self._problems_of_time()

    def _problems_of_time(self) -> Iterator[tuple[str, str]]:
        if problem := instant_problem(self.occurred_at):
            yield "occurred_at", problem
        elif self.until is not None:
            if problem := instant_problem(self.until):
                yield "until", problem
            elif not self.occurred_at <= self.until <= self.occurred_at + MAX_SERVICE:
                yield "until", "must be after occurred_at, by 50 years at most"


_FIRST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_LAST = datetime(LAST_YEAR, 1, 1, tzinfo=UTC) - MAX_SERVICE


def is_plain_instant(value: object) -> bool:
    """A time that needs no closer look."""
    return type(value) is datetime and value.tzinfo is UTC and _FIRST <= value < _LAST


def _are_plain_times(at: datetime, until: datetime | None) -> bool:
    """A moment, or a service, that needs no closer look: the bounds leave room for the longest."""
    return is_plain_instant(at) and (
        until is None
        or (type(until) is datetime and until.tzinfo is UTC and at <= until <= at + MAX_SERVICE)
    )


def is_plain_text(value: object, at_most: int = MAX_TEXT) -> bool:
    """A text that needs no closer look."""
    return type(value) is str and 1 <= len(value) <= at_most and value.isprintable()


def bases_problem(bases: Sequence[str]) -> str | None:
    """Some of ``BASES``, one at least."""
    if type(bases) is tuple and bases in _USUAL:
        return None
    known = bool(bases) and not isinstance(bases, str)
    return None if known and set(bases) <= set(BASES) else f"must be some of {', '.join(BASES)}"


def rate_problem(rate: object) -> str | None:
    """An annotation is a promise that a plugin may break."""
    return None if rate is None or isinstance(rate, ExchangeRate) else "must be an ExchangeRate"


def _digits(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(len(value.as_tuple().digits), abs(exponent) if isinstance(exponent, int) else 99)
