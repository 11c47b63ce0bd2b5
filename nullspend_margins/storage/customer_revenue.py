"""One customer's revenue: its months, a month by every basis, and the facts that is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    or_,
    select,
)

from nullspend_margins.domain.period import Months, Period
from nullspend_margins.domain.revenue import FactKind
from nullspend_margins.domain.revenue_part import BASES, Basis
from nullspend_margins.storage.bulk import Row
from nullspend_margins.storage.questions import OneOf, Question
from nullspend_margins.storage.tables import (
    customer_months,
    mappings,
    revenue_customers,
    revenue_facts,
)

CustomerMonth = tuple[int, str | None, str | None]
"""Microdollars, name, avatar URL."""


class MappedCustomer(NamedTuple):
    """A provider's customer that is one tag value; name and avatar as its latest revenue tells.

    ``months`` are those with any revenue, by ``Period.index``.
    """

    provider: str
    customer_id: str
    name: str | None
    avatar_url: str | None
    months: dict[int, CustomerMonth]


class StoredFact(NamedTuple):
    """A fact as it is stored. ``parts`` is for ``revenue_parts.stored_parts``."""

    object_id: str
    kind: FactKind
    amount_minor: int
    currency: str
    minor_digits: int
    occurred_at: datetime
    parts: str | None


def is_in(basis: Basis) -> ColumnElement[bool]:
    """Rows of other bases alone are passed over; an invoice of nothing has a name to tell."""
    return or_(customer_months.c[basis] != 0, customer_months.c.invoice_count != 0)


def select_mapped(basis: Basis) -> Select[Any]:
    """Of ``org_id``, ``tag_key``, ``tag_value`` and ``months``."""
    pair, known, month = mappings.c, revenue_customers.c, customer_months.c
    org_id: BindParameter[str] = bindparam("org_id")
    is_known = and_(
        known.org_id == org_id,
        known.provider == pair.provider,
        known.customer_id == pair.customer_id,
    )
    has_month = and_(
        month.org_id == org_id,
        # Equality on each month, not a range: the key continues with the customer.
        OneOf(month.month, "months"),
        month.provider == pair.provider,
        month.customer_id == pair.customer_id,
        is_in(basis),
    )
    return (
        select(
            *(pair.provider, pair.customer_id, known.name, known.avatar_url),
            *(month.month, month[basis], month.customer_name, month.avatar_url),
        )
        .select_from(
            mappings.outerjoin(revenue_customers, is_known).outerjoin(customer_months, has_month)
        )
        .where(
            pair.org_id == org_id,
            pair.tag_key == bindparam("tag_key"),
            pair.tag_value == bindparam("tag_value"),
        )
    )


_mapped_by: Mapping[Basis, Question] = {basis: Question(select_mapped(basis)) for basis in BASES}
_bases = Question(
    select(*(customer_months.c[basis] for basis in BASES)).where(
        customer_months.c.org_id == bindparam("org_id"),
        customer_months.c.month == bindparam("month"),
        customer_months.c.provider == bindparam("provider"),
        customer_months.c.customer_id == bindparam("customer_id"),
    )
)


def mapped_customers(
    tx: Connection, org_id: str, tag_key: str, tag_value: str, months: Months, basis: Basis
) -> list[MappedCustomer]:
    """Every provider's customer that is this tag value, one of each provider."""
    return gathered(
        _mapped_by[basis].rows(
            tx, org_id=org_id, tag_key=tag_key, tag_value=tag_value, months=months.indexes
        )
    )


def gathered(rows: Iterable[Row]) -> list[MappedCustomer]:
    """What ``select_mapped`` found: a row for each customer and month, one if there is none."""
    customers: dict[str, MappedCustomer] = {}
    for provider, customer_id, name, avatar_url, month, *told in rows:
        customer = customers.get(provider)
        if customer is None:
            customer = MappedCustomer(provider, customer_id, name, avatar_url, {})
            customers[provider] = customer
        if month is not None:
            customer.months[month] = told[0], told[1], told[2]
    return [*customers.values()]


def customer_bases(
    tx: Connection, org_id: str, provider: str, customer_id: str, period: Period
) -> Sequence[int]:
    """Microdollars in the order of ``BASES``."""
    found = _bases.rows(
        tx, org_id=org_id, month=period.index, provider=provider, customer_id=customer_id
    )
    return found[0] if found else (0,) * len(BASES)


def customer_facts(
    tx: Connection, org_id: str, provider: str, customer_id: str, period: Period
) -> list[StoredFact]:
    """The counted facts that are revenue of one customer in one month, by any basis, in order.

    Every fact of the customer is looked at: a service may have been paid long before or after.
    """
    facts = revenue_facts.c
    found = tx.execute(
        select(*(facts[name] for name in StoredFact._fields))
        .where(
            facts.org_id == org_id,
            facts.provider == provider,
            facts.customer_id == customer_id,
            facts.counted == 1,
            facts.cells.contains(f"[{period.index},"),
        )
        .order_by(facts.occurred_at, facts.object_id)
    )
    return [StoredFact._make(row) for row in found]
