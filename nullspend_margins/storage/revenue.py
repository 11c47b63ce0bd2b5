"""Revenue as it is read: by customer and month, and by customer. Money: microdollars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, func, select, true

from nullspend_margins.domain.period import Months, Period
from nullspend_margins.domain.revenue_part import BASES, Basis
from nullspend_margins.storage.applying import apply_staged
from nullspend_margins.storage.bulk import Row, fetch_tuples, json_object
from nullspend_margins.storage.customer_revenue import (
    CustomerMonth,
    MappedCustomer,
    StoredFact,
    customer_bases,
    customer_facts,
    is_in,
    mapped_customers,
)
from nullspend_margins.storage.questions import Question
from nullspend_margins.storage.staging import (
    StagedReport,
    discard_staged,
    fact_rows,
    stage,
    staged_customers,
    staged_report,
    whole_objects,
)
from nullspend_margins.storage.sums import halves, joined
from nullspend_margins.storage.tables import (
    customer_months as months_table,
)
from nullspend_margins.storage.tables import (
    mappings,
    revenue_customers,
    revenue_facts,
    revenue_staging,
)

__all__ = [
    "CustomerMonth",
    "CustomerProfile",
    "MappedCustomer",
    "MonthRevenue",
    "StagedReport",
    "StoredFact",
    "any_customer",
    "apply_staged",
    "customer_bases",
    "customer_facts",
    "customer_profiles",
    "delete_provider",
    "discard_staged",
    "fact_rows",
    "last_invoices",
    "mapped_customers",
    "month_amounts",
    "month_bases",
    "month_customers",
    "one_customer_months",
    "profile",
    "stage",
    "staged_customers",
    "staged_report",
    "told_bases",
    "unmatched_customers",
    "whole_objects",
]


MonthRevenue = dict[str, dict[str, int]]
"""One month by provider and customer id, in microdollars."""


class CustomerProfile(NamedTuple):
    """What is known of one provider's customer, and all its revenue of the stored months.

    By ``invoiced``, unless another basis was asked for.
    """

    provider: str
    customer_id: str
    name: str | None
    email: str | None
    avatar_url: str | None
    total_microdollars: int


def _one_customer(basis: Basis) -> Question:
    months = months_table.c
    return Question(
        select(months.month, months[basis], months.customer_name, months.avatar_url).where(
            months.org_id == bindparam("org_id"),
            # Equality on each month, not a range: the key continues with the customer.
            months.month.in_(bindparam("months", expanding=True)),
            months.provider == bindparam("provider"),
            months.customer_id == bindparam("customer_id"),
            is_in(basis),
        )
    )


_one_customer_by: Mapping[Basis, Question] = {basis: _one_customer(basis) for basis in BASES}


_amounts = msgspec.json.Decoder(dict[str, int])
_customers = msgspec.json.Decoder(dict[str, CustomerMonth])
_bases = msgspec.json.Decoder(dict[str, tuple[int, int, int, int]])

_profiles = select(
    revenue_customers.c.provider,
    revenue_customers.c.customer_id,
    revenue_customers.c.name,
    revenue_customers.c.email,
    revenue_customers.c.avatar_url,
    revenue_customers.c.total_microdollars,
).where(revenue_customers.c.org_id == bindparam("org_id"))
_all_profiles = Question(_profiles)
_pictured_profiles = Question(_profiles.where(revenue_customers.c.avatar_url.is_not(None)))
_one_profile = Question(
    _profiles.where(
        revenue_customers.c.provider == bindparam("provider"),
        revenue_customers.c.customer_id == bindparam("customer_id"),
    )
)


def _of_month(wanted: ColumnElement[bool], *columns: ColumnElement[Any]) -> Question:
    """Each provider with a JSON object of ``columns`` by customer id, in one month."""
    return Question(
        lambda dialect: (
            select(
                months_table.c.provider,
                json_object(dialect, months_table.c.customer_id, *columns),
            )
            .where(
                months_table.c.org_id == bindparam("org_id"),
                months_table.c.month == bindparam("month"),
                wanted,
            )
            .group_by(months_table.c.provider)
        )
    )


_amounts_by: Mapping[Basis, Question] = {
    basis: _of_month(is_in(basis), months_table.c[basis]) for basis in BASES
}
_customers_by: Mapping[Basis, Question] = {
    basis: _of_month(
        is_in(basis),
        months_table.c[basis],
        months_table.c.customer_name,
        months_table.c.avatar_url,
    )
    for basis in BASES
}
_all_bases = _of_month(true(), *(months_table.c[basis] for basis in BASES))


def month_amounts(tx: Connection, org_id: str, period: Period, basis: Basis) -> MonthRevenue:
    """What every customer with revenue in one month brought."""
    found = _amounts_by[basis].rows(tx, org_id=org_id, month=period.index)
    return {provider: _amounts.decode(customers) for provider, customers in found}


def month_customers(
    tx: Connection, org_id: str, period: Period, basis: Basis
) -> dict[str, dict[str, CustomerMonth]]:
    """The same, with what the customers were called in that month."""
    found = _customers_by[basis].rows(tx, org_id=org_id, month=period.index)
    return {provider: _customers.decode(customers) for provider, customers in found}


def month_bases(
    tx: Connection, org_id: str, period: Period
) -> dict[str, dict[str, tuple[int, int, int, int]]]:
    """Every customer's revenue of one month by each basis, in the order of ``BASES``."""
    found = _all_bases.rows(tx, org_id=org_id, month=period.index)
    return {provider: _bases.decode(customers) for provider, customers in found}


