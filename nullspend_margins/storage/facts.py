"""Cost facts: what another system has added up, replaced when it says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import Connection

from nullspend_margins.domain.cost import CostFact
from nullspend_margins.storage.bulk import BulkInsert, Row, among, replacing, strings
from nullspend_margins.storage.dialects import lock
from nullspend_margins.storage.rollups import Amount, DayCell, add_costs, drop_empty
from nullspend_margins.storage.tables import cost_facts
from nullspend_margins.storage.types import instant_text

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_put = BulkInsert(cost_facts, replacing(cost_facts))


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
    stored = _find(tx, org_id, source, list(wanted))
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


def _find(tx: Connection, org_id: str, source: str, keys: Sequence[str]) -> dict[str, Row]:
    mark = "?" if tx.dialect.name == "sqlite" else "%s"
    found = tx.exec_driver_sql(
        # S608: the table's own name and a mark for each value.
        "SELECT fact_key, provider, model, tag_value, day, cost_nanodollars, request_count "  # noqa: S608
        f"FROM {cost_facts.name} WHERE org_id = {mark} AND source = {mark} "
        f"AND {among(tx, 'fact_key')}",
        (org_id, source, strings(tx, keys)),
    )
    return {row[0]: tuple(row[1:]) for row in found}


def _values(fact: CostFact) -> Row:
    """In the table's column order, between key and time."""
    return (
        fact.provider,
        fact.model,
        fact.tag_value,
        fact.day.toordinal() - _EPOCH_ORDINAL,
        fact.cost_nanodollars,
        fact.request_count,
    )


def _apply(deltas: dict[DayCell, Amount], source: str, rows: Iterable[Row], *, sign: int) -> None:
    for provider, model, tag_value, day, cost, requests in rows:
        cell = (day, tag_value, source, provider, model)
        known_cost, known_requests = deltas.get(cell, (0, 0))
        deltas[cell] = (known_cost + sign * cost, known_requests + sign * requests)
