"""What SQLAlchemy spells, and drivers tell, once for each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, Text, any_, literal, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

Insert = postgresql.Insert | sqlite.Insert

_AT_ONCE = {"sqlite": 500, "postgresql": 10_000}
_OUT_OF_RANGE = "22003"
_SQLITE_ERROR, _SQLITE_CONSTRAINT_CHECK = 1, 275

_MUCH_MEMORY = text(
    "SELECT set_config('work_mem', '64MB', true)"
    " WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB')"
)


def insert_into(tx: Connection, table: Table) -> Insert:
    """An ``INSERT`` that can say ``ON CONFLICT``."""
    return insert_for(tx.dialect.name, table)


def insert_for(dialect: str, table: Table) -> Insert:
    """The same, where there is no connection yet."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def is_among(
    tx: Connection, column: ColumnElement[str], values: Sequence[str]
) -> ColumnElement[bool]:
    """``column IN values``. At most 30,000 values, which is what SQLite takes.

    PostgreSQL gets them as one array: it looks those up in a hash table where it has to scan,
    while a list of parameters is gone through for each row.
    """
    if tx.dialect.name == "sqlite":
        return column.in_(values)
    return column == any_(literal([*values], postgresql.ARRAY(Text)))


def chunks(tx: Connection, values: Sequence[str]) -> Iterator[Sequence[str]]:
    """``values`` some at a time, few enough for ``is_among``.

    Many in PostgreSQL, which may look through all that an org has each time.
    """
    at_once = _AT_ONCE[tx.dialect.name]
    for start in range(0, len(values), at_once):
        yield values[start : start + at_once]


def upsert(tx: Connection, table: Table, values: Mapping[str, Any]) -> Insert:
    """Insert a row, or replace everything but the primary key of the one that is there."""
    keys = list(table.primary_key.columns.keys())
    changed = {name: value for name, value in values.items() if name not in keys}
    return (
        insert_into(tx, table)
        .values(**values)
        .on_conflict_do_update(index_elements=keys, set_=changed)
    )


def lock(tx: Connection, *names: str) -> None:
    """One transaction at a time for these names; given back with its end.

    For what several rows decide together, and rows that are not there yet: those cannot be
    locked. SQLite's writers are alone anyway.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))"),
            {"what": msgspec.json.encode(["nullspend-margins", *names]).decode()},
        )


@contextmanager
def large_joins(tx: Connection) -> Iterator[None]:
    """The block joins tables that were filled a moment ago.

    They have no statistics yet, and PostgreSQL would take them for empty and compare each row with
    each. It is told not to.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("SET LOCAL enable_nestloop = off"))
    yield
    if tx.dialect.name == "postgresql":
        tx.execute(text("SET LOCAL enable_nestloop TO DEFAULT"))


def sort_in_memory(tx: Connection) -> None:
    """Until the end of the transaction PostgreSQL sorts, hashes and groups more before it goes to
    its disk for that: what a sync brings, where its default is for what a page shows.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(_MUCH_MEMORY)


@contextmanager
def overflow_as(error: Callable[[], Exception]) -> Iterator[None]:
    """Raise what ``error`` makes where a number, or a sum, fits no 64-bit integer."""
    try:
        yield
    except DBAPIError as problem:
        if _is_overflow(problem):
            raise error() from problem
        raise


def _is_overflow(problem: DBAPIError) -> bool:
    state = getattr(problem.orig, "sqlstate", None)
    code = getattr(problem.orig, "sqlite_errorcode", None)
    return (
        state == _OUT_OF_RANGE
        or code == _SQLITE_CONSTRAINT_CHECK
        # A sum; SQLite has no code of its own for that.
        or (code == _SQLITE_ERROR and str(problem.orig) == "integer overflow")
    )
