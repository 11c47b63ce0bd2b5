"""What was earned, as a revenue provider tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import msgspec

from nullspend_margins.domain.currency import REPORTING_CURRENCY, minor_digits_of
from nullspend_margins.domain.fields import instant_problem, integer_problem, string_problem
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue_part import (
    BASES,
    MAX_MINOR_AMOUNT,
    Basis,
    ExchangeRate,
    RevenuePart,
    bases_problem,
    is_plain_instant,
    is_plain_text,
    rate_problem,
)
from nullspend_margins.domain.text import MAX_TEXT, without_breaks
from nullspend_margins.errors import ValidationFailed

FactKind = Literal["invoice", "payment", "refund", "credit_note", "dispute"]
FACT_KINDS: tuple[FactKind, ...] = get_args(FactKind)
INVOICE: FactKind = "invoice"
MAX_PARTS = 20_000

# Field, least and most characters.
_TEXTS = (("object_id", 1, MAX_TEXT), ("currency", 1, 16))
_OPTIONAL_TEXTS = (
    ("customer_id", 1, MAX_TEXT),
    ("customer_name", 0, MAX_TEXT),
    ("customer_email", 0, MAX_TEXT),
    ("avatar_url", 0, 2048),
    ("suggested_tag", 1, MAX_TEXT),
)


class RevenueFact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One object of a provider that has to do with revenue: an invoice, a refund, a credit note.

    Keyed (org, provider, ``object_id``) and replaced, never added to. ``amount_minor`` is in the
    currency's minor unit (cents), ``currency`` a lower-case ISO 4217 code, ``occurred_at`` aware:
    for an invoice what it was paid and when it was made. ``minor_digits`` says how many digits of
    ``amount_minor`` are decimals, where that is not what ISO 4217 has (2 for most, 0 for ``jpy``).

    ``parts`` say what it adds to each basis of revenue; ``None`` is one part for all four:
    ``amount_minor``, at ``occurred_at``. ``kind``: only an ``invoice`` is counted as one. ``rate``
    is the rate at which the provider itself converted it, if it did. ``is_partial``: only what is
    of use in the window is told, of an object of other months; it never takes the place of the
    whole.

    ``suggested_tag`` is the tag value the provider's own records name for this customer (Stripe:
    the customer's metadata), the first rule of auto-matching. Texts have no control characters,
    but for tabs and line breaks in ``customer_name``, and 256 characters at most (``avatar_url``:
    2048). Raises ``ValidationFailed`` naming every field that is wrong.
    """

    object_id: str
    """The provider's own, 1 to 256 characters: the same object is replaced."""
    customer_id: str | None
    """The provider's own, 1 to 256 characters; without one the fact does not count."""
    amount_minor: int
    """In the currency's minor unit, up to 10^17 either way."""
    currency: str
    """ISO 4217 in lower case; others than ``usd`` count where they are converted."""
    occurred_at: datetime
    """Aware; the month of it, in UTC, is the fact's."""
    kind: FactKind = INVOICE
    """``invoice``, ``payment``, ``refund``, ``credit_note`` or ``dispute``."""
    parts: Sequence[RevenuePart] | None = None
    """20,000 at most; none in an empty sequence: it adds nothing."""
    rate: ExchangeRate | None = None
    """US dollars for a unit, if the provider converted it."""
    minor_digits: int | None = None
    """0 to 4; ``None`` is what ISO 4217 has."""
    is_partial: bool = False
    """Only a part of an object of other months is told."""
    customer_name: str | None = None
    """What people read, as the provider has it: 256 characters at most."""
    customer_email: str | None = None
    """256 characters at most."""
    avatar_url: str | None = None
    """A picture of the customer, 2,048 characters at most."""
    suggested_tag: str | None = None
    """The tag value to map the customer to, 1 to 256 characters."""

    def __post_init__(self) -> None:
        if not self._is_plainly_right():
            self._require_right()

    def _is_plainly_right(self) -> bool:
        """Of nearly every fact, in a fraction of the time that it takes to tell what is wrong."""
        return (
            type(self.amount_minor) is int
            and -MAX_MINOR_AMOUNT <= self.amount_minor <= MAX_MINOR_AMOUNT
            and self.kind in FACT_KINDS
            and self.rate is None
            and self.minor_digits is None
            and is_plain_instant(self.occurred_at)
            and is_plain_text(self.object_id)
            and is_plain_text(self.currency, 16)
            and (self.customer_id is None or is_plain_text(self.customer_id))
            and (self.customer_name is None or is_plain_text(self.customer_name))
            and (self.customer_email is None or is_plain_text(self.customer_email))
            and (self.avatar_url is None or is_plain_text(self.avatar_url))
            and (self.suggested_tag is None or is_plain_text(self.suggested_tag))
            and (self.parts is None or _are_parts(self.parts))
        )

    def _require_right(self) -> None:
        found = [
            (name, problem)
            for name, at_least, at_most in _TEXTS
            if (problem := string_problem(getattr(self, name), at_least, at_most))
        ]
        if problem := integer_problem(self.amount_minor, -MAX_MINOR_AMOUNT, MAX_MINOR_AMOUNT):
            found.append(("amount_minor", problem))
        if problem := instant_problem(self.occurred_at):
            found.append(("occurred_at", problem))
        for name, at_least, at_most in _OPTIONAL_TEXTS:
            text = getattr(self, name)
            if name == "customer_name" and isinstance(text, str):
                text = without_breaks(text)  # it is told as the provider has it
            if text is not None and (problem := string_problem(text, at_least, at_most)):
                found.append((name, problem))
        found += self._problems_of_bases()
        if found:
            raise ValidationFailed.of(*found)

    def _problems_of_bases(self) -> list[tuple[str, str]]:
        found = []
        if self.kind not in FACT_KINDS:
            found.append(("kind", f"must be one of {', '.join(FACT_KINDS)}"))
        if problem := rate_problem(self.rate):
            found.append(("rate", problem))
        if self.minor_digits is not None and (problem := integer_problem(self.minor_digits, 0, 4)):
            found.append(("minor_digits", problem))
        if self.parts is not None:
            if len(self.parts) > MAX_PARTS:
                found.append(("parts", f"must be {MAX_PARTS} at most"))
            if not all(isinstance(part, RevenuePart) for part in self.parts):
                found.append(("parts", "must be RevenueParts"))
        return found

    @property
    def all_parts(self) -> Sequence[RevenuePart]:
        """``parts``, or the one that stands for them."""
        if self.parts is not None:
            return self.parts
        return (
            RevenuePart(
                bases=BASES,
                kind=self.kind,
                amount_minor=self.amount_minor,
                occurred_at=self.occurred_at,
            ),
        )

    @property
    def is_foreign(self) -> bool:
        """In another currency than the reporting one."""
        return self.currency != REPORTING_CURRENCY

    @property
    def digits(self) -> int:
        """How many digits of its amounts are decimals."""
        known = self.minor_digits
        return minor_digits_of(self.currency) if known is None else known


