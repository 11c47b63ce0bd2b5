"""Empty databases to measure on: SQLite files, and a PostgreSQL of our own that loses nothing."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from nullspend_margins.storage.migrate import migrate
from tests.postgres import PostgresForTests, binaries, running_postgres

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
# The tests' server forgets on a power failure; these rates shall be those of one that does not.
_DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
}


@dataclass(frozen=True, slots=True)
class Engine:
    """One kind of database. ``fresh`` makes one without tables and gives its URL."""

    name: str
    fresh: Callable[[], str]

    def migrated(self) -> str:
        """The URL of a new database at the current schema."""
        url = self.fresh()
        asyncio.run(migrate(url))
        return url


@contextmanager
def engines(*, durable: bool = True) -> Iterator[Sequence[Engine]]:
    """SQLite and PostgreSQL, where it runs: a folder and a server that go away at the end.

    Without ``durable`` the server is that of the tests, which is quicker at everything.
    """
    with TemporaryDirectory(prefix="margins-benchmark-") as folder:
        sqlite = _sqlite(Path(folder))
        if binaries() is None:  # no wheel of PostgreSQL for this Python or platform
            yield [sqlite]
            return
        with running_postgres(**(_DURABLE if durable else {})) as server:
            yield [sqlite, _postgresql(server)]


def sqlite_path(url: str) -> str:
    """The file behind an SQLite URL."""
    return url.removeprefix("sqlite:///")


def rows_of(url: str, query: str) -> list[tuple[object, ...]]:
    """What a query gives, by the bare driver."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(sqlite_path(url))
        found = connection.execute(query).fetchall()
        connection.close()
        return found
    with psycopg.connect(url) as server:
        return server.execute(query.encode()).fetchall()


def versions(found: Sequence[Engine]) -> dict[str, str]:
    """The version of each engine."""
    known = {SQLITE: sqlite3.sqlite_version}
    for engine in found:
        if engine.name == POSTGRESQL:
            known[POSTGRESQL] = str(rows_of(engine.fresh(), "SHOW server_version")[0][0])
    return known


def _sqlite(folder: Path) -> Engine:
    numbers = itertools.count()
    return Engine(SQLITE, lambda: f"sqlite:///{folder}/{next(numbers)}.db")


def _postgresql(server: PostgresForTests) -> Engine:
    numbers = itertools.count()

    def fresh() -> str:
        name = f"bench_{next(numbers)}"
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return server.url(name)

    return Engine(POSTGRESQL, fresh)
