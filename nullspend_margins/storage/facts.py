"""Cost facts: what another system has added up, replaced when it says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from nullspend_margins.domain.cost import Amount, CostFact, add_amount
from nullspend_margins.domain.period import day_number
from nullspend_margins.storage.bulk import BulkFind, BulkInsert, Row, replacing
from nullspend_margins.storage.dialects import chunks, is_among, lock
from nullspend_margins.storage.rollups import DayCell, add_costs, drop_empty
from nullspend_margins.storage.tables import cost_facts
from nullspend_margins.storage.types import instant_text

_VALUES = ("provider", "model", "tag_value", "day", "cost_nanodollars", "request_count")
_put = BulkInsert(cost_facts, replacing(cost_facts))
_stored = BulkFind(cost_facts, "fact_key", "fact_key", *_VALUES)


class FactChanges(NamedTuple):
    """Facts that are not stored yet, and those that are stored otherwise."""

    new: int
    changed: int


def replace_facts(
    tx: Connection, org_id: str, source: str, facts: Sequence[CostFact], now: datetime
) -> int:
    """Store ``facts`` in the place of those with the same keys; rollups take new less old.

    A fact that moved to another day, customer or model leaves its old cells. Of two facts with
    one key the later wins. Returns how many differed from what was stored. Raises
    ``RollupOverflow``: nothing of the transaction may be kept then.
    """
    # So that "new less old" is of the same old.
    lock(tx, "cost facts", org_id, source)
    stored, changed = _differing(tx, org_id, source, facts)
    if not changed:
        return 0
    deltas: dict[DayCell, Amount] = {}
    _apply(deltas, source, (stored[key] for key in changed if key in stored), sign=-1)
    _apply(deltas, source, changed.values(), sign=1)
    updated_at = instant_text(now)
    _put.write(tx, [(org_id, source, key, *row, updated_at) for key, row in changed.items()])
    add_costs(tx, org_id, deltas)
    drop_empty(tx, org_id, deltas)
    return len(changed)


def compare_facts(
    tx: Connection, org_id: str, source: str, facts: Sequence[CostFact]
) -> FactChanges:
    """What ``replace_facts`` would change."""
    stored, changed = _differing(tx, org_id, source, facts)
    known = sum(key in stored for key in changed)
    return FactChanges(len(changed) - known, known)


def fact_keys(
    tx: Connection, org_id: str, source: str, days: range, after: str, limit: int
) -> list[str]:
    """Keys of a source's facts on ``days`` (day numbers), in order, some at a time.

    ``after`` is the last key of the time before, ``""`` at first.
    """
    facts = cost_facts.c
    found = tx.scalars(
        select(facts.fact_key)
        .where(
            facts.org_id == org_id,
            facts.source == source,
            facts.fact_key > after,
            facts.day >= days.start,
            facts.day < days.stop,
        )
        .order_by(facts.fact_key)
        .limit(limit)
    )
    return list(found)


def remove_facts(tx: Connection, org_id: str, source: str, keys: Sequence[str]) -> int:
    """Delete facts; rollups lose what they had. Returns how many there were."""
    lock(tx, "cost facts", org_id, source)
    gone = {key: tuple(row) for key, *row in _stored.read(tx, org_id, source, keys)}
    deltas: dict[DayCell, Amount] = {}
    _apply(deltas, source, gone.values(), sign=-1)
    for some in chunks(tx, sorted(gone)):
        tx.execute(
            delete(cost_facts).where(
                cost_facts.c.org_id == org_id,
                cost_facts.c.source == source,
                is_among(tx, cost_facts.c.fact_key, some),
            )
        )
    add_costs(tx, org_id, deltas)
    drop_empty(tx, org_id, deltas)
    return len(gone)


def _differing(
    tx: Connection, org_id: str, source: str, facts: Sequence[CostFact]
) -> tuple[dict[str, Row], dict[str, Row]]:
    """What is stored under the keys of ``facts``, and what is to be stored that differs."""
    wanted = {fact.key: _values(fact) for fact in facts}
    stored = {key: tuple(row) for key, *row in _stored.read(tx, org_id, source, list(wanted))}
    changed = {key: row for key, row in sorted(wanted.items()) if stored.get(key) != row}
    return stored, changed


def _values(fact: CostFact) -> Row:
    """``_VALUES``, in the table's column order."""
    return (
        fact.provider,
        fact.model,
        fact.tag_value,
        day_number(fact.day),
        fact.cost_nanodollars,
        fact.request_count,
    )


def _apply(deltas: dict[DayCell, Amount], source: str, rows: Iterable[Row], *, sign: int) -> None:
    for provider, model, tag_value, day, cost, requests in rows:
        cell = (day, tag_value, source, provider, model)
        add_amount(deltas, cell, sign * cost, sign * requests)
