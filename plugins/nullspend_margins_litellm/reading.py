"""Asks the proxy's PostgreSQL: read-only, with a time limit, never on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Protocol

from nullspend_margins import ConfigurationError, Secret, ServiceUnavailable

Row = Mapping[str, Any]

PAGE_ROWS = 1_000
"""Rows asked for at a time: as many as a batch may hold."""
_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 60
_LOST_MILLISECONDS = 70_000
"""For how long a server may not acknowledge what was sent to it."""
_COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = ANY (current_schemas(false)) AND table_name = ANY (%(tables)s)
"""


class Reader(Protocol):
    """Where rows come from; tests bring their own."""

    async def rows(self, statement: str, values: Mapping[str, object]) -> Sequence[Row]:
        """The rows of one SELECT. Raises ``ServiceUnavailable``."""
        ...


class PostgresReader:
    """One connection for each question: none is held while its answer is being stored.

    Raises ``ConfigurationError`` where the driver is not installed.
    """

    def __init__(self, url: Secret) -> None:
        if find_spec("psycopg") is None:
            raise ConfigurationError(
                "plugins.litellm.database_url needs a driver: "
                'pip install "nullspend-margins[postgres]"'
            )
        self._url = url

    async def rows(self, statement: str, values: Mapping[str, object]) -> Sequence[Row]:
        """The rows of one SELECT. Raises ``ServiceUnavailable``."""
        return await asyncio.to_thread(self._rows, statement, values)

    def _rows(self, statement: str, values: Mapping[str, object]) -> list[Row]:
        import psycopg
        from psycopg.rows import dict_row

        try:
            with psycopg.connect(
                self._url.reveal(),
                connect_timeout=_CONNECT_SECONDS,
                application_name="nullspend-margins",
                row_factory=dict_row,
                prepare_threshold=None,  # a pooler may be in between
                tcp_user_timeout=_LOST_MILLISECONDS,
            ) as connection:
                connection.read_only = True
                connection.execute(f"SET LOCAL statement_timeout = '{_STATEMENT_SECONDS}s'")
                return list(connection.execute(statement.encode(), values).fetchall())
        except psycopg.Error as problem:
            # Its own text may quote the URL; what the server says does not.
            said = problem.diag.message_primary or type(problem).__name__
            raise ServiceUnavailable(f"LiteLLM's database does not answer: {said}") from None


async def columns_of(reader: Reader, *tables: str) -> Mapping[str, frozenset[str]]:
    """The columns that may be read of each of ``tables``; empty for one that is not there."""
    found: dict[str, set[str]] = {table: set() for table in tables}
    for row in await reader.rows(_COLUMNS, {"tables": [*tables]}):
        found[row["table_name"]].add(row["column_name"])
    return {table: frozenset(columns) for table, columns in found.items()}
