"""Keys for sending cost events. Only a hash of each is here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, or_, select

from nullspend_margins.errors import Conflict
from nullspend_margins.storage.tables import ingest_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """What is known of a key: ``prefix`` is its visible beginning."""

    id: str
    org_id: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None


def insert(
    tx: Connection, org_id: str, key_id: str, prefix: str, key_hash: str, now: datetime
) -> None:
    """Store a new key. ``key_hash`` is text and unique."""
    tx.execute(
        sa.insert(ingest_keys).values(
            id=key_id, org_id=org_id, prefix=prefix, key_hash=key_hash, created_at=now
        )
    )


def org_of(tx: Connection, key_hash: str) -> str | None:
    """The org of a key that is not revoked. The one question that is asked before knowing it."""
    found: str | None = tx.scalar(
        select(ingest_keys.c.org_id).where(
            ingest_keys.c.key_hash == key_hash, ingest_keys.c.revoked_at.is_(None)
        )
    )
    return found


def list_keys(tx: Connection, org_id: str) -> list[StoredKey]:
    """All keys of the org, revoked ones too, oldest first."""
    found = tx.execute(
        select(
            ingest_keys.c.id,
            ingest_keys.c.org_id,
            ingest_keys.c.prefix,
            ingest_keys.c.created_at,
            ingest_keys.c.revoked_at,
        )
        .where(ingest_keys.c.org_id == org_id)
        .order_by(ingest_keys.c.created_at, ingest_keys.c.id)
    )
    return [StoredKey(**row._mapping) for row in found]


def revoke(tx: Connection, org_id: str, id_or_prefix: str, now: datetime) -> bool:
    """Revoke the org's active key with this id or prefix. ``False``: there is none.

    Raises ``Conflict`` when several active keys have that prefix.
    """
    statement = select(ingest_keys.c.id).where(
        ingest_keys.c.org_id == org_id,
        ingest_keys.c.revoked_at.is_(None),
        or_(ingest_keys.c.id == id_or_prefix, ingest_keys.c.prefix == id_or_prefix),
    )
    found = tx.scalars(statement.with_for_update()).all()
    if len(found) > 1:
        raise Conflict(f"{len(found)} keys begin with {id_or_prefix}; revoke by id.")
    if not found:
        return False
    is_it = ingest_keys.c.org_id == org_id, ingest_keys.c.id == found[0]
    tx.execute(sa.update(ingest_keys).where(*is_it).values(revoked_at=now))
    return True
