"""An org's mappings joined with its revenue and costs, month by month: what margins are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any

from msgspec import Struct

from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.margin import MonthAmounts
from nullspend_margins.domain.money import round_to_microdollars, to_microdollars
from nullspend_margins.domain.period import Months
from nullspend_margins.domain.revenue_part import Basis
from nullspend_margins.errors import NotFound
from nullspend_margins.services.cost_reader import CostColumns
from nullspend_margins.storage import month_revenue, revenue
from nullspend_margins.storage.customer_revenue import (
    CustomerMonth,
    MappedCustomer,
    mapped_customers,
)
from nullspend_margins.storage.database import Transaction

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
        self.fill(name, avatar_url)

    def fill(self, name: str | None, avatar_url: str | None) -> None:
        """What nobody told before."""
        self.customer_name = self.customer_name or name
        self.avatar_url = self.avatar_url or avatar_url


def read_ledger(
    tx: Transaction, org_id: str, months: Months, mapped: Mapped, costs: CostColumns, basis: Basis
) -> list[LedgerRow]:
    """One row for each tag value in ``mapped``, with all of its customers' revenue together.

    A few are read one by one by their own index, many by one read of each month.
    """
    if sum(map(len, mapped.values())) <= _FEW_CUSTOMERS:
        return _few_rows(tx, org_id, months, mapped, costs, basis)
    before = Months(months.first, months.last.shift(-1))
    amounts = month_revenue.month_amounts(tx, org_id, before, basis)
    latest = month_revenue.month_customers(tx, org_id, months.last, basis)
    rows: dict[str, LedgerRow] = {}
    for provider in sorted(mapped, key=speaks_first):
        earlier = [column.get(provider, _NOBODY) for column in amounts]
        now = latest.get(provider, _NOBODY)
        for row in _rows_of(provider, mapped[provider], earlier, now, costs):
            known = rows.setdefault(row.tag_value, row)
            if known is not row:
                known.add(row.revenues, row.customer_name, row.avatar_url)
    _fill_names(tx, org_id, mapped, rows)
    return list(rows.values())


def customer_row(
    tag_value: str, customers: Sequence[MappedCustomer], months: Months, costs: CostColumns
) -> LedgerRow:
    """The revenue of all ``customers`` that are a tag value together, beside its costs.

    Raises ``NotFound`` when there are none: no mapping has the tag value.
    """
    if not customers:
        raise NotFound(f"No customer is mapped to the tag value {tag_value!r}.")
    customers = sorted(customers, key=lambda each: speaks_first(each.provider))
    first, *others = customers
    # Rounded once, after all sources have been added up.
    spent = [to_microdollars(column.get(tag_value, 0)) for column in costs]
    revenues, name, avatar_url = _told(first, months)
    row = LedgerRow(tag_value, first.provider, first.customer_id, revenues, spent, name, avatar_url)
    for each in others:
        row.add(*_told(each, months))
    for each in customers:
        row.fill(each.name, each.avatar_url)
    return row


def _told(customer: MappedCustomer, months: Months) -> tuple[list[int], str | None, str | None]:
    """The months' revenue, and what the customer was called in the last of them."""
    told = [customer.months.get(index, _NOTHING) for index in months.indexes]
    return [amount for amount, _, _ in told], told[-1][1], told[-1][2]


def _few_rows(
    tx: Transaction, org_id: str, months: Months, mapped: Mapped, costs: CostColumns, basis: Basis
) -> list[LedgerRow]:
    tags = {tag_value for customers in mapped.values() for tag_value in customers.values()}
    found = {
        tag_value: mapped_customers(tx, org_id, CUSTOMER_TAG_KEY, tag_value, months, basis)
        for tag_value in sorted(tags)
    }
    return [
        customer_row(tag_value, customers, months, costs)
        for tag_value, customers in found.items()
        if customers
    ]


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


def _fill_names(
    tx: Transaction, org_id: str, mapped: Mapped, rows: Mapping[str, LedgerRow]
) -> None:
    """What the period's revenue did not tell: from the latest revenue of those customers."""
    # Few providers tell pictures: with all names known there is nearly never one to read.
    nameless = any(row.customer_name is None for row in rows.values())
    found = revenue.customer_profiles(tx, org_id, pictured=not nameless)
    profiles = {(each.provider, each.customer_id): each for each in found}
    for provider in sorted(mapped, key=speaks_first) if profiles else ():
        for customer_id, tag_value in mapped[provider].items():
            known = profiles.get((provider, customer_id))
            if known is not None:
                rows[tag_value].fill(known.name, known.avatar_url)


def speaks_first(provider: str) -> tuple[bool, str]:
    """The order in which providers speak where one is asked for: Stripe's before the others."""
    return provider != STRIPE, provider
