"""A host's own table, and sources over it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg

from nullspend_margins import Clock, PluginContext
from nullspend_margins.testing import FixedClock
from nullspend_margins_sql.plugin import register_cost_sources

COLUMNS = {
    "org": "org",
    "customer": "customer",
    "cost": "cost",
    "model": "model",
    "time": "at",
    "id": "id",
}
SQLITE_TABLE = (
    "CREATE TABLE usage_log (id INTEGER PRIMARY KEY, org TEXT, customer TEXT, model TEXT, "
    "cost NUMERIC, at TEXT)"
)
POSTGRES_TABLE = (
    "CREATE TABLE usage_log (id BIGINT PRIMARY KEY, org TEXT, customer TEXT, model TEXT, "
    "cost NUMERIC, at TIMESTAMPTZ)"
)
Row = tuple[object, ...]
"""id, org, customer, model, cost, at."""


class HostTable:
    """A table in a database of the host's, which tests write and the source reads."""

    def __init__(self, url: str, create: str | None = None) -> None:
        self.url = url
        is_sqlite = url.startswith("sqlite")
        self.execute(create or (SQLITE_TABLE if is_sqlite else POSTGRES_TABLE))

    def _connect(self) -> Any:
        if self.url.startswith("sqlite"):
            return sqlite3.connect(self.url.removeprefix("sqlite:///"))
        return psycopg.connect(self.url)

    def execute(self, statement: str, rows: Iterable[Sequence[object]] = ()) -> list[Any]:
        """Run a statement, once or for each row, and commit it."""
        rows = list(rows)
        with closing(self._connect()) as connection:
            cursor = connection.cursor()
            if rows:
                cursor.executemany(statement, rows)
            else:
                cursor.execute(statement)
            found = cursor.fetchall() if cursor.description else []
            connection.commit()
        return list(found)

    def insert(self, *rows: Row) -> None:
        mark = "?" if self.url.startswith("sqlite") else "%s"
        marks = ", ".join([mark] * len(rows[0]))
        self.execute(f"INSERT INTO usage_log VALUES ({marks})", rows)  # noqa: S608 - of question marks

    def source(self, *, clock: Clock | None = None, **changes: Any) -> Any:
        return source(self.url, clock=clock, **changes)


def source(url: str, *, clock: Clock | None = None, **changes: Any) -> Any:
    """The source ``sql-usage`` over ``usage_log``, made as the product makes it."""
    table = {"url": url, "table": "usage_log", "columns": COLUMNS, "unit": "dollars", **changes}
    kept = {key: each for key, each in table.items() if each is not None}
    [made] = register_cost_sources(context({"usage": kept}, clock))
    return made


def context(sources: Mapping[str, object], clock: Clock | None = None) -> PluginContext:
    return PluginContext(name="sql", table={"sources": sources}, clock=clock or FixedClock())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
