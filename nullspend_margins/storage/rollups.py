"""Cost rollups: what was spent, added up by month and by day as it comes in.

Two tables hold the same costs, cut differently: by customer and month (the margin table reads
thousands of those cells), and by customer, model and day (one customer's models, recent views).
Every write changes both in its own transaction, so they always agree. A third one, by model and
month, would save the breakdown thirty index probes and cost every event a third more.

What pruned events had cost is kept beside them, cut as finely: whatever is left of events and
facts, with it they add up to the rollups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import TypeVar

from sqlalchemy import Connection, Table, and_, bindparam, delete

from nullspend_margins.domain.cost import Amount, add_amount
from nullspend_margins.domain.money import MAX_NANODOLLARS
from nullspend_margins.domain.period import Period, day_of
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.storage.bulk import BulkInsert, adding
from nullspend_margins.storage.dialects import overflow_as
from nullspend_margins.storage.tables import cost_model_days, cost_months, pruned_costs

DayCell = tuple[int, str, str, str, str]
"""Day number, tag value, source, provider, model."""
K = TypeVar("K", bound=tuple[object, ...])

_AMOUNTS = ("cost_nanodollars", "request_count")

_add_months = BulkInsert(cost_months, adding(cost_months, *_AMOUNTS))
_add_model_days = BulkInsert(cost_model_days, adding(cost_model_days, *_AMOUNTS))
_add_pruned = BulkInsert(pruned_costs, adding(pruned_costs, *_AMOUNTS))


class RollupOverflow(ValidationFailed):
    """A cost cell would exceed 2^63 nanodollars. Nothing of the transaction may be kept."""

    def __init__(self) -> None:
        super().__init__(
            "A cost cell of this customer and month is full: it can hold 2^63 nanodollars "
            "(about 9.2 billion dollars)."
        )


def add_costs(tx: Connection, org_id: str, deltas: Mapping[DayCell, Amount]) -> None:
    """Add ``deltas`` to both rollups.

    Tables always in the same order and keys sorted within each, so that two transactions that
    touch the same cells wait for each other instead of deadlocking. Raises ``RollupOverflow``.
    """
    _add(tx, _add_months, org_id, _by_month(deltas))
    _add(tx, _add_model_days, org_id, deltas)


def add_pruned_costs(tx: Connection, org_id: str, costs: Mapping[DayCell, Amount]) -> None:
    """Keep what events had cost that are being pruned. Raises ``RollupOverflow``."""
    _add(tx, _add_pruned, org_id, costs)


def drop_empty(tx: Connection, org_id: str, deltas: Mapping[DayCell, Amount]) -> None:
    """Delete the cells that adding ``deltas`` brought back to nothing.

    What is left equals what adding up all events and facts again would give, less zeros. Only
    cells that ``add_costs`` has written are looked at: a table that it left alone must not be
    locked after the other one. A cell that gained requests cannot be empty.
    """
    for table, cells in ((cost_months, _by_month(deltas)), (cost_model_days, deltas)):
        shrunk = [cell for cell, amount in cells.items() if amount != (0, 0) and amount[1] <= 0]
        _drop(tx, table, org_id, sorted(shrunk))


def _by_month(deltas: Mapping[DayCell, Amount]) -> dict[tuple[int, str], Amount]:
    months: dict[tuple[int, str], Amount] = {}
    month_of: dict[int, int] = {}
    for (day, tag_value, *_), (cost, requests) in deltas.items():
        month = month_of.get(day)
        if month is None:
            month = month_of[day] = Period.containing(day_of(day)).index
        add_amount(months, (month, tag_value), cost, requests)
    return months


def _add(tx: Connection, bulk: BulkInsert, org_id: str, cells: Mapping[K, Amount]) -> None:
    if any(abs(number) > MAX_NANODOLLARS for number in chain.from_iterable(cells.values())):
        # From one end of a cell to the other is further than 64 bits; half the way is in between.
        half = {key: (cost // 2, count // 2) for key, (cost, count) in cells.items()}
        rest = {
            key: (cost - half[key][0], count - half[key][1]) for key, (cost, count) in cells.items()
        }
        _add(tx, bulk, org_id, half)
        _add(tx, bulk, org_id, rest)
        return
    rows = [(org_id, *key, *amount) for key, amount in sorted(cells.items()) if amount != (0, 0)]
    with overflow_as(RollupOverflow):
        bulk.write(tx, rows)


def _drop(tx: Connection, table: Table, org_id: str, cells: Iterable[tuple[object, ...]]) -> None:
    names = [column.name for column in table.primary_key if column.name != "org_id"]
    rows = [dict(zip([f"the_{name}" for name in names], cell, strict=True)) for cell in cells]
    if not rows:
        return
    condition = and_(
        table.c.org_id == org_id,
        table.c.cost_nanodollars == 0,
        table.c.request_count == 0,
        *(table.c[name] == bindparam(f"the_{name}") for name in names),
    )
    tx.execute(delete(table).where(condition), rows)
