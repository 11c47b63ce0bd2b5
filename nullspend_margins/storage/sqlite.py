"""SQLite in WAL mode: one writer thread, a few reader threads, real transactions."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from nullspend_margins.errors import ConfigurationError
from nullspend_margins.storage.schema import upgrade
from nullspend_margins.storage.threads import EngineThreads, opened

T = TypeVar("T")

READERS = 4
MEMORY = ":memory:"
_RETRY_SECONDS = 0.05
_NO_FILES = frozenset((sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY))
"""What SQLite says of a folder that it may not write in: waiting does not help."""


class SqliteFile:
    """A database file, which other processes may use at the same time.

    SQLite has one writer at a time anyway, so one thread does all our writing: our own writers
    queue up fairly instead of polling for the lock. A database in memory has that thread alone.
    """

    def __init__(self, path: str, busy_timeout_seconds: float) -> None:
        self._path = path
        self._busy_timeout_seconds = busy_timeout_seconds
        self._writing: EngineThreads | None = None
        self._reading: EngineThreads | None = None

    async def start(self) -> None:
        """Create the file, switch it to WAL, migrate it."""
        if self._writing is not None:
            return
        _create_private(self._path)
        writer = self._engine("BEGIN IMMEDIATE", 1)
        writing = EngineThreads(writer, 1, "margins-sqlite-write", keep=True)
        try:
            await writing.call(lambda: _prepare(writing.engine, self._busy_timeout_seconds))
            await writing.run(upgrade)
        except BaseException:
            await writing.close()
            raise
        self._writing = self._reading = writing
        if self._path != MEMORY:
            reader = self._engine("BEGIN", READERS)
            self._reading = EngineThreads(reader, READERS, "margins-sqlite-read", keep=True)

    async def migrate(self) -> None:
        """The same as ``start``: a file of ours is never left at an older schema."""
        await self.start()

    async def close(self) -> None:
        """Wait for the threads, then close their connections."""
        writing, reading = self._writing, self._reading
        self._writing = self._reading = None
        if reading is not None and reading is not writing:
            await reading.close()
        if writing is not None:
            await writing.close()

    def abandon(self) -> None:
        """Close without an event loop."""
        writing, reading = self._writing, self._reading
        self._writing = self._reading = None
        for threads in {writing, reading}:
            if threads is not None:
                threads.abandon()

    async def read(
        self,
        work: Callable[[Connection], T],
        *,
        is_long: bool,  # noqa: ARG002 - no matter: a file answers
    ) -> T:
        """Run ``work`` in a snapshot on a reader thread."""
        return await opened(self._reading).run(work)

    async def ask(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on a reader thread, outside of transactions."""
        return await opened(self._reading).ask(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on the writer thread, holding the write lock from the beginning.

        A transaction that reads first and then writes fails with SQLITE_BUSY_SNAPSHOT when
        another process wrote in between, whatever the busy timeout; BEGIN IMMEDIATE cannot.
        """
        return await opened(self._writing).run(work)

    def _engine(self, begin: str, connections: int) -> Engine:
        engine = create_engine(
            URL.create("sqlite", database=self._path),
            poolclass=QueuePool,
            pool_size=connections,
            max_overflow=0,
            hide_parameters=True,
            connect_args={
                "check_same_thread": False,
                "isolation_level": None,  # we say BEGIN ourselves
                "timeout": self._busy_timeout_seconds,
            },
        )

        @event.listens_for(engine, "connect")
        def configure(connection: sqlite3.Connection, _record: object) -> None:
            # FULL: an acknowledged event must survive a power failure, not only a crash.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA cache_size = -16000")
            # Some builds write every page again that is let go of: half of what a sync writes.
            connection.execute("PRAGMA secure_delete = FAST")
            if begin == "BEGIN":
                connection.execute("PRAGMA query_only = ON")

        @event.listens_for(engine, "begin")
        def start_transaction(connection: Connection) -> None:
            # Of the driver itself, for SQLAlchemy takes longer over it than over the commit.
            cast("Any", connection.connection.driver_connection).execute(begin)

        return engine


def _create_private(path: str) -> None:
    """Make the file readable by its owner alone before SQLite makes it readable by all."""
    if path == MEMORY:
        return
    folder = Path(path).parent
    if not folder.is_dir():
        raise ConfigurationError(f"[database] url: the folder {folder} does not exist.")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as problem:
        raise ConfigurationError(
            f"[database] url: {path} can't be opened for writing ({problem.strerror})."
        ) from problem


def _prepare(engine: Engine, patience_seconds: float) -> None:
    """Switch to WAL, which lasts. SQLite does not wait for other processes when it does that.

    Errors here are the driver's own: SQLAlchemy has no part in this.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            mode = _wal_mode(engine)
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF in _NO_FILES:
                raise ConfigurationError(_no_files(engine, problem)) from problem
            if time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        except sqlite3.DatabaseError as problem:
            raise ConfigurationError(
                f"[database] url: {engine.url.database} is not an SQLite database."
            ) from problem
        else:
            break
    if mode not in {"wal", "memory"}:
        raise ConfigurationError(
            f"[database] url: {engine.url.database} can't use SQLite's write-ahead log. "
            "Is it on a network file system? Use a local disk or PostgreSQL."
        )


def _no_files(engine: Engine, problem: sqlite3.OperationalError) -> str:
    file = Path(engine.url.database or "")
    return (
        f"[database] url: SQLite can't make its files beside {file} ({problem}). "
        f"Let this process write in {file.parent}, and own what is there."
    )


def _wal_mode(engine: Engine) -> Any:
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        (mode,) = cursor.fetchall()[0]
        return mode
    finally:
        connection.close()
