"""Connections to revenue providers: one an org and provider, the credential encrypted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Text, and_, bindparam, cast, select, update
from sqlalchemy.exc import IntegrityError

from nullspend_margins.domain.connection import ConnectionStatus
from nullspend_margins.errors import Conflict
from nullspend_margins.storage.questions import Question
from nullspend_margins.storage.tables import connections
from nullspend_margins.storage.types import stored_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredConnection:
    """One connection. ``ciphertext`` is the vault's; ``key_prefix`` is what people see.

    ``skipped_currencies`` is of the last good sync, ``None`` when nothing was skipped.
    ``cursor`` is the provider's own; ``gaps`` are what its credential may not read, as
    ``RevenueGap`` has it. ``backfill_first`` and ``backfill_next`` (``Period.index``) are of a
    backfill that is not done.
    """

    id: str
    org_id: str
    provider: str
    key_prefix: str
    ciphertext: str
    status: ConnectionStatus
    last_sync_at: datetime | None
    last_attempt_at: datetime | None
    last_error: str | None
    skipped_currencies: dict[str, int] | None
    created_at: datetime
    cursor: str | None = None
    gaps: list[dict[str, Any]] | None = None
    backfill_first: int | None = None
    backfill_next: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connection is doing: of ``StoredConnection`` what a table tells."""

    provider: str
    status: ConnectionStatus
    last_sync_at: datetime | None
    skipped_currencies: Mapping[str, int] | None


_FIELDS = tuple(field.name for field in fields(StoredConnection))
_columns = [connections.c[name] for name in _FIELDS]
# Every table asks it.
_standings = Question(
    select(
        connections.c.provider,
        connections.c.status,
        connections.c.last_sync_at,
        cast(connections.c.skipped_currencies, Text),  # PostgreSQL's driver would open it
    )
    .where(connections.c.org_id == bindparam("org_id"))
    .order_by(connections.c.provider)
)
_read = msgspec.json.Decoder(dict[str, int] | None).decode


def insert(tx: Connection, connection: StoredConnection) -> None:
    """Store a new connection. Raises ``Conflict`` when the org has one to that provider."""
    values = {name: getattr(connection, name) for name in _FIELDS}
    try:
        with tx.begin_nested():
            tx.execute(sa.insert(connections).values(**values))
    except IntegrityError as problem:
        raise already_connected() from problem


def already_connected() -> Conflict:
    """The org has a connection to the provider already."""
    return Conflict(
        "This org is already connected to this provider; disconnect first, or replace the key."
    )


def get(
    tx: Connection, org_id: str, provider: str, *, for_update: bool = False
) -> StoredConnection | None:
    """The connection; with ``for_update`` nobody else changes it before this transaction ends."""
    statement = select(*_columns).where(_is(org_id, provider))
    if for_update:
        statement = statement.with_for_update()
    row = tx.execute(statement).one_or_none()
    return None if row is None else _connection(row)


def list_for_org(tx: Connection, org_id: str) -> list[StoredConnection]:
    """All connections of the org, by provider name."""
    mine = connections.c.org_id == org_id
    statement = select(*_columns).where(mine).order_by(connections.c.provider)
    return [_connection(row) for row in tx.execute(statement)]


def standings(tx: Connection, org_id: str) -> list[Standing]:
    """How all connections of the org are doing, by provider name. No credential is read."""
    return [
        Standing(provider, status, synced and stored_instant(synced), skipped and _read(skipped))
        for provider, status, synced, skipped in _standings.rows(tx, org_id=org_id)
    ]


def due(tx: Connection, provider: str | None) -> list[tuple[str, str]]:
    """(org, provider) of every connection that can be synced, least recently attempted first."""
    statement = (
        select(connections.c.org_id, connections.c.provider)
        .where(connections.c.status != "revoked")
        .order_by(
            connections.c.last_attempt_at.asc().nulls_first(),
            connections.c.last_sync_at.asc().nulls_first(),
            connections.c.org_id,
            connections.c.provider,
        )
    )
    if provider is not None:
        statement = statement.where(connections.c.provider == provider)
    return [(row[0], row[1]) for row in tx.execute(statement)]


def replace_credential(
    tx: Connection,
    org_id: str,
    provider: str,
    *,
    key_prefix: str,
    ciphertext: str,
    is_resealed: bool = False,
) -> bool:
    """Give the connection another credential; it is active again. ``False``: there is none.

    Cursor and gaps are forgotten, since another credential may read more; unless ``is_resealed``.
    """
    return _change(
        tx,
        org_id,
        provider,
        {
            "key_prefix": key_prefix,
            "ciphertext": ciphertext,
            "status": "active",
            "last_error": None,
            **({} if is_resealed else {"cursor": None, "gaps": None}),
        },
    )


def mark_synced(
    tx: Connection,
    org_id: str,
    provider: str,
    now: datetime,
    skipped_currencies: Mapping[str, int] | None,
    *,
    cursor: str | None = None,
    gaps: Sequence[Mapping[str, object]] = (),
) -> bool:
    """A sync went well. ``False``: the connection is gone.

    Without a ``cursor`` the one there is stays.
    """
    return _change(
        tx,
        org_id,
        provider,
        {
            "status": "active",
            "last_sync_at": now,
            "last_attempt_at": now,
            "last_error": None,
            "skipped_currencies": dict(skipped_currencies) if skipped_currencies else None,
            "gaps": [dict(gap) for gap in gaps],
            **({} if cursor is None else {"cursor": cursor}),
        },
    )


def store_gaps(
    tx: Connection, org_id: str, provider: str, gaps: Sequence[Mapping[str, object]]
) -> bool:
    """What the credential may not read, as it was found outside of a sync."""
    return _change(tx, org_id, provider, {"gaps": [dict(gap) for gap in gaps]})


def mark_backfilled(
    tx: Connection, org_id: str, provider: str, first: int | None, following: int | None
) -> bool:
    """How far a backfill is: what it began with, what is next. ``None``, ``None``: done."""
    return _change(tx, org_id, provider, {"backfill_first": first, "backfill_next": following})


def mark_failed(
    tx: Connection,
    org_id: str,
    provider: str,
    now: datetime,
    *,
    status: ConnectionStatus,
    error: str,
) -> bool:
    """A sync failed; ``last_sync_at`` stays that of the last good one. ``False``: it is gone."""
    return _change(
        tx, org_id, provider, {"status": status, "last_attempt_at": now, "last_error": error}
    )


def delete(tx: Connection, org_id: str, provider: str) -> bool:
    """Forget the connection. ``False``: there was none."""
    return tx.execute(sa.delete(connections).where(_is(org_id, provider))).rowcount > 0


def _change(tx: Connection, org_id: str, provider: str, values: Mapping[str, Any]) -> bool:
    return (
        tx.execute(update(connections).where(_is(org_id, provider)).values(**values)).rowcount > 0
    )


def _is(org_id: str, provider: str) -> ColumnElement[bool]:
    return and_(connections.c.org_id == org_id, connections.c.provider == provider)


def _connection(row: Row[Any]) -> StoredConnection:
    return StoredConnection(**dict(zip(_FIELDS, row, strict=True)))
