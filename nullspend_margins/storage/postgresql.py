"""PostgreSQL by psycopg 3, in threads: as many as there are connections."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from nullspend_margins.errors import ConfigurationError
from nullspend_margins.storage.schema import require_current, upgrade
from nullspend_margins.storage.threads import EngineThreads, opened

T = TypeVar("T")

_BROKEN_UP = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.02
_MIGRATION_LOCK = 7_025_437_166  # any number nobody else takes
# Whatever the server's own default is.
_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED"
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SETTINGS = "SELECT set_config('TimeZone', %s, false), set_config('lock_timeout', %s, false)"
_CONNECT_ARGS = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    # A server that vanished without a word is noticed in 30 s, not after the kernel's 15 minutes.
    "tcp_user_timeout": 30_000,
}


_Way = Callable[[EngineThreads, Callable[[Connection], T]], Awaitable[T]]
"""How work is run on a thread: in a transaction of some kind, or without one."""


class _Attempt(Generic[T]):
    """Work that remembers how far it came."""

    def __init__(self, work: Callable[[Connection], T]) -> None:
        self._work = work
        self._is_begun = self._is_done = self._is_broken = False

    def __call__(self, connection: Connection) -> T:
        self._is_begun = True
        try:
            result = self._work(connection)
        except Exception:
            self._is_broken = _gave_up(connection)
            raise
        self._is_done = True
        return result

    def is_cut_off(self, problem: Exception) -> bool:
        """Whether the connection broke before the work was done, or even begun."""
        if self._is_begun:
            return self._is_broken and not self._is_done
        # Of what comes before, BEGIN alone is said to the driver itself, and fails with its error.
        return not isinstance(problem, SQLAlchemyError)


def _configuring(patience_seconds: float) -> Callable[[Any, object], None]:
    """Times come back in UTC; a lock that is not released is an error, not a hang."""

    def configure(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(_SETTINGS, ("UTC", str(int(patience_seconds * 1000))))
        cursor.close()

    return configure


def _begin(connection: Connection) -> None:
    """A transaction of the kind that the engine's options tell."""
    statement = connection.get_execution_options().get("begin", _WRITING)
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute(statement)
    except Exception:
        _gave_up(connection)
        raise


def _gave_up(connection: Connection) -> bool:
    """Whether a connection that failed is dead: then nothing is to be said on it any more.

    SQLAlchemy knows it of its own statements alone, the driver of all. Asked for one, it finds
    out, and takes the others of the pool that are as old for dead too: each is opened anew when
    its turn comes, so that there are never more than the pool may have.
    """
    if not connection.invalidated:
        driver: Any = connection.connection.driver_connection
        if not driver.closed:
            return False
        with contextlib.suppress(DBAPIError):
            connection.exec_driver_sql("SELECT 1")
    return True


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
        self._threads: EngineThreads | None = None
        self._reader: Engine | None = None
        self._turns = asyncio.Semaphore(pool_size)
        self._running: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Connect and check the schema's version."""
        if self._threads is not None:
            return
        engine = create_engine(
            self._url,
            pool_size=self._pool_size,
            max_overflow=0,
            isolation_level="AUTOCOMMIT",  # we say BEGIN ourselves, or nothing
            hide_parameters=True,
            connect_args=_CONNECT_ARGS,
        )
        event.listen(engine, "connect", _configuring(self._patience_seconds))
        event.listen(engine, "begin", _begin)
        reader = engine.execution_options(begin=_SNAPSHOT)
        threads = EngineThreads(engine, self._pool_size, "margins-postgresql")
        try:
            await threads.run(require_current, reader)
        except BaseException:
            await threads.close()
            raise
        self._threads, self._reader = threads, reader
        self._turns = asyncio.Semaphore(self._pool_size)  # of this loop

    async def close(self) -> None:
        """Let abandoned work finish, then close the pool."""
        while self._running:
            await asyncio.wait(self._running)
        threads, self._threads, self._reader = self._threads, None, None
        if threads is not None:
            await threads.close()

    def abandon(self) -> None:
        """Close without an event loop."""
        threads, self._threads, self._reader = self._threads, None, None
        if threads is not None:
            threads.abandon()

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

    async def read(self, work: Callable[[Connection], T], *, is_long: bool) -> T:
        """Run ``work`` in a read-only snapshot."""
        reader = self._reader
        running = self._on_a_living(work, lambda on, do: on.run(do, reader))
        return await (self._to_its_end(running) if is_long else self._in_time(running))

    async def ask(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` outside of transactions."""
        return await self._in_time(self._on_a_living(work, EngineThreads.ask))

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` and commit; again when the server rolled it back to break a deadlock."""
        return await self._to_its_end(self._persist(work), waiting=True)

    async def _in_time(self, running: Coroutine[Any, Any, T]) -> T:
        """A server that stands still, and whose kernel goes on, would be waited for without end.

        Its connection is not free before it goes on.
        """
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await self._to_its_end(running)
        except TimeoutError as problem:
            raise PoolTimeout("it does not answer in time") from problem

    async def _to_its_end(self, running: Coroutine[Any, Any, T], *, waiting: bool = False) -> T:
        """Cancelling the caller must not cut a transaction in the middle of its commit.

        ``waiting``: a cancelled caller also waits for that end. What it does next (clearing up
        after itself, for one) must not happen beside a transaction that is still going on.
        """
        task = asyncio.create_task(running)
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while waiting and not task.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([task])
            raise

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # where the caller is gone nobody else looks at it

    async def _persist(self, work: Callable[[Connection], T]) -> T:
        for attempt in range(1, _ATTEMPTS):
            try:
                return await self._on_a_living(work)
            except Exception as problem:
                # The driver's own, where it was asked itself.
                driver_error = getattr(problem, "orig", problem)
                if getattr(driver_error, "sqlstate", None) not in _BROKEN_UP:
                    raise
            # Jitter, no secret.
            await asyncio.sleep(random.uniform(0, attempt * _PAUSE_SECONDS))  # noqa: S311
        return await self._on_a_living(work)

    async def _on_a_living(
        self, work: Callable[[Connection], T], way: _Way[T] = EngineThreads.run
    ) -> T:
        """Run ``work``; on a new connection, once, if the one it had turned out to be dead.

        A server that was started again leaves the pool with such. To look first whether one still
        lives takes a round trip, as long as many a question. Work that came as far as its commit
        is not run again: it may be committed.
        """
        attempt = _Attempt(work)
        try:
            return await self._in_turn(attempt, way)
        except Exception as problem:
            if not attempt.is_cut_off(problem):
                raise
        return await self._in_turn(_Attempt(work), way)

    async def _in_turn(self, work: Callable[[Connection], T], way: _Way[T]) -> T:
        """Run ``work`` when a connection is free; one that never is must not hang a request."""
        threads = opened(self._threads)
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._turns.acquire()
        except TimeoutError as problem:
            raise PoolTimeout("every connection is busy") from problem
        try:
            return await way(threads, work)
        finally:
            self._turns.release()