_PARTS = {RevenuePart}


def _are_parts(parts: Sequence[object]) -> bool:
    return len(parts) <= MAX_PARTS and {type(part) for part in parts} <= _PARTS


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueGap:
    """Something that a credential may not read, and which bases are only approximate without it.

    Not an error: told among the facts, or by ``find_gaps``. ``permission`` is the provider's name
    for it, ``detail`` says in a sentence what is missing in the numbers, ``remedy_url`` is where
    people get a credential that may read all.
    """

    permission: str
    """The provider's own name for it, 1 to 256 characters."""
    bases: Sequence[Basis]
    """Those that are approximate without it, one at least."""
    detail: str
    """What is missing in the numbers, in a sentence of 500 characters at most."""
    remedy_url: str | None = None
    """Where people get a credential that may read all, 2,048 characters at most."""

    def __post_init__(self) -> None:
        found = []
        if problem := bases_problem(self.bases):
            found.append(("bases", problem))
        for name, most in (("permission", MAX_TEXT), ("detail", 500), ("remedy_url", 2048)):
            text = getattr(self, name)
            if (text is not None or name != "remedy_url") and (
                problem := string_problem(text, 1, most)
            ):
                found.append((name, problem))
        if found:
            raise ValidationFailed.of(*found)


@dataclass(frozen=True, slots=True)
class RevenueCursor:
    """How far a provider is, in its own words: told among the facts.

    Kept when the sync succeeds; the next one finds it as ``RevenueWindow.cursor``. The last one
    told counts. At most 4,000 characters.
    """

    text: str
    """1 to 4,000 characters."""

    def __post_init__(self) -> None:
        if problem := string_problem(self.text, 1, 4000):
            raise ValidationFailed.of(("text", problem))


RevenueItem = RevenueFact | RevenueGap | RevenueCursor
"""What a provider may tell in a page."""


@dataclass(frozen=True, slots=True)
class RevenueWindow:
    """The months a sync reads, first and last included.

    ``cursor`` is what the provider told last as ``RevenueCursor``; ``None`` the first time, and
    after a change of the credential. ``is_backfill``: months of long ago are brought; there is no
    need to look for what happened to others since. ``looks_back``: it is the first month of a
    backfill: of what was made before it, what was paid from it on and what accrues from it on is of
    use all the same. ``converts``: other currencies are converted, so that the provider's own rates
    are of use.
    """

    first: Period
    """The first month."""
    last: Period
    """The last month, included whole."""
    cursor: str | None = None
    """What was told last; ``None``: nothing."""
    is_backfill: bool = False
    """Months of long ago are brought, and no others."""
    converts: bool = False
    """Rates of the provider's own are of use."""
    looks_back: bool = False
    """What was made before the first month is of use, too."""

    @classmethod
    def ending(cls, now: datetime, months: int = 4) -> RevenueWindow:
        """The current month of ``now`` and the ones before it."""
        last = Period.containing(now)
        return cls(last.shift(1 - months), last)

    @property
    def periods(self) -> tuple[Period, ...]:
        """Every month of the window, oldest first."""
        return tuple(Period(index) for index in range(self.first.index, self.last.index + 1))
