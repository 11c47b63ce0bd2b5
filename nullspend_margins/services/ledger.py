"""An org's mappings joined with its revenue and costs, month by month: what margins are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any

from msgspec import Struct

from nullspend_margins.domain.margin import MonthAmounts
from nullspend_margins.domain.money import round_to_microdollars
from nullspend_margins.domain.period import Months
from nullspend_margins.domain.revenue_part import Basis
from nullspend_margins.services.cost_reader import CostColumns
from nullspend_margins.storage import month_revenue, revenue
from nullspend_margins.storage.customer_revenue import CustomerMonth
from nullspend_margins.storage.database import Transaction
from nullspend_margins.storage.month_revenue import MonthRevenue
from nullspend_margins.storage.revenue import CustomerProfile

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
    revenues: Sequence[int]
    costs: Sequence[int]
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
    tx: Transaction, org_id: str, months: Months, mapped: Mapped, costs: CostColumns, basis: Basis
) -> list[LedgerRow]:
    """One row for each tag value in ``mapped``, with all of its customers' revenue together."""
    before, latest = _revenue_columns(tx, org_id, months, mapped, basis)
    rows: dict[str, LedgerRow] = {}
    for provider in sorted(mapped, key=speaks_first):
        earlier = [column.get(provider, _NOBODY) for column in before]
        now = latest.get(provider, _NOBODY)
        for row in _rows_of(provider, mapped[provider], earlier, now, costs):
            known = rows.setdefault(row.tag_value, row)
            if known is not row:
                known.add(row.revenues, row.customer_name, row.avatar_url)
    _fill_names(tx, org_id, mapped, rows)
    return list(rows.values())


def _rows_of(
    provider: str,
    customers: Mapping[str, str],
    earlier: Sequence[Mapping[str, int]],
    now: Mapping[str, CustomerMonth],
    costs: CostColumns,
) -> Iterable[LedgerRow]:
    """One provider's customers. By columns: a table has thousands of rows, and few columns."""
    tags = customers.values()
    known = [*map(now.get, customers, repeat(_NOTHING))]
    revenues = [map(column.get, customers, repeat(0)) for column in earlier]
    # Rounded once, after all sources have been added up.
    spent = [round_to_microdollars(map(column.get, tags, repeat(0))) for column in costs]
    return map(
        LedgerRow,
        tags,
        repeat(provider),
        customers,
        zip(*revenues, map(itemgetter(0), known), strict=True),
        zip(*spent, strict=True),
        map(itemgetter(1), known),
        map(itemgetter(2), known),
    )


def _revenue_columns(
    tx: Transaction, org_id: str, months: Months, mapped: Mapped, basis: Basis
) -> tuple[list[MonthRevenue], Mapping[str, Mapping[str, CustomerMonth]]]:
    """The months before the last, and the last with what customers were called in it.

    One customer is read by its own index, many by one read of each month.
    """
    last = months.last
    before = Months(months.first, last.shift(-1))
    if sum(map(len, mapped.values())) > _FEW_CUSTOMERS:
        amounts = month_revenue.month_amounts(tx, org_id, before, basis)
        return amounts, month_revenue.month_customers(tx, org_id, last, basis)
    amounts = [{} for _ in before]
    latest: dict[str, dict[str, CustomerMonth]] = {}
    for provider, customers in mapped.items():
        for customer_id in customers:
            for month, *known in month_revenue.one_customer_months(
                tx, org_id, provider, customer_id, months, basis
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
    found: Sequence[CustomerProfile | None]
    if len(rows) <= _FEW_CUSTOMERS:
        found = [
            revenue.profile(tx, org_id, provider, customer_id)
            for provider, customers in mapped.items()
            for customer_id, tag_value in customers.items()
            if rows[tag_value].customer_name is None or rows[tag_value].avatar_url is None
        ]
    else:
        # Few providers tell pictures: with all names known there is nearly never one to read.
        nameless = any(row.customer_name is None for row in rows.values())
        found = revenue.customer_profiles(tx, org_id, pictured=not nameless)
    profiles = {(each.provider, each.customer_id): each for each in found if each is not None}
    for provider in sorted(mapped, key=speaks_first) if profiles else ():
        for customer_id, tag_value in mapped[provider].items():
            known = profiles.get((provider, customer_id))
            if known is not None:
                row = rows[tag_value]
                row.customer_name = row.customer_name or known.name
                row.avatar_url = row.avatar_url or known.avatar_url


def speaks_first(provider: str) -> tuple[bool, str]:
    """The order in which providers speak where one is asked for: Stripe's before the others."""
    return provider != STRIPE, provider
