"""A sync's revenue, page by page, until one short transaction puts it in place.

Pages are kept here as they come, so a sync needs constant memory and no open transaction while
it talks to the provider, and one that fails half way leaves the numbers as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    and_,
    delete,
    distinct,
    func,
    select,
)

from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue import REPORTING_CURRENCY, RevenueFact, RevenueWindow
from nullspend_margins.storage.bulk import BulkInsert, Row, replacing
from nullspend_margins.storage.dialects import insert_into, is_among
from nullspend_margins.storage.revenue_rebuild import latest, rebuild
from nullspend_margins.storage.tables import revenue_facts, revenue_staging
from nullspend_margins.storage.types import instant_text

INVOICE = "invoice"
_AT_ONCE = 500
_put = BulkInsert(revenue_staging, replacing(revenue_staging))
_staged, _facts = revenue_staging.c, revenue_facts.c


class StagedReport(NamedTuple):
    """What a sync has read. ``skipped`` facts do not count as revenue.

    ``customers`` and ``customer_months`` count distinct ones with counted facts.
    """

    fetched: int
    skipped: int
    skipped_currencies: dict[str, int]
    customers: int
    customer_months: int


def stage(
    tx: Connection, org_id: str, provider: str, sync_id: str, facts: Sequence[RevenueFact]
) -> None:
    """Keep a page. An object that comes again replaces itself."""
    rows = {fact.object_id: _row(org_id, provider, sync_id, fact) for fact in facts}
    _put.write(tx, [rows[object_id] for object_id in sorted(rows)])


def staged_report(tx: Connection, org_id: str, provider: str, sync_id: str) -> StagedReport:
    """Add up what a sync has staged."""
    mine = _of_sync(org_id, provider, sync_id)
    fetched = tx.scalar(select(func.count()).where(mine)) or 0
    counted = and_(mine, _staged.counted == 1)
    pairs = select(_staged.customer_id, _staged.month).where(counted).distinct().subquery()
    customers, months = tx.execute(
        select(func.count(distinct(pairs.c.customer_id)), func.count())
    ).one()
    currencies = tx.execute(
        select(_staged.currency, func.count())
        .where(mine, _staged.currency != REPORTING_CURRENCY)
        .group_by(_staged.currency)
        .order_by(_staged.currency)
    )
    skipped = tx.scalar(select(func.count()).where(mine, _staged.counted == 0)) or 0
    return StagedReport(fetched, skipped, {row[0]: row[1] for row in currencies}, customers, months)


def staged_customers(
    tx: Connection, org_id: str, provider: str, sync_id: str
) -> dict[str, str | None]:
    """Every customer the sync met, with the latest tag value its records suggest, if any."""
    tag = latest(revenue_staging, _staged.suggested_tag, _staged.customer_id)
    found = tx.execute(
        select(_staged.customer_id, tag)
        .where(_of_sync(org_id, provider, sync_id), _staged.customer_id.is_not(None))
        .distinct()
    )
    return {row[0]: row[1] for row in found}


def apply_staged(
    tx: Connection, org_id: str, provider: str, sync_id: str, window: RevenueWindow
) -> bool:
    """Make the window's stored revenue what the sync has staged, and clear the staging.

    Facts of the window that were not staged are gone; changed and new ones are stored; what
    they add up to is rebuilt. ``False`` when nothing differed: then nothing is written either.
    """
    changed, vanished = _differences(tx, org_id, provider, sync_id, window)
    # Where facts were counts as touched, as much as where they will be.
    touched = {(customer, month) for _, customer, month in (*changed, *vanished)}
    changed_ids = sorted({object_id for object_id, _, _ in changed})
    gone_ids = sorted({object_id for object_id, _, _ in vanished}.difference(changed_ids))
    for some in _chunks(changed_ids):
        touched |= _where_stored(tx, org_id, provider, some)
    for some in _chunks(changed_ids):
        _copy(tx, org_id, provider, sync_id, some)
    for some in _chunks(gone_ids):
        tx.execute(delete(revenue_facts).where(_stored(tx, org_id, provider, some)))
    rebuild(tx, org_id, provider, touched)
    discard_staged(tx, org_id, provider, sync_id=sync_id)
    return bool(touched)


def discard_staged(
    tx: Connection,
    org_id: str,
    provider: str,
    *,
    sync_id: str | None = None,
) -> None:
    """Clear the staging: of one sync, or of all."""
    statement = delete(revenue_staging).where(
        _staged.org_id == org_id, _staged.provider == provider
    )
    if sync_id is not None:
        statement = statement.where(_staged.sync_id == sync_id)
    tx.execute(statement)


def _row(org_id: str, provider: str, sync_id: str, fact: RevenueFact) -> Row:
    return (
        org_id,
        provider,
        sync_id,
        fact.object_id,
        INVOICE,
        fact.customer_id,
        Period.containing(fact.occurred_at).index,
        fact.amount_minor,
        fact.currency,
        fact.amount_microdollars,
        int(fact.is_counted),
        instant_text(fact.occurred_at),
        fact.customer_name,
        fact.customer_email,
        fact.avatar_url,
        fact.suggested_tag,
    )


def _of_sync(org_id: str, provider: str, sync_id: str) -> ColumnElement[bool]:
    return and_(_staged.org_id == org_id, _staged.provider == provider, _staged.sync_id == sync_id)


_COMPARED = [column.name for column in revenue_facts.columns if not column.primary_key]
_Place = tuple[str, str | None, int]
"""An object with its customer and month."""


def _differences(
    tx: Connection, org_id: str, provider: str, sync_id: str, window: RevenueWindow
) -> tuple[list[_Place], list[_Place]]:
    """What is staged and not stored just so, and what is stored and not staged just so.

    Set operations, not joins: a table that was filled a moment ago has no statistics yet, and
    PostgreSQL would compare each row with each.
    """
    staged = select(_staged.object_id, *(_staged[name] for name in _COMPARED)).where(
        _of_sync(org_id, provider, sync_id)
    )
    stored = select(_facts.object_id, *(_facts[name] for name in _COMPARED)).where(
        _facts.org_id == org_id,
        _facts.provider == provider,
        _facts.month.between(window.first.index, window.last.index),
    )
    return (
        _places(tx, staged.except_(stored).subquery()),
        _places(tx, stored.except_(staged).subquery()),
    )


def _places(tx: Connection, found: Subquery) -> list[_Place]:
    rows = tx.execute(select(found.c.object_id, found.c.customer_id, found.c.month))
    return [(row[0], row[1], row[2]) for row in rows]


def _stored(
    tx: Connection, org_id: str, provider: str, object_ids: Sequence[str]
) -> ColumnElement[bool]:
    return and_(
        _facts.org_id == org_id,
        _facts.provider == provider,
        is_among(tx, _facts.object_id, object_ids),
    )


def _where_stored(
    tx: Connection, org_id: str, provider: str, object_ids: Sequence[str]
) -> set[tuple[str | None, int]]:
    """Where objects are now, which may be outside the window."""
    found = tx.execute(
        select(_facts.customer_id, _facts.month).where(_stored(tx, org_id, provider, object_ids))
    )
    return {(row[0], row[1]) for row in found}


def _copy(
    tx: Connection, org_id: str, provider: str, sync_id: str, object_ids: Sequence[str]
) -> None:
    names = [column.name for column in revenue_facts.columns]
    chosen = select(*(_staged[name] for name in names)).where(
        _of_sync(org_id, provider, sync_id), is_among(tx, _staged.object_id, object_ids)
    )
    statement = insert_into(tx, revenue_facts).from_select(names, chosen)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=["org_id", "provider", "object_id"],
            set_={name: statement.excluded[name] for name in _COMPARED},
        )
    )


def _chunks(object_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(object_ids), _AT_ONCE):
        yield object_ids[start : start + _AT_ONCE]
