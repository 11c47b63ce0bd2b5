"""What was earned, as a revenue provider tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nullspend_margins.domain.fields import instant_problem, integer_problem, string_problem
from nullspend_margins.domain.money import MICRODOLLARS_PER_CENT
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.text import MAX_TEXT
from nullspend_margins.errors import ValidationFailed

REPORTING_CURRENCY = "usd"
MAX_MINOR_AMOUNT = (2**63 - 1) // MICRODOLLARS_PER_CENT
"""About 9.2 trillion dollars: its microdollars fit 64 bits."""

# Field, least and most characters.
_TEXTS = (("object_id", 1, MAX_TEXT), ("currency", 1, 16))
_OPTIONAL_TEXTS = (
    ("customer_id", 1, MAX_TEXT),
    ("customer_name", 0, MAX_TEXT),
    ("customer_email", 0, MAX_TEXT),
    ("avatar_url", 0, 2048),
    ("suggested_tag", 1, MAX_TEXT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueFact:
    """One paid invoice (or what the provider has in its place).

    Keyed (org, provider, ``object_id``) and replaced, never added to. ``amount_minor`` is in the
    currency's minor unit (cents), ``currency`` a lower-case ISO 4217 code, ``occurred_at`` aware.
    ``suggested_tag`` is the tag value the provider's own records name for this customer (Stripe:
    the customer's metadata), the first rule of auto-matching. Texts have no control characters,
    and 256 characters at most (``avatar_url``: 2048). Raises ``ValidationFailed`` naming every
    field that is wrong.
    """

    object_id: str
    customer_id: str | None
    amount_minor: int
    currency: str
    occurred_at: datetime
    customer_name: str | None = None
    customer_email: str | None = None
    avatar_url: str | None = None
    suggested_tag: str | None = None

    def __post_init__(self) -> None:
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
            if text is not None and (problem := string_problem(text, at_least, at_most)):
                found.append((name, problem))
        if found:
            raise ValidationFailed.of(*found)

    @property
    def is_foreign(self) -> bool:
        """In another currency than the reporting one."""
        return self.currency != REPORTING_CURRENCY

    @property
    def is_counted(self) -> bool:
        """Counts as revenue: in the reporting currency and of a known customer."""
        return self.customer_id is not None and not self.is_foreign

    @property
    def amount_microdollars(self) -> int:
        """The amount in microdollars, 0 when it does not count."""
        return self.amount_minor * MICRODOLLARS_PER_CENT if self.is_counted else 0


@dataclass(frozen=True, slots=True)
class RevenueWindow:
    """The months a sync reads, first and last included."""

    first: Period
    last: Period

    @classmethod
    def ending(cls, now: datetime, months: int = 4) -> RevenueWindow:
        """The current month of ``now`` and the ones before it."""
        last = Period.containing(now)
        return cls(last.shift(1 - months), last)

    @property
    def periods(self) -> tuple[Period, ...]:
        """Every month of the window, oldest first."""
        return tuple(Period(index) for index in range(self.first.index, self.last.index + 1))
