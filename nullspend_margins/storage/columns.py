"""The parts that tables are made of.

Table names start with ``margins_``, since a host may share its PostgreSQL database with us.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, MetaData, Table
from sqlalchemy.types import TypeEngine

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
}
PREFIX = "margins_"
VERSION_TABLE = PREFIX + "schema_version"
"""Our own, beside whatever Alembic table the host has."""

metadata: MetaData = MetaData(naming_convention=NAMING_CONVENTION)


def table(name: str, *parts: Any, clustered: bool = False) -> Table:
    """A table of ours. ``clustered``: in SQLite its rows live in the primary key's tree."""
    return Table(PREFIX + name, metadata, *parts, sqlite_with_rowid=not clustered)


def needed(name: str, kind: TypeEngine[Any]) -> Column[Any]:
    """A column that always has a value."""
    return Column(name, kind, nullable=False)


def optional(name: str, kind: TypeEngine[Any]) -> Column[Any]:
    """A column that may be NULL."""
    return Column(name, kind, nullable=True)


def exact(*names: str) -> list[CheckConstraint]:
    """SQLite turns an integer that overflows into a REAL. In these columns that is an error."""
    return [
        CheckConstraint(f"typeof({name}) = 'integer'").ddl_if(dialect="sqlite") for name in names
    ]
