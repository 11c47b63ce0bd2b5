"""The statements that SQLAlchemy spells once for each database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert = postgresql.Insert | sqlite.Insert


def insert_into(tx: Connection, table: Table) -> Insert:
    """An ``INSERT`` that can say ``ON CONFLICT``."""
    if tx.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def upsert(tx: Connection, table: Table, values: Mapping[str, Any]) -> Insert:
    """Insert a row, or replace everything but the primary key of the one that is there."""
    keys = list(table.primary_key.columns.keys())
    changed = {name: value for name, value in values.items() if name not in keys}
    return (
        insert_into(tx, table)
        .values(**values)
        .on_conflict_do_update(index_elements=keys, set_=changed)
    )
