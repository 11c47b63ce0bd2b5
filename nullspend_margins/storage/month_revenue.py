"""Revenue by month, every customer's. Money: microdollars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, case, func, select, true

from nullspend_margins.domain.period import Months, Period
from nullspend_margins.domain.revenue_part import BASES, Basis
from nullspend_margins.storage.bulk import json_object
from nullspend_margins.storage.customer_revenue import CustomerMonth, is_in
from nullspend_margins.storage.questions import OneOf, Question
from nullspend_margins.storage.tables import customer_months as months_table

Cell = TypeVar("Cell")
MonthRevenue = dict[str, dict[str, int]]
"""One month by provider and customer id, in microdollars."""


_amounts = msgspec.json.Decoder(dict[str, int])
_customers = msgspec.json.Decoder(dict[str, CustomerMonth])
_bases = msgspec.json.Decoder(dict[str, tuple[int, int, int, int]])


def _of_months(wanted: ColumnElement[bool], *columns: ColumnElement[Any]) -> Question:
    """Each month and provider with a JSON object of ``columns`` by customer id."""
    month, provider = months_table.c.month, months_table.c.provider
    return Question(
        lambda dialect: (
            select(month, provider, json_object(dialect, months_table.c.customer_id, *columns))
            .where(
                months_table.c.org_id == bindparam("org_id"),
                OneOf(month, "months"),
                wanted,
            )
            .group_by(month, provider)
        )
    )


_amounts_by: Mapping[Basis, Question] = {
    basis: _of_months(is_in(basis), months_table.c[basis]) for basis in BASES
}
_customers_by: Mapping[Basis, Question] = {
    basis: _of_months(
        is_in(basis),
        months_table.c[basis],
        months_table.c.customer_name,
        months_table.c.avatar_url,
    )
    for basis in BASES
}
_next_month = Question(
    select(func.min(months_table.c.month)).where(
        months_table.c.org_id == bindparam("org_id"), months_table.c.month > bindparam("after")
    )
)
_all_bases = _of_months(true(), *(months_table.c[basis] for basis in BASES))


def month_amounts(tx: Connection, org_id: str, months: Months, basis: Basis) -> list[MonthRevenue]:
    """What every customer with revenue in each month brought, by provider; months in order."""
    return _by_month(_amounts_by[basis], _amounts, tx, org_id, months)


def customer_totals(tx: Connection, org_id: str, basis: Basis) -> MonthRevenue:
    """What every customer brought by ``basis`` in all stored months together, by provider."""
    totals: MonthRevenue = {}
    # Month by month: half the time of a GROUP BY over all, in the memory of one.
    after = -1
    while (month := _next_month.rows(tx, org_id=org_id, after=after)[0][0]) is not None:
        period = Period(month)
        [found] = month_amounts(tx, org_id, Months(period, period), basis)
        for provider, amounts in found.items():
            known = totals.setdefault(provider, amounts)
            if known is not amounts:
                for customer_id, amount in amounts.items():
                    known[customer_id] = known.get(customer_id, 0) + amount
        after = month
    return totals


def month_customers(
    tx: Connection, org_id: str, period: Period, basis: Basis
) -> dict[str, dict[str, CustomerMonth]]:
    """The same of one month, with what the customers were called in it."""
    [found] = _by_month(_customers_by[basis], _customers, tx, org_id, Months(period, period))
    return found


def month_bases(
    tx: Connection, org_id: str, period: Period
) -> dict[str, dict[str, tuple[int, int, int, int]]]:
    """Every customer's revenue of one month by each basis, in the order of ``BASES``."""
    [found] = _by_month(_all_bases, _bases, tx, org_id, Months(period, period))
    return found


def _by_month(
    question: Question,
    decoder: msgspec.json.Decoder[dict[str, Cell]],
    tx: Connection,
    org_id: str,
    months: Months,
) -> list[dict[str, dict[str, Cell]]]:
    """All months in one question, since every question takes a round trip."""
    found: list[dict[str, dict[str, Cell]]] = [{} for _ in months]
    first = months.first.index
    for month, provider, customers in question.rows(tx, org_id=org_id, months=months.indexes):
        found[month - first][provider] = decoder.decode(customers)
    return found


def told_bases(tx: Connection, org_id: str, period: Period) -> list[Basis]:
    """The bases that any revenue of one month is in, in the order of ``BASES``."""
    table = months_table.c
    any_of = [func.max(case((table[basis] != 0, 1), else_=0)) for basis in BASES]
    wanted = select(*any_of).where(table.org_id == org_id, table.month == period.index)
    found = tx.execute(wanted).one()
    return [basis for basis, any_is in zip(BASES, found, strict=True) if any_is]


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
