"""Facts that are left out since the revenue of their customer is more than a sum can hold.

Single facts of more than 9.2 trillion dollars do not count from the beginning. What several of one
customer add up to shows only when a sync is put in place, and must not keep it from all the others.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Table,
    and_,
    cast,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    true,
    update,
)

from nullspend_margins.domain.period import month_index
from nullspend_margins.domain.recognition import MAX_MICRODOLLARS
from nullspend_margins.domain.revenue import FactKind, RevenueWindow
from nullspend_margins.storage.applying import COMPARED, is_told, is_unstaged
from nullspend_margins.storage.revenue_parts import stored_cells, stored_parts, uncounted_cells
from nullspend_margins.storage.revenue_sums import opened_cells
from nullspend_margins.storage.staging import of_sync
from nullspend_margins.storage.tables import revenue_facts, revenue_staging

_HALF = 2.0**62
"""Of two sums that are too much together one is this at least. Less: floats are not exact."""
_LARGE = _HALF * 0.99
_staged = revenue_staging.c
_log = logging.getLogger("nullspend_margins.sync")

_Sums = dict[tuple[int, int], int]


class _Fact(NamedTuple):
    object_id: str
    kind: FactKind
    amount_minor: int
    occurred_at: datetime
    parts: str | None
    cells: str
    amount_microdollars: int

    @property
    def amounts(self) -> _Sums:
        """What it adds to each sum: by month and basis, and to all that was invoiced."""
        months = stored_cells(self.cells)
        found = {(month, at): one for month, *told in months for at, one in enumerate(told)}
        return found | {(0, -1): self.amount_microdollars}

    @property
    def rank(self) -> tuple[int, str]:
        """The largest last."""
        return max(map(abs, self.amounts.values())), self.object_id


def leave_out_excess(
    tx: Connection,
    org_id: str,
    provider: str,
    sync_id: str,
    window: RevenueWindow,
    *,
    all_services: bool = False,
) -> None:
    """Stage facts as ones that do not count, of each customer whose sums would not fit: the largest
    of the sync, as many as it takes, and each is told in the log.

    They are told again by the next sync, which counts them once they fit. What is stored and would
    stay is looked at no more, so it counts first, unless it does not fit by itself. Call it where
    ``apply_staged`` has raised ``SumTooLarge``, in another transaction, before the report is made.
    """
    is_mine = of_sync(org_id, provider, sync_id)
    stays = and_(
        is_unstaged(org_id, provider, sync_id), not_(is_told(window, all_services=all_services))
    )
    sides = ((revenue_staging, is_mine), (revenue_facts, stays))
    for customer_id in sorted({each for side in sides for each in _large_customers(tx, *side)}):
        staged, stored = (_facts_of(tx, *side, customer_id) for side in sides)
        sums, left = _taken({}, stored)
        for fact in left:
            _stage_stored(tx, org_id, provider, sync_id, fact.object_id)
        for fact in [*left, *_taken(sums, staged)[1]]:
            _stage_uncounted(tx, is_mine, fact)
            _log.warning(
                "%s %s does not count as revenue: with it that of its customer would be more than "
                "9.2 trillion dollars",
                fact.kind,
                fact.object_id,
            )


def _large_customers(tx: Connection, table: Table, wanted: ColumnElement[bool]) -> set[str]:
    """Those with a sum that may be too much, or too much together with another side's."""
    cell, month, amounts = opened_cells(tx.dialect.name, table.c.cells)
    counted = and_(wanted, table.c.counted == 1)
    sums = [func.abs(func.sum(cast(each, Float))) for each in amounts]
    of_month = (
        select(table.c.customer_id)
        .select_from(table.join(cell, true()))
        .where(counted)
        .group_by(table.c.customer_id, month)
        .having(or_(*(each >= _LARGE for each in sums)))
    )
    whole = func.abs(func.sum(cast(table.c.amount_microdollars, Float)))
    of_all = (
        select(table.c.customer_id)
        .where(counted)
        .group_by(table.c.customer_id)
        .having(whole >= _LARGE)
    )
    return {*tx.scalars(of_month), *tx.scalars(of_all)}


def _facts_of(
    tx: Connection, table: Table, wanted: ColumnElement[bool], customer_id: str
) -> list[_Fact]:
    found = tx.execute(
        select(*(table.c[name] for name in _Fact._fields)).where(
            wanted, table.c.counted == 1, table.c.customer_id == customer_id
        )
    )
    return [_Fact._make(row) for row in found]


def _taken(before: _Sums, facts: Sequence[_Fact]) -> tuple[_Sums, list[_Fact]]:
    """The sums with ``facts``, and those left out: small ones count first, where not all fit."""
    sums = dict(before)
    for fact in facts:
        sums |= _added(sums, fact)
    if _fit(sums):
        return sums, []
    sums, left = dict(before), []
    for fact in sorted(facts, key=lambda one: one.rank):
        after = _added(sums, fact)
        if _fit(after):
            sums |= after
        else:
            left.append(fact)
    return sums, left


def _added(sums: _Sums, fact: _Fact) -> _Sums:
    """Those sums that a fact adds to, after it."""
    return {place: sums.get(place, 0) + amount for place, amount in fact.amounts.items()}


def _fit(sums: _Sums) -> bool:
    return all(abs(each) <= MAX_MICRODOLLARS for each in sums.values())


def _stage_stored(tx: Connection, org_id: str, provider: str, sync_id: str, object_id: str) -> None:
    """As if the sync had told it as it is stored."""
    facts = revenue_facts.c
    keys = [literal(each) for each in (org_id, provider, sync_id, object_id)]
    row = select(*keys, *(facts[name] for name in COMPARED)).where(
        facts.org_id == org_id, facts.provider == provider, facts.object_id == object_id
    )
    names = ["org_id", "provider", "sync_id", "object_id", *COMPARED]
    tx.execute(insert(revenue_staging).from_select(names, row))


def _stage_uncounted(tx: Connection, is_mine: ColumnElement[bool], fact: _Fact) -> None:
    parts = stored_parts(fact.parts, fact.kind, fact.amount_minor, fact.occurred_at)
    cells = uncounted_cells(parts, month_index(fact.occurred_at))
    tx.execute(
        update(revenue_staging)
        .where(is_mine, _staged.object_id == fact.object_id)
        .values(counted=0, amount_microdollars=0, cells=cells)
    )
