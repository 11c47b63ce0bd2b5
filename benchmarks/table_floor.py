"""What the bare driver needs for the same answer: the rows in one snapshot, and orjson.

The rows are those a margin table and a customer's detail are made of, read as the driver gives
them; the JSON is made of Python objects that are there already. Nothing is joined, computed or
checked in between: no product can be faster that reads what it tells.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol

import orjson
import psycopg

from benchmarks.databases import sqlite_path
from benchmarks.products import ORG
from benchmarks.seed import MONTHS, PERIOD
from nullspend_margins.domain.period import Period, day_number

_LAST = Period.parse(PERIOD)
_FIRST = _LAST.shift(1 - MONTHS)
_IN_MONTHS = f"month BETWEEN {_FIRST.index} AND {_LAST.index}"
_EACH_MONTH = f"month IN ({', '.join(str(_FIRST.index + nth) for nth in range(MONTHS))})"
_DAYS = ", ".join(map(str, range(day_number(_LAST.start), day_number(_LAST.end))))
_REVENUE = f"FROM margins_customer_months WHERE org_id = '{ORG}' AND"
_OF_CUSTOMER = "provider = 'stripe' AND customer_id = '{customer}'"

TABLE = (
    (
        f"SELECT provider, customer_id, tag_value FROM margins_mappings "
        f"WHERE org_id = '{ORG}' AND tag_key = 'customer'"
    ),
    f"SELECT provider, customer_id, month, invoiced {_REVENUE} {_IN_MONTHS}",
    f"SELECT provider, customer_id, customer_name, avatar_url {_REVENUE} month = {_LAST.index}",
    (
        f"SELECT tag_value, month, cost_nanodollars FROM margins_cost_months "
        f"WHERE org_id = '{ORG}' AND {_IN_MONTHS} AND tag_value <> ''"
    ),
    (
        f"SELECT last_sync_at, status, skipped_currencies FROM margins_connections "
        f"WHERE org_id = '{ORG}'"
    ),
)
"""The questions behind ``GET /api/margins``."""

_DETAIL = (
    (
        f"SELECT provider, customer_id FROM margins_mappings "
        f"WHERE org_id = '{ORG}' AND tag_key = 'customer' AND tag_value = '{{tag}}'"
    ),
    (
        f"SELECT month, invoiced, customer_name, avatar_url {_REVENUE} {_EACH_MONTH} "
        f"AND {_OF_CUSTOMER}"
    ),
    (
        f"SELECT month, cost_nanodollars FROM margins_cost_months "
        f"WHERE org_id = '{ORG}' AND {_EACH_MONTH} AND tag_value = '{{tag}}'"
    ),
    (
        f"SELECT model, cost_nanodollars, request_count FROM margins_cost_model_days "
        f"WHERE org_id = '{ORG}' AND day IN ({_DAYS}) AND tag_value = '{{tag}}'"
    ),
)


def detail(number: int) -> tuple[str, ...]:
    """The questions behind ``GET /api/margins/customer-<number>``."""
    return tuple(
        query.format(tag=f"customer-{number}", customer=f"cus_{number}") for query in _DETAIL
    )


class Floor(Protocol):
    """A bare driver on one database."""

    def connect(self) -> None: ...
    def close(self) -> None: ...
    def read(self, queries: Sequence[str]) -> int:
        """Ask all ``queries`` in one snapshot; how many rows came."""
        ...


class SqliteFloor:
    """sqlite3."""

    def __init__(self, url: str) -> None:
        self._path = sqlite_path(url)
        self._connection: sqlite3.Connection | None = None

    def connect(self) -> None:
        self._connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA cache_size = -16000")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def read(self, queries: Sequence[str]) -> int:
        assert self._connection is not None
        execute = self._connection.execute
        execute("BEGIN")
        count = sum(len(execute(query).fetchall()) for query in queries)
        execute("COMMIT")
        return count


class PostgresFloor:
    """psycopg, its statements in one pipeline."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None

    def connect(self) -> None:
        self._connection = psycopg.connect(self._url, autocommit=True, prepare_threshold=1)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def read(self, queries: Sequence[str]) -> int:
        assert self._connection is not None
        with self._connection.pipeline():
            execute = self._connection.execute
            execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursors = [execute(query.encode()) for query in queries]
            execute("COMMIT")
            return sum(len(cursor.fetchall()) for cursor in cursors)


def floor_of(url: str) -> Floor:
    """The bare driver of the database at ``url``."""
    return SqliteFloor(url) if url.startswith("sqlite") else PostgresFloor(url)


def encode(answer: object) -> bytes:
    """The answer as JSON."""
    return orjson.dumps(answer)
