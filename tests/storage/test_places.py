"""Where a database is: places that it cannot be at, and how one is shown."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from nullspend_margins.errors import ConfigurationError, ServiceUnavailable
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.sqlite import _prepare


async def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere does not exist"):
        await Database(f"sqlite:///{tmp_path}/nowhere/margins.db").start()


def test_a_file_beside_which_sqlite_may_not_write_is_a_mistake_in_the_configuration(
    tmp_path: Path,
) -> None:
    path = tmp_path / "margins.db"
    path.touch()
    # Who runs tests may be root, whom no folder refuses; SQLite says the same of this.
    engine = create_engine(
        f"sqlite:///{path}", creator=lambda: sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    )
    with pytest.raises(ConfigurationError) as raised:
        _prepare(engine, 60)
    engine.dispose()
    assert raised.value.message == (
        f"[database] url: SQLite can't make its files beside {path} (attempt to write a readonly "
        f"database). Let this process write in {tmp_path}, and own what is there."
    )


async def test_a_password_among_the_options_of_a_url_is_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    options = "password=hunter2&sslpassword=hunter3&application_name=margins"
    database = Database(f"postgresql://me@127.0.0.1:1/nothing?{options}")
    with pytest.raises(ServiceUnavailable):
        await database.start()
    told = f"{database!r} {caplog.text}"
    assert "hunter" not in told
    assert "application_name=margins" in told
