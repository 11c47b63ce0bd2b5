"""Rebuilds what revenue facts add up to. Rebuilt, never incremented: it cannot drift."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Over,
    Select,
    Table,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from nullspend_margins.errors import ValidationFailed
from nullspend_margins.storage.dialects import is_among, is_overflow
from nullspend_margins.storage.tables import customer_months, revenue_customers, revenue_facts

INVOICED = "invoiced"
"""The one basis of revenue today: what was paid, in the month the invoice was made."""

_AT_ONCE = 500
_facts = revenue_facts.c


def rebuild(
    tx: Connection, org_id: str, provider: str, touched: Collection[tuple[str | None, int]]
) -> None:
    """Rebuild the (customer, month) pairs in ``touched``, and those customers' profiles.

    Facts without a customer belong to no pair and are passed over. Raises ``ValidationFailed``
    when a sum exceeds 2^63 microdollars.
    """
    months = sorted({month for _, month in touched})
    customers = sorted({customer for customer, _ in touched if customer is not None})
    try:
        for start in range(0, len(customers), _AT_ONCE):
            some = customers[start : start + _AT_ONCE]
            _rebuild_months(tx, org_id, provider, some, months)
            _rebuild_customers(tx, org_id, provider, some)
    except (DataError, IntegrityError, OperationalError) as problem:
        if is_overflow(problem):
            raise ValidationFailed(
                "A customer's revenue is beyond 9.2 trillion dollars, more than can be stored."
            ) from problem
        raise


def _rebuild_months(
    tx: Connection, org_id: str, provider: str, customers: list[str], months: list[int]
) -> None:
    table = customer_months.c
    tx.execute(
        delete(customer_months).where(
            table.org_id == org_id,
            table.basis == INVOICED,
            table.month.in_(months),
            table.provider == provider,
            is_among(tx, table.customer_id, customers),
        )
    )
    counted = and_(
        _facts.org_id == org_id,
        _facts.provider == provider,
        is_among(tx, _facts.customer_id, customers),
        _facts.month.in_(months),
        _facts.counted == 1,
    )
    one = _with_sums(counted).subquery()
    names = [
        "org_id", "basis", "provider", "customer_id", "month",
        "revenue_microdollars", "invoice_count", "last_invoice_at", "customer_name", "avatar_url",
    ]  # fmt: skip
    values: Select[Any] = select(
        literal(org_id), literal(INVOICED), literal(provider), one.c.customer_id, one.c.month,
        one.c.revenue, one.c.invoices, one.c.last_at, one.c.name, one.c.avatar,
    ).where(one.c.nth == 1)  # fmt: skip
    tx.execute(insert(customer_months).from_select(names, values))


def _with_sums(chosen: ColumnElement[bool]) -> Select[Any]:
    """The facts chosen, each with what its customer's month adds up to; ``nth`` 1 is the first."""
    group = (_facts.customer_id, _facts.month)
    return select(
        _facts.customer_id,
        _facts.month,
        func.sum(_facts.amount_microdollars).over(partition_by=group).label("revenue"),
        func.count().over(partition_by=group).label("invoices"),
        func.max(_facts.occurred_at).over(partition_by=group).label("last_at"),
        latest(revenue_facts, _facts.customer_name, *group).label("name"),
        latest(revenue_facts, _facts.avatar_url, *group).label("avatar"),
        func.row_number().over(partition_by=group).label("nth"),
    ).where(chosen)


def _rebuild_customers(tx: Connection, org_id: str, provider: str, customers: list[str]) -> None:
    """Customers with uncounted revenue alone are kept too, for their names."""
    table = revenue_customers.c
    tx.execute(
        delete(revenue_customers).where(
            table.org_id == org_id,
            table.provider == provider,
            is_among(tx, table.customer_id, customers),
        )
    )
    group = (_facts.customer_id,)
    one = (
        select(
            _facts.customer_id,
            func.sum(_facts.amount_microdollars).over(partition_by=group).label("total"),
            func.sum(_facts.counted).over(partition_by=group).label("invoices"),
            func.max(_facts.occurred_at).over(partition_by=group).label("last_at"),
            latest(revenue_facts, _facts.customer_name, *group).label("name"),
            latest(revenue_facts, _facts.customer_email, *group).label("email"),
            latest(revenue_facts, _facts.avatar_url, *group).label("avatar"),
            func.row_number().over(partition_by=group).label("nth"),
        )
        .where(
            _facts.org_id == org_id,
            _facts.provider == provider,
            is_among(tx, _facts.customer_id, customers),
        )
        .subquery()
    )
    names = [
        "org_id", "provider", "customer_id", "name", "email", "avatar_url",
        "total_microdollars", "invoice_count", "last_invoice_at",
    ]  # fmt: skip
    values: Select[Any] = select(
        literal(org_id), literal(provider), one.c.customer_id, one.c.name, one.c.email,
        one.c.avatar, one.c.total, one.c.invoices, one.c.last_at,
    ).where(one.c.nth == 1)  # fmt: skip
    tx.execute(insert(revenue_customers).from_select(names, values))


def latest(table: Table, column: ColumnElement[Any], *group: ColumnElement[Any]) -> Over[Any]:
    """The latest value of ``column`` in the group that is not NULL, on every row of it."""
    return func.first_value(column).over(
        partition_by=group,
        order_by=[
            case((column.is_(None), 1), else_=0),
            table.c.occurred_at.desc(),
            table.c.object_id.desc(),
        ],
    )
