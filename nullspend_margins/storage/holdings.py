"""What is stored of one revenue provider: counted before somebody disconnects it."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, Table, func, select

from nullspend_margins.domain.period import Period
from nullspend_margins.storage.tables import (
    alerts,
    mappings,
    rejected_pairs,
    revenue_customers,
    revenue_facts,
)


class Holdings(NamedTuple):
    """Counts of what goes with a connection. ``first``, ``last``: the months of its revenue."""

    revenue_rows: int
    customers: int
    mappings: int
    rejections: int
    alerts: int
    first: Period | None
    last: Period | None


def of_provider(tx: Connection, org_id: str, provider: str) -> Holdings:
    """What disconnecting ``provider`` deletes, beside the connection itself."""
    facts = revenue_facts.c
    count, first, last = tx.execute(
        select(func.count(), func.min(facts.month), func.max(facts.month)).where(
            facts.org_id == org_id, facts.provider == provider
        )
    ).one()
    tables = revenue_customers, mappings, rejected_pairs, alerts
    customers, mapped, rejected, raised = (_count(tx, each, org_id, provider) for each in tables)
    return Holdings(
        revenue_rows=count,
        customers=customers,
        mappings=mapped,
        rejections=rejected,
        alerts=raised,
        first=None if first is None else Period(first),
        last=None if last is None else Period(last),
    )


def _count(tx: Connection, table: Table, org_id: str, provider: str) -> int:
    statement = select(func.count()).where(table.c.org_id == org_id, table.c.provider == provider)
    return tx.execute(statement).scalar_one()
