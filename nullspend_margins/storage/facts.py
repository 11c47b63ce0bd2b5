"""Cost facts: what another system has added up, replaced when it says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from nullspend_margins.domain.cost import Amount, CostFact, add_amount
from nullspend_margins.domain.period import day_number
from nullspend_margins.storage.bulk import BulkFind, BulkInsert, Row, replacing
from nullspend_margins.storage.dialects import lock
from nullspend_margins.storage.rollups import DayCell, add_costs, drop_empty
from nullspend_margins.storage.tables import cost_facts
from nullspend_margins.storage.types import instant_text

_VALUES = ("provider", "model", "tag_value", "day", "cost_nanodollars", "request_count")
_put = BulkInsert(cost_facts, replacing(cost_facts))
_stored = BulkFind(cost_facts, "fact_key", "fact_key", *_VALUES)


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
    wanted = {fact.key: _values(fact) for fact in facts}
    stored = {key: tuple(row) for key, *row in _stored.read(tx, org_id, source, list(wanted))}
    changed = {key: row for key, row in sorted(wanted.items()) if stored.get(key) != row}
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
