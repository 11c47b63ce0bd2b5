"""The host's database: short read-only transactions in a few threads, and what goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from nullspend_margins import ServiceUnavailable
from nullspend_margins_sql import sqlite

T = TypeVar("T")

_CONNECT_SECONDS = 10
_RECYCLE_SECONDS = 900
_SLACK_SECONDS = 5
"""How much longer than a query may take its answer is waited for."""
_SHOWN_STATES = ("08", "25", "28", "3D", "42", "53", "57")
"""Classes of SQLSTATE whose messages name tables, columns and roles, and never hold values."""
_log = logging.getLogger(__name__)


class HostDatabase:
    """Asked from any event loop. Nothing is opened before the first question.

    Connections are few, checked before use and not kept for long; those that are idle are closed
    when the object is collected, or the process ends.
    """

    def __init__(self, source: str, url: URL, *, timeout_seconds: int, connections: int) -> None:
        self._source = source
        self._url = url
        self._seconds = timeout_seconds
        self._connections = connections
        self._threads = ThreadPoolExecutor(connections, f"margins-{source}")
        self._turn = threading.Lock()
        self._running = 0
        self._is_over = False
        self._engine: Engine | None = None
        self._told: str | None = None

    @property
    def kind(self) -> str:
        """``postgresql``, ``sqlite``, ``mysql`` or another of SQLAlchemy's names."""
        return self._url.get_backend_name()

    async def ask(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a read-only transaction, which is rolled back.

        Raises ``ServiceUnavailable`` when the database does not answer, or not in time. Why is
        logged, without passwords and values. A cancelled caller leaves a query to its end.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._seconds + _CONNECT_SECONDS + _SLACK_SECONDS):
                answer = await loop.run_in_executor(self._threads, self._transact, work)
        except Exception as problem:
            if not self._is_trouble(problem):
                raise
            self._tell(self._reason(problem))
            raise ServiceUnavailable(
                f"The cost source {self._source} does not answer; the log says why."
            ) from None
        self._told = None
        return answer

    def release(self) -> None:
        """Close all connections once the last query has ended; the next question connects anew."""
        with contextlib.suppress(RuntimeError):  # at the end of the process: it does so itself
            self._threads.submit(self._let_go)

    def _let_go(self) -> None:
        with self._turn:
            self._is_over = True
            self._close_if_idle()

    def _close_if_idle(self) -> None:
        # One that is in use would come back to a pool that nobody closes.
        if self._is_over and not self._running and self._engine is not None:
            self._engine.dispose()

    def _transact(self, work: Callable[[Connection], T]) -> T:
        with self._turn:
            engine = self._open()
            self._running += 1
            self._is_over = False
        try:
            with engine.connect() as connection:
                _begin(connection, self._seconds)
                return work(connection)
        finally:
            with self._turn:
                self._running -= 1
                self._close_if_idle()

    def _open(self) -> Engine:
        if self._engine is None:
            self._engine = _engine(self._url, self._seconds, self._connections)
            weakref.finalize(self, self._engine.dispose)
        return self._engine

    def _is_trouble(self, problem: Exception) -> bool:
        """The database's, rather than a mistake of ours."""
        if isinstance(problem, SQLAlchemyError | OSError | TimeoutError):
            return True
        return isinstance(problem, self._url.get_dialect().import_dbapi().Error)

    def _reason(self, problem: Exception) -> str:
        """What may be told: drivers quote values and, some of them, URLs."""
        cause = getattr(problem, "orig", None) or problem
        state = str(getattr(cause, "sqlstate", None) or "")
        is_harmless = state.startswith(_SHOWN_STATES) or hasattr(cause, "sqlite_errorcode")
        is_connecting = self.kind == "postgresql" and not state
        message = next(iter(str(cause).strip().splitlines()), "")
        password = str(self._url.password or "")
        if not (is_harmless or is_connecting) or (password and password in message):
            message = ""
        return " ".join(each for each in (type(cause).__name__, state, message) if each)

    def _tell(self, reason: str) -> None:
        """Once an outage, however many ask meanwhile."""
        if reason != self._told:
            self._told = reason
            _log.warning("cost source %s: %s", self._source, reason)


def _engine(url: URL, seconds: int, connections: int) -> Engine:
    kind = url.get_backend_name()
    arguments: Mapping[str, Any] = {}
    if kind == "postgresql" and url.get_driver_name() == "psycopg":
        # Prepared statements do not survive a pooler that hands connections around.
        arguments = {"connect_timeout": _CONNECT_SECONDS, "prepare_threshold": None}
    elif kind == "sqlite":
        arguments = {"timeout": seconds, "check_same_thread": False}
    pooling: Mapping[str, Any] = {
        "poolclass": QueuePool,
        "pool_size": connections,
        "max_overflow": 0,
        "pool_timeout": seconds,
        "pool_pre_ping": True,
        "pool_recycle": _RECYCLE_SECONDS,
    }
    if kind == "sqlite":  # a file that is kept open is the old one when another takes its place
        pooling = {"poolclass": NullPool}
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args=dict(arguments),
        execution_options={"postgresql_readonly": True} if kind == "postgresql" else {},
        **pooling,
    )
    if kind == "sqlite":
        event.listen(engine, "connect", sqlite.configure)
    return engine


def _begin(connection: Connection, seconds: int) -> None:
    """Read only, in UTC, and not for ever, as far as the engine has it.

    Local to the transaction where possible: behind a pooler the session is somebody else's next.
    """
    kind = connection.dialect.name
    if kind == "postgresql":
        connection.execute(
            text(
                "SELECT set_config('statement_timeout', :patience, true), "
                "set_config('lock_timeout', :patience, true), "
                "set_config('TimeZone', 'UTC', true), set_config('extra_float_digits', '1', true)"
            ),
            {"patience": f"{seconds}s"},
        )
    elif kind == "sqlite":
        sqlite.begin(connection, time.monotonic() + seconds)
    elif kind in ("mysql", "mariadb"):
        limit = (
            f"max_statement_time = {seconds:d}"
            if getattr(connection.dialect, "is_mariadb", False)
            else f"max_execution_time = {seconds * 1000:d}"
        )
        connection.exec_driver_sql(f"SET SESSION time_zone = '+00:00', {limit}")
        connection.exec_driver_sql("START TRANSACTION READ ONLY")
