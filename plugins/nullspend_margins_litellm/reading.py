"""Asks the proxy's PostgreSQL: read-only, with a time limit, never on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Protocol

from nullspend_margins import ConfigurationError, Secret, ServiceUnavailable

_log = logging.getLogger("nullspend_margins.litellm")

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

    Raises ``ConfigurationError`` where the driver is not installed, or does not take the URL.
    """

    def __init__(self, url: Secret) -> None:
        if find_spec("psycopg") is None:
            raise ConfigurationError(
                "plugins.litellm.database_url needs a driver: "
                'pip install "nullspend-margins[postgres]"'
            )
        self._password = _password_in(url)
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
            if said := problem.diag.message_primary:
                raise ServiceUnavailable(f"LiteLLM's database does not answer: {said}") from None
            # Names of hosts are for who runs this, not for everybody who may see coverage.
            _log.warning("LiteLLM's database: %s", self._reason(problem))
            raise ServiceUnavailable(
                "LiteLLM's database does not answer; the log says why."
            ) from None

    def _reason(self, problem: Exception) -> str:
        """Why it can't be reached; of a text with the password in it the kind alone."""
        said = next(iter(str(problem).strip().splitlines()), "")
        is_safe = not self._password or self._password not in said
        return said if said and is_safe else type(problem).__name__


def _password_in(url: Secret) -> str:
    """The URL's password, ``""`` without one. Raises ``ConfigurationError``, not repeating it."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    known: Mapping[str, Any] = {}
    with contextlib.suppress(ProgrammingError):
        known = conninfo_to_dict(url.reveal())
    # An @ in the host: what stands before it is the end of a password.
    if not known or "@" in str(known.get("host", "")):
        raise ConfigurationError(
            "plugins.litellm.database_url: is no URL that PostgreSQL's driver takes: "
            "postgresql://USER@HOST/NAME; special characters in a password must be "
            "percent-encoded, and what stands behind a ? must be an option of libpq's"
        )
    return str(known.get("password") or "")


def require_columns(table: str, columns: frozenset[str], needed: frozenset[str]) -> None:
    """Raise ``ServiceUnavailable`` if a table, or a column of it, is not there to be read."""
    if not columns:
        raise ServiceUnavailable(
            f"LiteLLM's database has no table {table} that may be read. Is it the proxy's, with "
            "the schema in its search_path, and is SELECT granted?"
        )
    missing = sorted(needed - columns)
    if missing:
        raise ServiceUnavailable(f"{table} has no column {missing[0]}, or it may not be read.")


async def columns_of(reader: Reader, *tables: str) -> Mapping[str, frozenset[str]]:
    """The columns that may be read of each of ``tables``; empty for one that is not there."""
    found: dict[str, set[str]] = {table: set() for table in tables}
    for row in await reader.rows(_COLUMNS, {"tables": [*tables]}):
        found[row["table_name"]].add(row["column_name"])
    return {table: frozenset(columns) for table, columns in found.items()}
