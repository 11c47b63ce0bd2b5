"""Many rows in one statement, and many rows out without an object each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, cast

import msgspec
from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    CursorResult,
    Float,
    Integer,
    Table,
    Text,
    func,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.expression import Executable

from nullspend_margins.storage.types import UtcDateTime

Row = tuple[Any, ...]

_AT_ONCE = (500, 100, 1)
"""How many rows a statement of SQLite has: as many as are left, but of few different sizes.

It takes 32,766 values in one; the widest table has 23 columns.
"""


class BulkInsert:
    """``INSERT ... ON CONFLICT`` of any number of rows into one table.

    Rows are tuples in the table's column order, instants as ``instant_text``, documents as JSON
    text. SQLite takes up to 500 in a statement, and the last few one by one: a thread has to come
    by the interpreter's lock after each, which takes ten times as long as the rest where the event
    loop is busy. PostgreSQL takes them as one JSON parameter, which is twice as fast as
    ``executemany`` there, and prepares once whatever the number of rows. Rows are written in the
    order given, on both: callers sort them, so that two writers lock alike.
    """

    def __init__(self, table: Table, on_conflict: str) -> None:
        names = [str(column.name) for column in table.columns]
        # Unseen by the garbage collector: a dictionary for each of so many rows would have it look
        # through all that the host holds, time and again, and everything stands still meanwhile.
        # By short names: they stand in each row.
        short = [f"c{place}" for place in range(len(names))]
        self._record: Callable[..., msgspec.Struct] = msgspec.defstruct(
            str(table.name), short, gc=False
        )
        into = f"INSERT INTO {table.name} ({', '.join(names)})"
        marks = f"({', '.join('?' * len(names))})"
        self._sqlite = cache(
            lambda count: f"{into} VALUES {', '.join([marks] * count)} ON CONFLICT {on_conflict}"
        )
        columns = [*zip(short, table.columns, strict=True)]
        given = ", ".join(f"{name} {_json_type(column.type)}" for name, column in columns)
        values = ", ".join(
            f"{name}::json" if isinstance(column.type, JSON) else name for name, column in columns
        )
        self._postgresql = (
            # S608: made of the names in the schema alone.
            f"{into} SELECT {values} FROM json_to_recordset(%s::json) AS given({given}) "  # noqa: S608
            f"ON CONFLICT {on_conflict}"
        )

    def write(self, tx: Connection, rows: Sequence[Row]) -> int:
        """Insert ``rows``; how many were inserted or, in a conflict, changed."""
        if not rows:
            return 0
        if tx.dialect.name == "sqlite":
            return self._write_sqlite(tx, rows)
        records = as_json([self._record(*row) for row in rows])
        return tx.exec_driver_sql(self._postgresql, (records,)).rowcount

    def _write_sqlite(self, tx: Connection, rows: Sequence[Row]) -> int:
        done = changed = 0
        for count in _AT_ONCE:
            until = len(rows) - (len(rows) - done) % count
            if done < until:
                some = range(done, until, count)
                values = [tuple(chain.from_iterable(rows[at : at + count])) for at in some]
                changed += tx.exec_driver_sql(self._sqlite(count), values).rowcount
                done = until
        return changed


class BulkFind:
    """``SELECT`` of ``columns`` by many keys of one org and source.

    One parameter whatever the number of keys, so that there is one statement to prepare.
    """

    def __init__(self, table: Table, key: str, *columns: str) -> None:
        # S608: made of the names in the schema alone.
        found = f"SELECT {', '.join(columns)} FROM {table.name} WHERE"  # noqa: S608
        one_of_them = f"{key} IN (SELECT value FROM json_each(?))"  # noqa: S608 - the same
        self._sqlite = f"{found} org_id = ? AND source = ? AND {one_of_them}"
        self._postgresql = f"{found} org_id = %s AND source = %s AND {key} = ANY(%s)"

    def read(self, tx: Connection, org_id: str, source: str, keys: Sequence[str]) -> list[Row]:
        """The rows that are there, as ``fetch_tuples`` gives them."""
        if tx.dialect.name == "sqlite":
            found = tx.exec_driver_sql(self._sqlite, (org_id, source, as_json(keys)))
        else:
            found = tx.exec_driver_sql(self._postgresql, (org_id, source, [*keys]))
        return _tuples(found)


def adding(table: Table, *columns: str) -> str:
    """The ``ON CONFLICT`` clause that adds ``columns`` to what the row has."""
    sums = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in columns)
    return f"({_keys(table)}) DO UPDATE SET {sums}"


def replacing(table: Table) -> str:
    """The ``ON CONFLICT`` clause that replaces everything but the key."""
    sets = ", ".join(
        f"{column.name} = excluded.{column.name}"
        for column in table.columns
        if not column.primary_key
    )
    return f"({_keys(table)}) DO UPDATE SET {sets}"


def as_json(value: object) -> str:
    """JSON text."""
    return msgspec.json.encode(value).decode()


def fetch_tuples(
    tx: Connection, statement: Executable, parameters: Mapping[str, object]
) -> list[Row]:
    """All rows as the driver gives them, which is much faster than result objects.

    Types are the driver's: an instant is text in SQLite.
    """
    return _tuples(tx.execute(statement, parameters))


def json_object(
    dialect: str, key: ColumnElement[str], value: ColumnElement[Any], *more: ColumnElement[Any]
) -> ColumnElement[str | None]:
    """Many rows as one JSON text: ``value`` by ``key``, an array where there are ``more``.

    Decoding it takes half the time of as many rows. In PostgreSQL the object of no rows is NULL.
    """
    if dialect == "sqlite":
        content = func.json_array(value, *more) if more else value
        return func.json_group_object(key, content)
    content = func.json_build_array(value, *more) if more else value
    return sql_cast(func.json_object_agg(key, content), Text)


def _tuples(result: CursorResult[Any]) -> list[Row]:
    rows = cast("list[Row]", result.cursor.fetchall())
    result.close()
    return rows


def _keys(table: Table) -> str:
    return ", ".join(table.primary_key.columns.keys())


def _json_type(kind: object) -> str:
    if isinstance(kind, BigInteger):
        return "bigint"
    if isinstance(kind, Integer):
        return "integer"
    if isinstance(kind, Float):
        return "double precision"
    return "timestamptz" if isinstance(kind, UtcDateTime) else "text"
