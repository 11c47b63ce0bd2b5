"""An org's mappings joined with its revenue and costs, month by month: what margins are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from nullspend_margins.domain.margin import MonthAmounts
from nullspend_margins.domain.money import round_to_microdollars
from nullspend_margins.domain.period import Months
from nullspend_margins.services.cost_reader import CostColumns
from nullspend_margins.storage import revenue
from nullspend_margins.storage.database import Transaction
from nullspend_margins.storage.revenue import CustomerMonth, CustomerProfile, MonthRevenue

STRIPE = "stripe"
_FEW_CUSTOMERS = 10
_NOTHING: CustomerMonth = (0, None, None)
_NOBODY: Mapping[str, Any] = {}

Mapped = Mapping[str, Mapping[str, str]]
"""Mappings as the join needs them: tag value by provider and customer id."""


class LedgerRow(Struct, gc=False):
    """One tag value with its months, oldest first, in microdollars.

    ``provider`` and ``customer_id`` are Stripe's where one of the mapped customers is Stripe's,
    else the first other provider's.
    """

    tag_value: str
    provider: str
    customer_id: str
    revenues: list[int]
    costs: list[int]
    customer_name: str | None = None
    avatar_url: str | None = None

    def amounts(self, offset: int) -> MonthAmounts:
        """One month: 0 is the oldest."""
        return MonthAmounts(self.revenues[offset], self.costs[offset])

    def add(self, revenues: Sequence[int], name: str | None, avatar_url: str | None) -> None:
        """Another provider's customer of the same tag value."""
        self.revenues = [sum(month) for month in zip(self.revenues, revenues, strict=True)]
        self.customer_name = self.customer_name or name
        self.avatar_url = self.avatar_url or avatar_url


def read_ledger(
    tx: Transaction, org_id: str, months: Months, mapped: Mapped, costs: CostColumns
) -> list[LedgerRow]:
    """One row for each tag value in ``mapped``, with all of its customers' revenue together."""
    before, latest = _revenue_columns(tx, org_id, months, mapped)
    rows: dict[str, LedgerRow] = {}
    for provider in sorted(mapped, key=speaks_first):
        earlier = [column.get(provider, _NOBODY) for column in before]
        now = latest.get(provider, _NOBODY)
        for customer_id, tag_value in mapped[provider].items():
            revenue_now, name, avatar_url = now.get(customer_id, _NOTHING)
            revenues = [*[column.get(customer_id, 0) for column in earlier], revenue_now]
            row = rows.get(tag_value)
            if row is None:
                # Rounded once, after all sources have been added up.
                spent = round_to_microdollars([column.get(tag_value, 0) for column in costs])
                rows[tag_value] = LedgerRow(
                    tag_value, provider, customer_id, revenues, spent, name, avatar_url
                )
            else:
                row.add(revenues, name, avatar_url)
    _fill_names(tx, org_id, mapped, rows)
    return list(rows.values())


def _revenue_columns(
    tx: Transaction, org_id: str, months: Months, mapped: Mapped
) -> tuple[list[MonthRevenue], Mapping[str, Mapping[str, CustomerMonth]]]:
    """The months before the last, and the last with what customers were called in it.

    One customer is read by its own index, many by one read of each month.
    """
    *before, last = months
    if sum(map(len, mapped.values())) > _FEW_CUSTOMERS:
        amounts = [revenue.month_amounts(tx, org_id, period) for period in before]
        return amounts, revenue.month_customers(tx, org_id, last)
    amounts = [{} for _ in before]
    latest: dict[str, dict[str, CustomerMonth]] = {}
    for provider, customers in mapped.items():
        for customer_id in customers:
            for month, *known in revenue.one_customer_months(
                tx, org_id, provider, customer_id, months.first, last
            ):
                if month == last.index:
                    latest.setdefault(provider, {})[customer_id] = known[0], known[1], known[2]
                else:
                    of_provider = amounts[month - months.first.index].setdefault(provider, {})
                    of_provider[customer_id] = known[0]
    return amounts, latest


def _fill_names(
    tx: Transaction, org_id: str, mapped: Mapped, rows: Mapping[str, LedgerRow]
) -> None:
    """What the period's revenue did not tell: from the latest revenue of those customers."""
    lacking = [
        (provider, customer_id, rows[tag_value])
        for provider in sorted(mapped, key=speaks_first)
        for customer_id, tag_value in mapped[provider].items()
        if rows[tag_value].customer_name is None or rows[tag_value].avatar_url is None
    ]
    found: Sequence[CustomerProfile | None]
    if len(lacking) <= _FEW_CUSTOMERS:
        found = [revenue.profile(tx, org_id, *customer) for *customer, _ in lacking]
    else:
        # Few providers tell pictures: with all names known there is nearly never one to read.
        nameless = any(row.customer_name is None for *_, row in lacking)
        found = revenue.customer_profiles(tx, org_id, pictured=not nameless)
    profiles = {(each.provider, each.customer_id): each for each in found if each is not None}
    for provider, customer_id, row in lacking if profiles else ():
        known = profiles.get((provider, customer_id))
        if known is not None:
            row.customer_name = row.customer_name or known.name
            row.avatar_url = row.avatar_url or known.avatar_url


def speaks_first(provider: str) -> tuple[bool, str]:
    """The order in which providers speak where one is asked for: Stripe's before the others."""
    return provider != STRIPE, provider
