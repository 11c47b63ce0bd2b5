"""A sync's revenue, page by page, until one short transaction puts it in place.

Pages are kept here as they come, so a sync needs constant memory and no open transaction while
it talks to the provider, and one that fails half way leaves the numbers as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    delete,
    distinct,
    exists,
    func,
    not_,
    or_,
    select,
    true,
)

from nullspend_margins.domain.currency import REPORTING_CURRENCY
from nullspend_margins.domain.period import month_index
from nullspend_margins.domain.recognition import Conversion
from nullspend_margins.domain.revenue import INVOICE, RevenueFact, RevenueWindow
from nullspend_margins.storage.bulk import BulkInsert, Row, replacing
from nullspend_margins.storage.dialects import chunks, insert_into, is_among, large_joins
from nullspend_margins.storage.revenue_parts import recognition
from nullspend_margins.storage.revenue_sums import dated, latest, opened_cells, rebuild_sums
from nullspend_margins.storage.tables import revenue_facts, revenue_staging
from nullspend_margins.storage.types import instant_text

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


def fact_rows(
    org_id: str, provider: str, sync_id: str, facts: Sequence[RevenueFact], conversion: Conversion
) -> dict[str, Row]:
    """A page as ``stage`` wants it, by object. Pure: done before a transaction is open."""
    return {fact.object_id: _row(org_id, provider, sync_id, fact, conversion) for fact in facts}


def stage(tx: Connection, rows: Mapping[str, Row]) -> None:
    """Keep a page of ``fact_rows``. An object that comes again replaces itself."""
    _put.write(tx, [rows[object_id] for object_id in sorted(rows)])


def whole_objects(
    tx: Connection, org_id: str, provider: str, sync_id: str, object_ids: Sequence[str]
) -> set[str]:
    """Which of these objects are stored whole, or staged so by this sync."""
    found: set[str] = set()
    for some in chunks(object_ids):
        stored = and_(_facts.org_id == org_id, _facts.provider == provider, _facts.partial == 0)
        named = is_among(tx, _facts.object_id, some), is_among(tx, _staged.object_id, some)
        found.update(tx.scalars(select(_facts.object_id).where(stored, named[0])))
        mine = and_(_of_sync(org_id, provider, sync_id), _staged.partial == 0)
        found.update(tx.scalars(select(_staged.object_id).where(mine, named[1])))
    return found


def staged_report(
    tx: Connection, org_id: str, provider: str, sync_id: str, window: RevenueWindow
) -> StagedReport:
    """Add up the invoices of ``window`` that a sync has staged."""
    mine = and_(
        _of_sync(org_id, provider, sync_id),
        _staged.kind == INVOICE,
        _staged.month.between(window.first.index, window.last.index),
    )
    counted = func.sum(_staged.counted)
    found = tx.execute(
        select(_staged.currency, func.count(), counted)
        .where(mine)
        .group_by(_staged.currency)
        .order_by(_staged.currency)
    )
    rows = found.all()
    skipped = {currency: count - int(used) for currency, count, used in rows}
    pairs = (
        select(_staged.customer_id, _staged.month)
        .where(mine, _staged.counted == 1)
        .distinct()
        .subquery()
    )
    customers, months = tx.execute(
        select(func.count(distinct(pairs.c.customer_id)), func.count())
    ).one()
    return StagedReport(
        fetched=sum(count for _, count, _ in rows),
        skipped=sum(skipped.values()),
        skipped_currencies={
            currency: count
            for currency, count in skipped.items()
            if count and currency != REPORTING_CURRENCY
        },
        customers=customers,
        customer_months=months,
    )


def staged_customers(
    tx: Connection, org_id: str, provider: str, sync_id: str
) -> dict[str, str | None]:
    """Every customer the sync met, with the latest tag value its records suggest, if any."""
    met = and_(_of_sync(org_id, provider, sync_id), _staged.customer_id.is_not(None))
    dialect = tx.dialect.name
    tag = latest(dialect, dated(dialect, revenue_staging, "suggested_tag"))
    found = tx.execute(select(_staged.customer_id, tag).where(met).group_by(_staged.customer_id))
    return {row[0]: row[1] for row in found}


def apply_staged(
    tx: Connection,
    org_id: str,
    provider: str,
    sync_id: str,
    window: RevenueWindow,
    *,
    all_services: bool = False,
) -> bool:
    """Make the window's stored revenue what the sync has staged, and clear the staging.

    With ``all_services`` that is so of partial facts of other months too that are revenue of it.

    Facts of the window that were not staged are gone; changed and new ones are stored; what
    they add up to is rebuilt. ``False`` when nothing differed: then nothing is written either.
    """
    mine = org_id, provider, sync_id
    with large_joins(tx):
        touched = _changed_pairs(tx, *mine)
        left = [*_replaced(tx, *mine), *_gone(tx, *mine, window, all_services=all_services)]
    # Where facts were counts as touched, as much as where they will be.
    touched |= {(customer, month) for _, customer, months in left for month in months}
    _delete(tx, org_id, provider, [object_id for object_id, _, _ in left])
    if touched:
        _insert(tx, *mine)
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


def _row(
    org_id: str, provider: str, sync_id: str, fact: RevenueFact, conversion: Conversion
) -> Row:
    found = recognition(fact, conversion)
    return (
        org_id,
        provider,
        sync_id,
        fact.object_id,
        fact.kind,
        fact.customer_id,
        month_index(fact.occurred_at),
        fact.amount_minor,
        fact.currency,
        fact.digits,
        found.microdollars,
        int(found.is_counted),
        int(fact.is_partial),
        instant_text(fact.occurred_at),
        fact.customer_name,
        fact.customer_email,
        fact.avatar_url,
        fact.suggested_tag,
        found.parts,
        found.cells,
    )


def _of_sync(org_id: str, provider: str, sync_id: str) -> ColumnElement[bool]:
    return and_(_staged.org_id == org_id, _staged.provider == provider, _staged.sync_id == sync_id)


_COMPARED = [column.name for column in revenue_facts.columns if not column.primary_key]
_Place = tuple[str, str | None, Sequence[int]]
"""An object with its customer and the months it is revenue of."""
_Pair = tuple[str | None, int]
_months = msgspec.json.Decoder(list[tuple[int, int, int, int, int]])


def _changed_pairs(tx: Connection, org_id: str, provider: str, sync_id: str) -> set[_Pair]:
    """Customers and months of what was staged otherwise than it is stored.

    What a first sync brings stays in the database.
    """
    cell, month, _ = opened_cells(tx.dialect.name, _staged.cells)
    stored = revenue_staging.outerjoin(revenue_facts, _is_same(org_id, provider))
    found = tx.execute(
        select(_staged.customer_id, month)
        .distinct()
        .select_from(stored.join(cell, true()))
        .where(_of_sync(org_id, provider, sync_id), or_(_facts.object_id.is_(None), _differs()))
    )
    return {(row[0], row[1]) for row in found}


def _replaced(tx: Connection, org_id: str, provider: str, sync_id: str) -> list[_Place]:
    """What is stored otherwise than it was staged, of whatever month."""
    stored = revenue_staging.join(revenue_facts, _is_same(org_id, provider))
    return _places(tx, stored, _of_sync(org_id, provider, sync_id), _differs())


def _gone(
    tx: Connection,
    org_id: str,
    provider: str,
    sync_id: str,
    window: RevenueWindow,
    *,
    all_services: bool,
) -> list[_Place]:
    """What is stored of the window, or goes on in it, and was not staged."""
    staged = and_(_of_sync(org_id, provider, sync_id), _is_same(org_id, provider))
    return _places(
        tx,
        revenue_facts,
        _facts.org_id == org_id,
        _facts.provider == provider,
        or_(_is_in(window), _goes_on_in(window)) if all_services else _is_in(window),
        not_(exists().where(staged)),
    )


def _places(tx: Connection, source: FromClause, *wanted: ColumnElement[bool]) -> list[_Place]:
    columns = _facts.object_id, _facts.customer_id, _facts.cells
    found = tx.execute(select(*columns).select_from(source).where(*wanted))
    return [(row[0], row[1], [cell[0] for cell in _months.decode(row[2])]) for row in found]


def _is_same(org_id: str, provider: str) -> ColumnElement[bool]:
    """The fact of a staged object."""
    return and_(
        _facts.org_id == org_id,
        _facts.provider == provider,
        _facts.object_id == _staged.object_id,
    )


def _differs() -> ColumnElement[bool]:
    return or_(*(_facts[name].is_distinct_from(_staged[name]) for name in _COMPARED))


def _goes_on_in(window: RevenueWindow) -> ColumnElement[bool]:
    """Services that are told in part; those that ended before are told no more, and stay."""
    months = (_facts.cells.contains(f"[{each.index},") for each in window.periods)
    return and_(_facts.partial == 1, or_(*months))


def _is_in(window: RevenueWindow) -> ColumnElement[bool]:
    return _facts.month.between(window.first.index, window.last.index)


def _delete(tx: Connection, org_id: str, provider: str, object_ids: Sequence[str]) -> None:
    for some in chunks(object_ids):
        tx.execute(
            delete(revenue_facts).where(
                _facts.org_id == org_id,
                _facts.provider == provider,
                is_among(tx, _facts.object_id, some),
            )
        )


def _insert(tx: Connection, org_id: str, provider: str, sync_id: str) -> None:
    """Store what was staged and is not stored just so: what was otherwise has been deleted."""
    names = ["org_id", "provider", "object_id", *_COMPARED]
    rows = select(*(_staged[name] for name in names)).where(_of_sync(org_id, provider, sync_id))
    # In the order of the key: its index grows at one end.
    put = insert_into(tx, revenue_facts).from_select(names, rows.order_by(_staged.object_id))
    tx.execute(put.on_conflict_do_nothing())
