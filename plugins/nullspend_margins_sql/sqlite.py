"""What SQLite lacks: a limit on a query's time, exact sums of floats, months of any time zone."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import Connection

from nullspend_margins_sql.money import nanodollars
from nullspend_margins_sql.times import instant

SUM = "margins_sum"
"""``margins_sum(cost, factor)``: nanodollars as text, or ``UNREADABLE``."""
DAY = "margins_day"
"""``margins_day(time)``: ``YYYY-MM-DD`` in UTC, or NULL when it is no time."""
UNREADABLE = "unreadable"

_STEPS = 20_000
"""Instructions of SQLite's machine between two looks at the clock: a few milliseconds."""


def configure(connection: sqlite3.Connection, _record: object) -> None:
    """Make a new connection ready: it can't write, and has our functions."""
    connection.execute("PRAGMA query_only = ON")
    aggregate: Any = _ExactSum
    connection.create_aggregate(SUM, 2, aggregate)
    connection.create_function(DAY, 1, _utc_day, deterministic=True)


def begin(connection: Connection, deadline: float) -> None:
    """One snapshot for all statements; what runs at ``deadline`` is interrupted."""
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    connection.exec_driver_sql("BEGIN")


class _ExactSum:
    """Adds up what is no whole number: floats as they are written, and numbers in texts."""

    def __init__(self) -> None:
        self._sum = 0
        self._is_readable = True

    def step(self, cost: object, factor: int) -> None:
        """One row."""
        try:
            self._sum += nanodollars(cost, factor)
        except ValueError:
            self._is_readable = False

    def finalize(self) -> str:
        """The sum, which may be too large for an integer of SQLite."""
        return str(self._sum) if self._is_readable else UNREADABLE


def _utc_day(moment: object) -> str | None:
    try:
        return instant(moment).date().isoformat()
    except ValueError:
        return None
