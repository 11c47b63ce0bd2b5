"""When each cost source delivered last: one row an org and source, and one for all orgs of a
source that is pulled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, or_, select

from nullspend_margins.domain.delivery import ALL_ORGS, Delivery, DeliveryRecord
from nullspend_margins.storage.bulk import BulkInsert
from nullspend_margins.storage.dialects import upsert
from nullspend_margins.storage.tables import cost_deliveries
from nullspend_margins.storage.types import instant_text

_table = cost_deliveries.c
_columns = [_table[name] for name in DeliveryRecord._fields]


def _latest(name: str) -> str:
    """The later of what is stored and what is new, where either may be NULL."""
    old, new = f"{cost_deliveries.name}.{name}", f"excluded.{name}"
    return f"{name} = CASE WHEN {new} IS NULL OR {new} < {old} THEN {old} ELSE {new} END"


_put = BulkInsert(
    cost_deliveries,
    "(org_id, source) DO UPDATE SET "
    + ", ".join(map(_latest, ("delivered_at", "newest_at", "newest_day"))),
)


def record(tx: Connection, deliveries: Sequence[Delivery]) -> None:
    """Write deliveries down: each column keeps the latest. In their order, so sort them."""
    rows = [
        (
            each.org_id,
            each.source,
            instant_text(each.delivered_at),
            None if each.newest_at is None else instant_text(each.newest_at),
            each.newest_day,
            None,
            None,
        )
        for each in deliveries
    ]
    _put.write(tx, rows)


def mark_answered(tx: Connection, source: str, now: datetime) -> None:
    """A source was read to its end: it has delivered, if only that there is nothing new."""
    values = {"org_id": ALL_ORGS, "source": source, "delivered_at": now, "last_error": None}
    tx.execute(upsert(tx, cost_deliveries, values))


def mark_failed(tx: Connection, source: str, error: str) -> None:
    """A source did not answer. When it last did stays."""
    values = {"org_id": ALL_ORGS, "source": source, "last_error": error}
    tx.execute(upsert(tx, cost_deliveries, values))


def of_org(tx: Connection, org_id: str) -> list[DeliveryRecord]:
    """The org's records, and those of all orgs."""
    return _read(tx, _table.org_id.in_([org_id, ALL_ORGS]))


def newest_at(tx: Connection, org_id: str, source: str) -> datetime | None:
    """When the newest event of a source occurred, ``DELIVERY_PRECISION`` behind at the most."""
    found: datetime | None = tx.scalar(
        select(_table.newest_at).where(_table.org_id == org_id, _table.source == source)
    )
    return found


def maybe_changed(tx: Connection, before: datetime | None) -> list[DeliveryRecord]:
    """Records of every org that may have a silence to tell, or the end of one: for the watch.

    Those last delivered to ``before`` then, or nobody knows when (``None``: none of these), those
    with a silence that was told, and all of ``ALL_ORGS``.
    """
    wanted = [_table.silent_since.is_not(None), _table.org_id == ALL_ORGS]
    if before is not None:
        # Unknown since an upgrade: what is pulled may have answered for all orgs since.
        wanted += [_table.delivered_at < before, _table.delivered_at.is_(None)]
    return _read(tx, or_(*wanted))


def mark_silent(tx: Connection, known: DeliveryRecord, since: datetime | None) -> bool:
    """Remember which silence is told (``None``: it is over). ``False``: somebody else has."""
    statement = sa.update(cost_deliveries).where(
        _table.org_id == known.org_id,
        _table.source == known.source,
        _table.silent_since.is_not_distinct_from(known.silent_since),
    )
    return tx.execute(statement.values(silent_since=since)).rowcount > 0


def _read(tx: Connection, *wanted: sa.ColumnElement[bool]) -> list[DeliveryRecord]:
    statement = select(*_columns).where(*wanted).order_by(_table.org_id, _table.source)
    return [*map(DeliveryRecord._make, tx.execute(statement))]
