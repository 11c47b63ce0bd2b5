"""One tag value's row of the ledger, from what was read of it alone."""

from __future__ import annotations

from collections.abc import Sequence

from nullspend_margins.domain.money import to_microdollars
from nullspend_margins.domain.period import Months
from nullspend_margins.errors import NotFound
from nullspend_margins.services.cost_reader import CostColumns
from nullspend_margins.services.ledger import LedgerRow, speaks_first
from nullspend_margins.storage.customer_revenue import CustomerMonth, MappedCustomer

_NOTHING: CustomerMonth = (0, None, None)


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
    return _named(row, customers)


def _told(customer: MappedCustomer, months: Months) -> tuple[list[int], str | None, str | None]:
    """The months' revenue, and what the customer was called in the last of them."""
    told = [customer.months.get(index, _NOTHING) for index in months.indexes]
    return [amount for amount, _, _ in told], told[-1][1], told[-1][2]


def _named(row: LedgerRow, customers: Sequence[MappedCustomer]) -> LedgerRow:
    """What the period's revenue did not tell: from the latest revenue of those customers."""
    if row.customer_name is None or row.avatar_url is None:
        for each in customers:
            row.customer_name = row.customer_name or each.name
            row.avatar_url = row.avatar_url or each.avatar_url
    return row
