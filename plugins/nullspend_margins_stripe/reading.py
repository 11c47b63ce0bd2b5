"""What the cursors of one sync share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from nullspend_margins import Period, RevenueWindow
from nullspend_margins_stripe.customers import CustomerRecords
from nullspend_margins_stripe.objects import (
    Charge,
    CreditNote,
    Dispute,
    Event,
    Invoice,
    InvoicePayment,
    Refund,
    is_of,
)
from nullspend_margins_stripe.optional_lists import OptionalLists
from nullspend_margins_stripe.rate_book import RateBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One sync: its window, what counts for its key, and what it has found out so far."""

    window: RevenueWindow
    now: datetime
    page_size: int
    tag_key: str
    late_months: int
    livemode: bool
    test_clocks: bool
    lists: OptionalLists
    rates: RateBook
    customers: CustomerRecords = field(default_factory=CustomerRecords)

    def counts(
        self, one: Invoice | Refund | CreditNote | Dispute | Charge | InvoicePayment | Event
    ) -> bool:
        """Whether it is of the key's mode, and its time is real."""
        return is_of(one, livemode=self.livemode, test_clocks=self.test_clocks)

    @property
    def doubts_clocks(self) -> bool:
        """Whether there may be objects of a test clock, and they must not count."""
        return not self.livemode and not self.test_clocks

    def is_old(self, created: int) -> bool:
        """Made before the window."""
        return created < seconds(self.window.first)

    def is_in(self, created: int) -> bool:
        """Made in the window."""
        return seconds(self.window.first) <= created < seconds(self.window.last.shift(1))

    def made(self, *, earlier: int = 0) -> dict[str, str | int]:
        """The parameters of a list of what was made in the window, or so many months earlier."""
        window = self.window
        return self.created(window.first.shift(-earlier), window.last.shift(1))

    def created(self, first: Period, end: Period) -> dict[str, str | int]:
        """The parameters of a list of what was made from ``first`` up to the start of ``end``."""
        return {
            "created[gte]": seconds(first),
            "created[lt]": seconds(end),
            "limit": self.page_size,
        }


def seconds(start_of: Period) -> int:
    """The start of a month in Unix seconds."""
    return int(start_of.start.timestamp())
