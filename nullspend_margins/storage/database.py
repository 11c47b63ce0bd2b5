"""One asynchronous way to run synchronous SQL, on SQLite and on PostgreSQL.

A unit of work is a plain function of a ``Transaction``. It runs in a thread, so that
the host's event loop goes on, and it must not wait for anything but the database.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from sqlalchemy import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from nullspend_margins.errors import ConfigurationError, ServiceUnavailable

T = TypeVar("T")

Transaction = Connection
"""What storage functions take: a connection inside a transaction that somebody else ends."""

_SQLITE_ERROR = 1
_READ_ONLY_SERVER = "25006"
_log = logging.getLogger(__name__)


class Backend(Protocol):
    """How one kind of database runs work. What each method must do is said in ``Database``."""

    async def start(self) -> None:
        """Open it."""
        ...

    async def close(self) -> None:
        """Let running work finish, then close every connection."""
        ...

    def abandon(self) -> None:
        """Let go of everything without an event loop."""
        ...

    async def migrate(self) -> None:
        """Bring the schema to the current version."""
        ...

    async def read(self, work: Callable[[Transaction], T], *, is_long: bool) -> T:
        """Run ``work`` in a read-only snapshot."""
        ...

    async def ask(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work``, which is one question."""
        ...

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` and commit it."""
        ...


class Database:
    """A database, used from one event loop at a time.

    ``url`` is ``sqlite:////absolute/path.db`` or ``postgresql://user@host/name``. Nothing is
    opened before ``start``. Raises ``ConfigurationError`` for any other URL, and for PostgreSQL
    without psycopg.
    """

    def __init__(self, url: str, *, busy_timeout_seconds: float = 30, pool_size: int = 8) -> None:
        parsed = _parse(url)
        self.dialect: str = parsed.get_backend_name()
        self._backend: Backend
        if self.dialect == "sqlite":
            from nullspend_margins.storage.sqlite import SqliteFile

            self._backend = SqliteFile(parsed.database or ":memory:", busy_timeout_seconds)
        else:
            from nullspend_margins.storage.postgresql import PostgresServer

            self._backend = PostgresServer(parsed, pool_size, busy_timeout_seconds)
        self._shown = _without_secrets(parsed).render_as_string(hide_password=True)
        self._told: str | None = None

    def __repr__(self) -> str:
        return f"Database({self._shown!r})"

    async def start(self) -> None:
        """Open it. SQLite: create the file (mode 0600) and migrate it. PostgreSQL: only check.

        Raises ``ConfigurationError`` when the schema is not ours or the file is no database,
        ``ServiceUnavailable`` when the server does not answer.
        """
        await self._translated(self._backend.start())

    async def migrate(self) -> None:
        """Bring the schema to the current version. Safe to run from several processes."""
        await self._translated(self._backend.migrate())

    async def close(self) -> None:
        """Let running work finish, then close every connection. May be called twice."""
        await self._backend.close()

    def abandon(self) -> None:
        """Let go of everything without the event loop it was opened on, which is closed."""
        self._backend.abandon()

    async def read(self, work: Callable[[Transaction], T], *, is_long: bool = False) -> T:
        """Run ``work`` in one read-only snapshot: everything it asks is of the same instant.

        Raises ``ServiceUnavailable`` when the database does not answer, within the time that is
        waited for locks, unless ``is_long``.
        """
        return await self._translated(self._backend.read(work, is_long=is_long))

    async def ask(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` that asks a single question, which is a snapshot by itself.

        Without a transaction around it: its beginning and its end would take as long as the
        question. Raises ``ServiceUnavailable`` when the database does not answer.
        """
        return await self._translated(self._backend.ask(work))

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in a transaction and commit it; roll back when it raises.

        When the caller is cancelled, a transaction that has begun still ends, committed as a
        whole or not at all. On PostgreSQL ``work`` is run again when the server broke a deadlock
        or a serialization conflict, since nothing of it was kept then.

        Raises ``ServiceUnavailable`` when the database does not answer. A connection that breaks
        during the commit raises it too, *with the work perhaps committed*: repeat only work that
        may be repeated.
        """
        return await self._translated(self._backend.write(work))

    async def _translated(self, running: Awaitable[T]) -> T:
        try:
            result = await running
        except Exception as problem:
            if not _means_unavailable(problem):
                raise
            reason = str(getattr(problem, "orig", None) or problem).strip().splitlines()
            self._tell(reason[0] if reason else type(problem).__name__)
            raise ServiceUnavailable("The database does not answer; try again.") from problem
        self._told = None
        return result

    def _tell(self, reason: str) -> None:
        """Once an outage, however many ask meanwhile: until it answers again or fails otherwise."""
        if reason != self._told:
            self._told = reason
            _log.warning("%s: %s", self._shown, reason)


def _means_unavailable(problem: Exception) -> bool:
    """The database's trouble, rather than a mistake in our SQL or data."""
    if isinstance(problem, PoolTimeout):
        return True
    if isinstance(problem, DBAPIError) and problem.connection_invalidated:
        return True
    driver_error = getattr(problem, "orig", problem)
    if getattr(driver_error, "sqlstate", None) == _READ_ONLY_SERVER:
        return True  # a standby, just after a failover
    if getattr(driver_error, "sqlite_errorcode", None) == _SQLITE_ERROR:
        return False  # "no such table": SQLite calls that operational
    # By name: every driver has these classes of its own, and one that fails while a connection
    # is being set up is not wrapped by SQLAlchemy.
    names = {cls.__name__ for cls in type(driver_error).__mro__}
    return not names.isdisjoint({"OperationalError", "InterfaceError"})


def _without_secrets(url: URL) -> URL:
    """The drivers take passwords among the options of a URL, too."""
    return url.difference_update_query([name for name in url.query if "password" in name.lower()])


def _parse(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    backend, _, driver = (url.drivername if url is not None else "").partition("+")
    if url is not None and backend == "sqlite" and driver in {"", "pysqlite"}:
        return url
    if url is not None and backend in {"postgresql", "postgres"} and driver in {"", "psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    raise ConfigurationError(
        "[database] url must be sqlite:///PATH or postgresql://USER@HOST/NAME"
        + (f"; the driver {driver!r} is not supported, leave it out." if driver else ".")
    )
