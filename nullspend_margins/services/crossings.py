"""Finds the customers whose health tier got worse, among the numbers a sync has just written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from nullspend_margins.domain.cost import MonthCost
from nullspend_margins.domain.crossing import (
    THRESHOLD_CROSSED,
    Crossing,
    awaits_invoice,
    crossing_occasion,
    may_await_invoice,
    tier_change,
)
from nullspend_margins.domain.health import HealthThresholds, HealthTier
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.period import Months, Period
from nullspend_margins.domain.revenue_part import Basis
from nullspend_margins.services.cost_reader import CostReader
from nullspend_margins.services.ledger import LedgerRow, Mapped, read_ledger
from nullspend_margins.storage import alerts, mappings, month_revenue
from nullspend_margins.storage.alerts import Raised
from nullspend_margins.storage.database import Transaction

Customer = tuple[str, str]
"""Provider and customer id."""


class CrossingFinder:
    """Compares each customer's period with the one before."""

    def __init__(self, costs: CostReader, thresholds: HealthThresholds, basis: Basis) -> None:
        self._costs = costs
        self._thresholds = thresholds
        self._basis = basis

    def months(self, now: datetime) -> Months:
        """The two months a crossing is judged by."""
        current = Period.containing(now)
        return Months(current.shift(-1), current)

    def find(
        self, tx: Transaction, org_id: str, now: datetime, remote: Sequence[MonthCost]
    ) -> Iterator[Crossing]:
        """Those that no alert was written for, and that no invoice is awaited from.

        ``remote`` is what the sources outside of the database say of these months.
        """
        months = self.months(now)
        costs = self._costs.columns(tx, org_id, months, remote)
        mapped = mappings.tag_values(tx, org_id, CUSTOMER_TAG_KEY)
        occasions = [crossing_occasion(months.last, tier) for tier in HealthTier]
        raised = alerts.raised(tx, org_id, THRESHOLD_CROSSED, occasions)
        customers = _by_tag(mapped)
        invoices: Mapping[Customer, datetime] | None = None  # read once, and only where needed
        for row in read_ledger(tx, org_id, months, mapped, costs, self._basis):
            crossing = self._crossing(row, months.last)
            if crossing is None or _is_raised(crossing, customers[row.tag_value], raised):
                continue
            if may_await_invoice(crossing.previous, crossing.current):
                if invoices is None:
                    invoices = month_revenue.last_invoices(tx, org_id, months.first)
                if awaits_invoice(_last_invoice(invoices, customers[row.tag_value]), now):
                    continue
            yield crossing

    def _crossing(self, row: LedgerRow, period: Period) -> Crossing | None:
        previous, current = row.amounts(0), row.amounts(1)
        tiers = tier_change(previous, current, self._thresholds)
        if tiers is None:
            return None
        return Crossing(
            provider=row.provider,
            customer_id=row.customer_id,
            customer_name=row.customer_name,
            tag_value=row.tag_value,
            period=period,
            previous=previous,
            current=current,
            previous_tier=tiers[0],
            current_tier=tiers[1],
        )


def _by_tag(mapped: Mapped) -> dict[str, list[Customer]]:
    found: dict[str, list[Customer]] = {}
    for provider, customers in mapped.items():
        for customer_id, tag_value in customers.items():
            found.setdefault(tag_value, []).append((provider, customer_id))
    return found


def _is_raised(crossing: Crossing, customers: Sequence[Customer], raised: set[Raised]) -> bool:
    """Under any of the row's customers: which one stands for it changes with the mappings."""
    return any(Raised(*customer, crossing.occasion) in raised for customer in customers)


def _last_invoice(
    invoices: Mapping[Customer, datetime], customers: Sequence[Customer]
) -> datetime | None:
    """The latest of all the row's customers, whoever their provider is."""
    found = [invoices[customer] for customer in customers if customer in invoices]
    return max(found, default=None)
