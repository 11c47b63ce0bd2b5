"""How far the newest sync of each connection is, and what came of it, for whoever looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, and_, select, update

from nullspend_margins.storage.dialects import insert_into
from nullspend_margins.storage.tables import syncs


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSync:
    """One sync. ``fence`` is that of its lease: what tells it from the one before and after.

    ``updated_at`` is when it last came forward. ``month`` (``Period.index``) is the one that a
    backfill is at. Once it has ended it has a ``report`` or an ``error``.
    """

    org_id: str
    provider: str
    fence: int
    started_at: datetime
    updated_at: datetime
    stage: str
    invoices_fetched: int
    month: int | None
    ended_at: datetime | None
    report: dict[str, Any] | None
    error: dict[str, Any] | None


_columns = [syncs.c[field.name] for field in fields(StoredSync)]


def begin(
    tx: Connection,
    org_id: str,
    provider: str,
    fence: int,
    now: datetime,
    *,
    stage: str,
    month: int | None,
) -> None:
    """A sync begins; it takes the place of the one before, never that of a later one."""
    fresh: dict[str, Any] = {
        "fence": fence,
        "started_at": now,
        "updated_at": now,
        "stage": stage,
        "invoices_fetched": 0,
        "month": month,
        "ended_at": None,
        "report": None,
        "error": None,
    }
    tx.execute(
        insert_into(tx, syncs)
        .values(org_id=org_id, provider=provider, **fresh)
        .on_conflict_do_update(
            index_elements=["org_id", "provider"], set_=fresh, where=syncs.c.fence < fence
        )
    )


def tell(
    tx: Connection,
    org_id: str,
    provider: str,
    fence: int,
    now: datetime,
    *,
    stage: str,
    invoices_fetched: int,
) -> bool:
    """How far it is. ``False``: it has ended, or another one has begun."""
    return _change(
        tx,
        org_id,
        provider,
        fence,
        {"updated_at": now, "stage": stage, "invoices_fetched": invoices_fetched},
    )


def end(
    tx: Connection,
    org_id: str,
    provider: str,
    fence: int,
    now: datetime,
    *,
    report: Mapping[str, object] | None = None,
    error: Mapping[str, object] | None = None,
) -> bool:
    """What came of it. ``False``: that is told already, or another one has begun."""
    told = {
        "report": None if report is None else dict(report),
        "error": None if error is None else dict(error),
    }
    return _change(tx, org_id, provider, fence, {"updated_at": now, "ended_at": now, **told})


def of_org(tx: Connection, org_id: str) -> dict[str, StoredSync]:
    """The newest sync of each of the org's connections, by provider."""
    found = tx.execute(select(*_columns).where(syncs.c.org_id == org_id))
    return {row.provider: _sync(row) for row in found}


def delete_provider(tx: Connection, org_id: str, provider: str) -> None:
    """Forget what the syncs of a connection did."""
    condition = and_(syncs.c.org_id == org_id, syncs.c.provider == provider)
    tx.execute(sa.delete(syncs).where(condition))


def _change(
    tx: Connection, org_id: str, provider: str, fence: int, values: Mapping[str, Any]
) -> bool:
    running = _is_running(org_id, provider, fence)
    return tx.execute(update(syncs).where(running).values(**values)).rowcount > 0


def _is_running(org_id: str, provider: str, fence: int) -> ColumnElement[bool]:
    return and_(
        syncs.c.org_id == org_id,
        syncs.c.provider == provider,
        syncs.c.fence == fence,
        syncs.c.ended_at.is_(None),
    )


def _sync(row: Row[Any]) -> StoredSync:
    return StoredSync(**row._mapping)
