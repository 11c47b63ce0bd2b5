"""Looks for rollup cells that are not what the facts say, and mends them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, RowMapping, text

from nullspend_margins.errors import ValidationFailed
from nullspend_margins.storage.comparison import ROLLUPS, Rollup, parameters, statements
from nullspend_margins.storage.cost_sums import Span
from nullspend_margins.storage.dialects import overflow_as
from nullspend_margins.storage.orgs import orgs_in
from nullspend_margins.storage.tables import cost_events, cost_facts, pruned_costs, revenue_facts

_FACTS = (cost_events, cost_facts, pruned_costs, revenue_facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A cell that is not what it must be. ``None``: not there, or not to be there."""

    rollup: str
    key: Mapping[str, object]
    stored: Mapping[str, object] | None
    right: Mapping[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Of one rollup of one org: cells looked at, those that differ, and where those are.

    ``cells`` counts those that are there and those that must be. ``span`` has every cell that
    differs; ``None`` when the rollup has no span.
    """

    rollup: Rollup
    cells: int
    differing: int
    span: Span | None


def orgs_with_cells(tx: Connection) -> list[str]:
    """Every org that has a cell, or a fact to make one of, in order."""
    tables = (*_FACTS, *(rollup.table for rollup in ROLLUPS))
    return sorted({org_id for table in tables for org_id in orgs_in(tx, table)})


def compare(tx: Connection, rollup: Rollup, org_id: str) -> Comparison:
    """Look at every cell of one rollup."""
    statement = statements(rollup, tx.dialect.name, some=False).totals
    cells, differing, first, last = tx.execute(statement, parameters(rollup, org_id, None)).one()
    span = Span(first, last) if first is not None else None
    return Comparison(rollup=rollup, cells=cells, differing=differing, span=span)


def differences(tx: Connection, found: Comparison, org_id: str, limit: int) -> Sequence[Difference]:
    """The first ``limit`` cells that differ, by key."""
    rollup, span = found.rollup, found.span
    statement = statements(rollup, tx.dialect.name, some=span is not None).differing
    rows = tx.execute(statement, {**parameters(rollup, org_id, span), "limit": limit})
    return [_difference(rollup, row) for row in rows.mappings()]


def lock(tx: Connection, rollups: Iterable[Rollup]) -> None:
    """Keep every other writer of ``rollups`` out until the transaction ends: its first statement.

    Whoever has stored events, but not yet added them up, waits and adds them afterwards;
    whoever has added to one of these tables is waited for. Either way its events are seen here
    if and only if its additions are. In SQLite the one writer is alone anyway.
    """
    if tx.dialect.name == "postgresql":
        for rollup in rollups:
            tx.execute(text(f"LOCK TABLE {rollup.table.name} IN SHARE ROW EXCLUSIVE MODE"))


def mend(tx: Connection, found: Comparison, org_id: str) -> int:
    """Make the cells in ``found.span`` what they must be. Returns how many were not.

    ``lock`` has been called. Raises ``ValidationFailed`` when a cell cannot hold its sum.
    """
    rollup, span = found.rollup, found.span
    wanted = statements(rollup, tx.dialect.name, some=span is not None)
    given = parameters(rollup, org_id, span)

    def too_much() -> ValidationFailed:
        return ValidationFailed(
            f"What a cell of {rollup.name} must hold is beyond 2^63, more than it can."
        )

    with overflow_as(too_much):
        removed = tx.execute(wanted.remove, given).rowcount
        put = tx.execute(wanted.put, given, execution_options={"preserve_rowcount": True}).rowcount
    return removed + put


def _difference(rollup: Rollup, row: RowMapping) -> Difference:
    def side(name: str) -> Mapping[str, object] | None:
        if not row[f"in_{name}"]:
            return None
        return {value: _plain(row[f"{name}_{value}"]) for value in rollup.values}

    key = {name: row[name] for name in rollup.keys}
    return Difference(rollup=rollup.name, key=key, stored=side("stored"), right=side("right"))


def _plain(value: object) -> object:
    """PostgreSQL's sums are ``numeric``."""
    return int(value) if isinstance(value, Decimal) else value
