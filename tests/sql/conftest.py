"""A host's database, on each engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sql.support import HostTable


@pytest.fixture(params=["sqlite", "postgresql"])
def host_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the host's; on PostgreSQL margins' own tables are in it, too."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/host.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def table(host_url: str) -> HostTable:
    """An empty ``usage_log``."""
    return HostTable(host_url)
