"""PostgreSQL by psycopg 3."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from nullspend_margins.errors import ConfigurationError
from nullspend_margins.storage.schema import require_current, upgrade

T = TypeVar("T")

_BROKEN_UP = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.02
_MIGRATION_LOCK = 7_025_437_166  # any number nobody else takes
_CONNECT_ARGS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    # A server that vanished without a word is noticed in 30 s, not after the kernel's 15 minutes.
    "tcp_user_timeout": 30_000,
}


class PostgresServer:
    """A pool of connections to one database."""

    def __init__(self, url: URL, pool_size: int, patience_seconds: float) -> None:
        try:
            import psycopg  # noqa: F401 - is it there?
        except ImportError as problem:
            raise ConfigurationError(
                "[database] url: PostgreSQL needs psycopg: "
                'pip install "nullspend-margins[postgres]"'
            ) from problem
        self._url = url
        self._pool_size = pool_size
        self._patience_seconds = patience_seconds
        self._writer: AsyncEngine | None = None
        self._reader: AsyncEngine | None = None
        self._running: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Connect and check the schema's version."""
        if self._writer is not None:
            return
        engine = create_async_engine(
            self._url,
            pool_size=self._pool_size,
            max_overflow=0,
            pool_timeout=self._patience_seconds,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args=_CONNECT_ARGS,
        )
        event.listen(engine.sync_engine, "connect", self._configure)
        reader = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        try:
            await _transact(reader, require_current)
        except BaseException:
            await engine.dispose()
            raise
        self._writer, self._reader = engine, reader

    async def close(self) -> None:
        """Let abandoned work finish, then close the pool."""
        while self._running:
            await asyncio.wait(self._running)
        engine, self._writer, self._reader = self._writer, None, None
        if engine is not None:
            await engine.dispose()

    def abandon(self) -> None:
        """Let go of the pool; its connections cannot be closed without their loop."""
        engine, self._writer, self._reader = self._writer, None, None
        if engine is not None:
            engine.sync_engine.dispose(close=False)

    async def migrate(self) -> None:
        """Upgrade in one transaction, one process at a time."""
        await asyncio.to_thread(self._migrate)

    def _migrate(self) -> None:
        engine = create_engine(
            self._url, poolclass=NullPool, hide_parameters=True, connect_args=_CONNECT_ARGS
        )
        with engine.begin() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            upgrade(connection)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a read-only snapshot."""
        return await self._to_its_end(_transact(_open(self._reader), work))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` and commit; again when the server rolled it back to break a deadlock."""
        return await self._to_its_end(_persist(_open(self._writer), work), waiting=True)

    async def _to_its_end(self, running: Coroutine[Any, Any, T], *, waiting: bool = False) -> T:
        """Cancelling the caller must not cut a transaction in the middle of its commit.

        ``waiting``: a cancelled caller also waits for that end. What it does next (clearing up
        after itself, for one) must not happen beside a transaction that is still going on.
        """
        task = asyncio.create_task(running)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while waiting and not task.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([task])
            if task.done() and not task.cancelled():
                task.exception()  # nobody else will look at it
            raise

    def _configure(self, connection: Any, _record: object) -> None:
        """Times come back in UTC; a lock that is not released is an error, not a hang."""
        cursor = connection.cursor()
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute(f"SET lock_timeout = {int(self._patience_seconds * 1000)}")
        cursor.close()
        connection.commit()


async def _transact(engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
    async with engine.begin() as connection:
        return await connection.run_sync(work)


async def _persist(engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
    for attempt in range(1, _ATTEMPTS):
        try:
            return await _transact(engine, work)
        except DBAPIError as problem:
            if getattr(problem.orig, "sqlstate", None) not in _BROKEN_UP:
                raise
        # Jitter, no secret.
        await asyncio.sleep(random.uniform(0, attempt * _PAUSE_SECONDS))  # noqa: S311
    return await _transact(engine, work)


def _open(engine: AsyncEngine | None) -> AsyncEngine:
    if engine is None:
        raise RuntimeError("The database is not open: call start() first.")
    return engine