def told_bases(tx: Connection, org_id: str, period: Period) -> list[Basis]:
    """The bases that any revenue of one month is in, in the order of ``BASES``."""
    table = months_table.c
    any_of = [func.max(case((table[basis] != 0, 1), else_=0)) for basis in BASES]
    wanted = select(*any_of).where(table.org_id == org_id, table.month == period.index)
    found = tx.execute(wanted).one()
    return [basis for basis, any_is in zip(BASES, found, strict=True) if any_is]


def one_customer_months(
    tx: Connection, org_id: str, provider: str, customer_id: str, months: Months, basis: Basis
) -> Sequence[Row]:
    """One customer's (month index, microdollars, name, avatar URL) in each month with any."""
    return _one_customer_by[basis].rows(
        tx,
        org_id=org_id,
        months=months.indexes,
        provider=provider,
        customer_id=customer_id,
    )


def last_invoices(tx: Connection, org_id: str, period: Period) -> dict[tuple[str, str], datetime]:
    """When each customer's last invoice of one month was made, UTC, by (provider, customer id)."""
    found = tx.execute(
        select(
            months_table.c.provider, months_table.c.customer_id, months_table.c.last_invoice_at
        ).where(
            months_table.c.org_id == org_id,
            months_table.c.month == period.index,
            months_table.c.invoice_count > 0,
        )
    )
    return {(provider, customer_id): moment for provider, customer_id, moment in found}


def customer_profiles(
    tx: Connection, org_id: str, *, pictured: bool = False
) -> list[CustomerProfile]:
    """Every customer of the org's revenue, of all providers; ``pictured``: with an avatar."""
    asked = _pictured_profiles if pictured else _all_profiles
    return [*map(CustomerProfile._make, asked.rows(tx, org_id=org_id))]


def profile(tx: Connection, org_id: str, provider: str, customer_id: str) -> CustomerProfile | None:
    """One customer, or ``None`` when no revenue names it."""
    found = _one_profile.rows(tx, org_id=org_id, provider=provider, customer_id=customer_id)
    return CustomerProfile._make(found[0]) if found else None


def unmatched_customers(
    tx: Connection, org_id: str, tag_key: str, basis: Basis
) -> list[CustomerProfile]:
    """Customers with revenue that no mapping of ``tag_key`` names, largest total first.

    The totals are by ``basis``: an annual plan of long ago may be revenue by no other than one.
    """
    # Joined here: PostgreSQL may have no statistics yet on tables that a sync has just filled.
    mapped = set(
        fetch_tuples(
            tx,
            select(mappings.c.provider, mappings.c.customer_id).where(
                mappings.c.org_id == org_id, mappings.c.tag_key == tag_key
            ),
            {},
        )
    )
    found = [
        customer
        for customer in _profiles_by(tx, org_id, basis)
        if customer.total_microdollars and customer[:2] not in mapped
    ]
    return sorted(
        found,
        key=lambda customer: (
            -customer.total_microdollars,
            customer.provider,
            customer.customer_id,
        ),
    )


def _profiles_by(tx: Connection, org_id: str, basis: Basis) -> Iterable[CustomerProfile]:
    """Every customer with its total by one basis; that of ``invoiced`` is kept with it."""
    if basis == "invoiced":
        return customer_profiles(tx, org_id)
    months = months_table.c
    pair = months.provider, months.customer_id
    sums = select(*pair, *halves(months[basis])).where(months.org_id == org_id).group_by(*pair)
    totals = {(row[0], row[1]): joined(row[2], row[3]) for row in tx.execute(sums)}
    return [
        each._replace(total_microdollars=totals.get((each.provider, each.customer_id), 0))
        for each in customer_profiles(tx, org_id)
    ]


def any_customer(tx: Connection, org_id: str, provider: str) -> str | None:
    """The id of the customer with the latest invoice; ``None`` when there is no revenue yet."""
    found: str | None = tx.scalar(
        select(revenue_customers.c.customer_id)
        .where(revenue_customers.c.org_id == org_id, revenue_customers.c.provider == provider)
        .order_by(revenue_customers.c.last_invoice_at.desc(), revenue_customers.c.customer_id)
        .limit(1)
    )
    return found


def delete_provider(tx: Connection, org_id: str, provider: str) -> None:
    """Forget all revenue of one provider, what is staged included."""
    for table in (revenue_staging, revenue_facts, months_table, revenue_customers):
        tx.execute(delete(table).where(table.c.org_id == org_id, table.c.provider == provider))
