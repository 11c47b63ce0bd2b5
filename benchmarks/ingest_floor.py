"""The fastest durable way to store cost events that a bare driver has, in process.

Rows, sums and ids are made beforehand and nothing is validated: what is timed is the database's
part alone. A batch is one transaction, as a request of the product is: the events that are new,
then what they add to the two rollups.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import orjson
import psycopg

Row = tuple[Any, ...]

_EVENTS = (
    "org_id text", "source text", "event_id text", "id text", "occurred_at timestamptz",
    "created_at timestamptz", "provider text", "model text", "cost_nanodollars bigint",
    "tag_value text", "input_tokens bigint", "output_tokens bigint",
    "cached_input_tokens bigint", "reasoning_tokens bigint",
)  # fmt: skip
_MONTHS = (
    "org_id text", "month int", "tag_value text", "cost_nanodollars bigint",
    "request_count bigint",
)  # fmt: skip
_DAYS = (
    "org_id text", "day int", "tag_value text", "source text", "provider text", "model text",
    "cost_nanodollars bigint", "request_count bigint",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one transaction, each list in the order of its key."""

    events: Sequence[Row]
    months: Sequence[Row]
    days: Sequence[Row]


def sqlite_executemany_seconds(path: str, batches: Sequence[Batch]) -> float:
    """``executemany``: a row for each run of a statement."""
    statements = [_statement(each, lambda columns: _marks("?", columns)) for each in _TABLES]

    def store(connection: sqlite3.Connection, batch: Batch) -> None:
        for statement, rows in zip(statements, _lists(batch), strict=True):
            connection.executemany(statement, rows)

    return _sqlite_seconds(path, batches, store)


def sqlite_values_seconds(path: str, batches: Sequence[Batch]) -> float:
    """All rows of a table in one statement; ``sqlite3`` keeps those of each size compiled."""

    @cache
    def statement(table: int, count: int) -> str:
        return _statement(_TABLES[table], lambda columns: _marks("?", columns, count))

    def store(connection: sqlite3.Connection, batch: Batch) -> None:
        for table, rows in enumerate(_lists(batch)):
            connection.execute(statement(table, len(rows)), [*chain.from_iterable(rows)])

    return _sqlite_seconds(path, batches, store)


def _sqlite_seconds(
    path: str, batches: Sequence[Batch], store: Callable[[sqlite3.Connection, Batch], None]
) -> float:
    """WAL, ``synchronous = FULL``."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -16000")
    started = time.perf_counter()
    for batch in batches:
        connection.execute("BEGIN IMMEDIATE")
        store(connection, batch)
        connection.execute("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def executemany_seconds(url: str, batches: Sequence[Batch]) -> float:
    """psycopg's ``executemany``, which sends its rows in pipeline mode."""
    statements = [_statement(each, lambda columns: _marks("%s", columns)) for each in _TABLES]

    def store(cursor: psycopg.Cursor[Any], batch: Batch) -> None:
        for statement, rows in zip(statements, _lists(batch), strict=True):
            cursor.executemany(statement, rows)

    return _postgresql_seconds(url, batches, store)


def unnest_seconds(url: str, batches: Sequence[Batch]) -> float:
    """One array a column, the three statements in one pipeline."""
    statements = [_statement(each, _unnest) for each in _TABLES]

    def store(cursor: psycopg.Cursor[Any], batch: Batch) -> None:
        for statement, rows in zip(statements, _lists(batch), strict=True):
            cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])

    return _postgresql_seconds(url, batches, store)


def json_seconds(url: str, batches: Sequence[Batch]) -> float:
    """All rows of a table as one JSON value, the three statements in one pipeline."""
    statements = [_statement(each, _recordset) for each in _TABLES]
    names = [[column.split()[0] for column in columns] for _, columns, _ in _TABLES]

    def store(cursor: psycopg.Cursor[Any], batch: Batch) -> None:
        for statement, keys, rows in zip(statements, names, _lists(batch), strict=True):
            records = [dict(zip(keys, row, strict=True)) for row in rows]
            cursor.execute(statement, [orjson.dumps(records).decode()])

    return _postgresql_seconds(url, batches, store)


def _postgresql_seconds(
    url: str, batches: Sequence[Batch], store: Callable[[psycopg.Cursor[Any], Batch], None]
) -> float:
    with psycopg.connect(url, autocommit=True, prepare_threshold=1) as connection:
        connection.execute("SET synchronous_commit = on")
        started = time.perf_counter()
        for batch in batches:
            with connection.pipeline(), connection.transaction(), connection.cursor() as cursor:
                store(cursor, batch)
        return time.perf_counter() - started


_TABLES: tuple[tuple[str, Sequence[str], str], ...] = (
    ("margins_cost_events", _EVENTS, "DO NOTHING"),
    ("margins_cost_months", _MONTHS, "(org_id, month, tag_value)"),
    ("margins_cost_model_days", _DAYS, "(org_id, day, tag_value, source, provider, model)"),
)


def _statement(its: tuple[str, Sequence[str], str], values: Callable[[Sequence[str]], str]) -> str:
    table, columns, conflict = its
    names = ", ".join(column.split()[0] for column in columns)
    if conflict != "DO NOTHING":
        sums = ("cost_nanodollars", "request_count")
        added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
        conflict += f" DO UPDATE SET {added}"
    return f"INSERT INTO {table} ({names}) {values(columns)} ON CONFLICT {conflict}"


def _marks(mark: str, columns: Sequence[str], rows: int = 1) -> str:
    row = f"({', '.join([mark] * len(columns))})"
    return f"VALUES {', '.join([row] * rows)}"


def _unnest(columns: Sequence[str]) -> str:
    arrays = ", ".join(f"%s::{column.split()[1]}[]" for column in columns)
    return f"SELECT * FROM unnest({arrays})"


def _recordset(columns: Sequence[str]) -> str:
    return f"SELECT * FROM json_to_recordset(%s::json) AS given({', '.join(columns)})"


def _lists(batch: Batch) -> Iterable[Sequence[Row]]:
    return batch.events, batch.months, batch.days
