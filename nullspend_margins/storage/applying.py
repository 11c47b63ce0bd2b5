"""What a sync has staged put in place of what is stored, as far as the two differ."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    delete,
    exists,
    not_,
    or_,
    select,
    true,
)

from nullspend_margins.domain.revenue import RevenueWindow
from nullspend_margins.storage.dialects import (
    Insert,
    chunks,
    insert_into,
    is_among,
    large_joins,
    sort_in_memory,
)
from nullspend_margins.storage.revenue_parts import stored_cells
from nullspend_margins.storage.revenue_sums import build_sums, opened_cells, rebuild_sums
from nullspend_margins.storage.staging import discard_staged, of_sync
from nullspend_margins.storage.tables import revenue_facts, revenue_staging

_staged, _facts = revenue_staging.c, revenue_facts.c
COMPARED = [column.name for column in revenue_facts.columns if not column.primary_key]
"""What a fact is made of beside its key: in the staging as in the store."""
_Place = tuple[str, str | None, Sequence[int]]
"""An object with its customer and the months it is revenue of."""
_Pair = tuple[str | None, int]


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
    sort_in_memory(tx)
    if not _has_facts(tx, org_id, provider):
        return _apply_first(tx, *mine)
    with large_joins(tx):
        touched = _changed_pairs(tx, *mine)
        left = [*_replaced(tx, *mine), *_gone(tx, *mine, window, all_services=all_services)]
    # Where facts were counts as touched, as much as where they will be.
    touched |= {(customer, month) for _, customer, months in left for month in months}
    _delete(tx, org_id, provider, [object_id for object_id, _, _ in left])
    if touched:
        # What was otherwise has been deleted; what is stored just so stays.
        tx.execute(_put(tx, *mine).on_conflict_do_nothing())
        rebuild_sums(tx, org_id, provider, touched)
    discard_staged(tx, org_id, provider, sync_id=sync_id)
    return bool(touched)


def _has_facts(tx: Connection, org_id: str, provider: str) -> bool:
    whose = _facts.org_id == org_id, _facts.provider == provider
    return tx.scalar(select(_facts.object_id).where(*whose).limit(1)) is not None


def _apply_first(tx: Connection, org_id: str, provider: str, sync_id: str) -> bool:
    """The same where nothing is stored: there is nothing to compare with, or to take away."""
    put = tx.execute(
        _put(tx, org_id, provider, sync_id), execution_options={"preserve_rowcount": True}
    ).rowcount
    if put:
        build_sums(tx, org_id, provider)
        discard_staged(tx, org_id, provider, sync_id=sync_id)
    return bool(put)


def _changed_pairs(tx: Connection, org_id: str, provider: str, sync_id: str) -> set[_Pair]:
    """Customers and months of what was staged otherwise than it is stored."""
    cell, month, _ = opened_cells(tx.dialect.name, _staged.cells)
    stored = revenue_staging.outerjoin(revenue_facts, _is_same(org_id, provider))
    found = tx.execute(
        select(_staged.customer_id, month)
        .distinct()
        .select_from(stored.join(cell, true()))
        .where(of_sync(org_id, provider, sync_id), or_(_facts.object_id.is_(None), _differs()))
    )
    return {(row[0], row[1]) for row in found}


def _replaced(tx: Connection, org_id: str, provider: str, sync_id: str) -> list[_Place]:
    """What is stored otherwise than it was staged, of whatever month."""
    stored = revenue_staging.join(revenue_facts, _is_same(org_id, provider))
    return _places(tx, stored, of_sync(org_id, provider, sync_id), _differs())


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
    unstaged = is_unstaged(org_id, provider, sync_id)
    return _places(tx, revenue_facts, unstaged, is_told(window, all_services=all_services))


def _places(tx: Connection, source: FromClause, *wanted: ColumnElement[bool]) -> list[_Place]:
    columns = _facts.object_id, _facts.customer_id, _facts.cells
    found = tx.execute(select(*columns).select_from(source).where(*wanted))
    return [(row[0], row[1], [cell[0] for cell in stored_cells(row[2])]) for row in found]


def _is_same(org_id: str, provider: str) -> ColumnElement[bool]:
    """The fact of a staged object."""
    return and_(
        _facts.org_id == org_id,
        _facts.provider == provider,
        _facts.object_id == _staged.object_id,
    )


def _differs() -> ColumnElement[bool]:
    return or_(*(_facts[name].is_distinct_from(_staged[name]) for name in COMPARED))


def is_unstaged(org_id: str, provider: str, sync_id: str) -> ColumnElement[bool]:
    """Stored, and not of an object that the sync has staged."""
    staged = and_(of_sync(org_id, provider, sync_id), _is_same(org_id, provider))
    return and_(_facts.org_id == org_id, _facts.provider == provider, not_(exists().where(staged)))


def is_told(window: RevenueWindow, *, all_services: bool) -> ColumnElement[bool]:
    """Stored facts that a sync of ``window`` tells if there still are such."""
    return or_(_is_in(window), _goes_on_in(window)) if all_services else _is_in(window)


def _goes_on_in(window: RevenueWindow) -> ColumnElement[bool]:
    """Services that are told in part; those that ended before are told no more, and stay."""
    months = (_facts.cells.contains(f"[{each.index},") for each in window.periods)
    return and_(_facts.partial == 1, or_(*months))


def _is_in(window: RevenueWindow) -> ColumnElement[bool]:
    return _facts.month.between(window.first.index, window.last.index)


def _delete(tx: Connection, org_id: str, provider: str, object_ids: Sequence[str]) -> None:
    for some in chunks(tx, object_ids):
        tx.execute(
            delete(revenue_facts).where(
                _facts.org_id == org_id,
                _facts.provider == provider,
                is_among(tx, _facts.object_id, some),
            )
        )


def _put(tx: Connection, org_id: str, provider: str, sync_id: str) -> Insert:
    """Store what was staged."""
    names = ["org_id", "provider", "object_id", *COMPARED]
    rows = select(*(_staged[name] for name in names)).where(of_sync(org_id, provider, sync_id))
    # In the order of the key: its index grows at one end.
    return insert_into(tx, revenue_facts).from_select(names, rows.order_by(_staged.object_id))
