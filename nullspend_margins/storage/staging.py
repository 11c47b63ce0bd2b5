"""A sync's revenue, page by page, until one short transaction puts it in place.

Pages are kept here as they come, so a sync needs constant memory and no open transaction while
it talks to the provider, and one that fails half way leaves the numbers as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    distinct,
    func,
    insert,
    literal,
    not_,
    select,
)

from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue import REPORTING_CURRENCY, RevenueFact, RevenueWindow
from nullspend_margins.storage.bulk import BulkInsert, Row, replacing
from nullspend_margins.storage.dialects import chunks, is_among
from nullspend_margins.storage.revenue_sums import latest, newest_first, rebuild_sums
from nullspend_margins.storage.tables import revenue_facts, revenue_staging
from nullspend_margins.storage.types import instant_text

INVOICE = "invoice"
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
    met = and_(_of_sync(org_id, provider, sync_id), _staged.customer_id.is_not(None))
    ranked = newest_first(revenue_staging, (_staged.customer_id,), _staged.suggested_tag)
    one = ranked.where(met).subquery().c
    tag = latest(one.suggested_tag, one.nth)
    found = tx.execute(select(one.customer_id, tag).group_by(one.customer_id))
    return {row[0]: row[1] for row in found}


def apply_staged(
    tx: Connection, org_id: str, provider: str, sync_id: str, window: RevenueWindow
) -> bool:
    """Make the window's stored revenue what the sync has staged, and clear the staging.

    Facts of the window that were not staged are gone; changed and new ones are stored; what
    they add up to is rebuilt. ``False`` when nothing differed: then nothing is written either.
    """
    both = _staged_of(org_id, provider, sync_id), _stored_of(org_id, provider, window)
    changed, vanished = _Difference(*both), _Difference(*reversed(both))
    # Where facts were counts as touched, as much as where they will be.
    touched = changed.pairs(tx)
    left = vanished.places(tx)
    if touched:
        left += _places_outside(tx, org_id, provider, window, changed)
    touched |= {(customer, month) for _, customer, month in left}
    _delete(tx, org_id, provider, [object_id for object_id, _, _ in left])
    if touched:
        _insert(tx, org_id, provider, changed)
        rebuild_sums(tx, org_id, provider, touched)
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
    counted = fact.is_counted
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
        fact.amount_microdollars if counted else 0,
        int(counted),
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
_Pair = tuple[str | None, int]


class _Difference:
    """The rows of ``these`` that are not just so in ``those``.

    A set operation, not a join: a table that was filled a moment ago has no statistics yet, and
    PostgreSQL would compare each row with each. What a first sync brings stays in the database.
    """

    def __init__(self, these: Select[Any], those: Select[Any]) -> None:
        self.rows = these.except_(those).subquery()

    def pairs(self, tx: Connection) -> set[_Pair]:
        found = tx.execute(select(self.rows.c.customer_id, self.rows.c.month).distinct())
        return {(row[0], row[1]) for row in found}

    def places(self, tx: Connection) -> list[_Place]:
        rows = self.rows.c
        found = tx.execute(select(rows.object_id, rows.customer_id, rows.month))
        return [(row[0], row[1], row[2]) for row in found]

    def object_ids(self, tx: Connection) -> list[str]:
        return sorted(tx.scalars(select(self.rows.c.object_id)))


def _staged_of(org_id: str, provider: str, sync_id: str) -> Select[Any]:
    return select(_staged.object_id, *(_staged[name] for name in _COMPARED)).where(
        _of_sync(org_id, provider, sync_id)
    )


def _stored_of(org_id: str, provider: str, window: RevenueWindow) -> Select[Any]:
    return select(_facts.object_id, *(_facts[name] for name in _COMPARED)).where(
        _facts.org_id == org_id, _facts.provider == provider, _is_in(window)
    )


def _is_in(window: RevenueWindow) -> ColumnElement[bool]:
    return _facts.month.between(window.first.index, window.last.index)


def _places_outside(
    tx: Connection, org_id: str, provider: str, window: RevenueWindow, changed: _Difference
) -> list[_Place]:
    """Changed objects that are stored outside the window, from where they move into it."""
    outside = and_(_facts.org_id == org_id, _facts.provider == provider, not_(_is_in(window)))
    if tx.scalar(select(_facts.object_id).where(outside).limit(1)) is None:
        return []  # a first sync, say: nothing to look its every object up for
    places = select(_facts.object_id, _facts.customer_id, _facts.month).where(outside)
    return [
        (row[0], row[1], row[2])
        for some in chunks(changed.object_ids(tx))
        for row in tx.execute(places.where(is_among(tx, _facts.object_id, some)))
    ]


def _delete(tx: Connection, org_id: str, provider: str, object_ids: Sequence[str]) -> None:
    for some in chunks(object_ids):
        tx.execute(
            delete(revenue_facts).where(
                _facts.org_id == org_id,
                _facts.provider == provider,
                is_among(tx, _facts.object_id, some),
            )
        )


def _insert(tx: Connection, org_id: str, provider: str, changed: _Difference) -> None:
    names = ["org_id", "provider", "object_id", *_COMPARED]
    rows = select(literal(org_id), literal(provider), *changed.rows.c)
    # In the order of the key: its index grows at one end.
    tx.execute(insert(revenue_facts).from_select(names, rows.order_by(changed.rows.c.object_id)))
