"""The schema: what the migrations build is what the code reads."""

from __future__ import annotations

import asyncio
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, text
from sqlalchemy.schema import CreateIndex, CreateTable

import nullspend_margins.storage
from nullspend_margins.errors import ConfigurationError
from nullspend_margins.storage import tables
from nullspend_margins.storage.columns import VERSION_TABLE
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.migrate import migrate
from nullspend_margins.storage.schema import SCHEMA_VERSION, current_version
from tests.postgres import PostgresForTests

METADATA = tables.cost_events.metadata


async def test_the_migrations_build_exactly_the_tables_the_code_knows(database: Database) -> None:
    def differences(tx: Connection) -> object:
        context = MigrationContext.configure(tx, opts={"version_table": VERSION_TABLE})
        return compare_metadata(context, METADATA)

    assert await database.read(differences) == []


async def test_sqlite_tables_are_those_the_metadata_would_create(sqlite_url: str) -> None:
    wanted = create_engine("sqlite://")
    METADATA.create_all(wanted)
    with wanted.connect() as connection:
        expected = _created(connection)
    wanted.dispose()
    database = Database(sqlite_url)
    await database.start()
    try:
        assert await database.read(_created) == expected
    finally:
        await database.close()


def _created(tx: Connection) -> dict[str, list[str]]:
    """The words of each table's and index's SQL, whatever their layout and order."""
    found = tx.execute(
        text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != :version"),
        {"version": VERSION_TABLE},
    )
    return {name: sorted(re.findall(r"\w+|[^\w\s,]", sql)) for name, sql in found}


def test_the_version_the_code_wants_is_the_newest_script() -> None:
    home = Path(nullspend_margins.storage.__file__).parent / "migrations"
    assert ScriptDirectory(str(home)).get_current_head() == SCHEMA_VERSION


async def test_a_migrated_database_knows_its_version(database: Database) -> None:
    assert await database.read(current_version) == SCHEMA_VERSION


async def test_migrating_twice_changes_nothing(
    postgres_server: PostgresForTests, tmp_path: Path
) -> None:
    file = f"sqlite:///{tmp_path / 'new.db'}"
    with postgres_server.database(migrated=False) as url:
        for each in (url, file):
            await migrate(each)
            once = await _schema(each)
            assert METADATA.tables.keys() <= once.keys()
            await migrate(each)
            assert await _schema(each) == once


async def _schema(url: str) -> dict[str, object]:
    """All that a database says of each of its tables, and the version it is at."""
    database = Database(url)
    await database.start()
    try:
        return await database.read(_described)
    finally:
        await database.close()


def _described(tx: Connection) -> dict[str, object]:
    found = MetaData()
    found.reflect(tx)
    tables: dict[str, object] = {
        name: sorted(
            str(statement.compile(dialect=tx.dialect))
            for statement in (CreateTable(each), *map(CreateIndex, each.indexes))
        )
        for name, each in found.tables.items()
    }
    return {**tables, "version": current_version(tx)}


async def test_databases_migrated_at_the_same_time_are_migrated_once(
    postgres_server: PostgresForTests, tmp_path: Path
) -> None:
    file = f"sqlite:///{tmp_path / 'new.db'}"
    with postgres_server.database(migrated=False) as url:
        await asyncio.gather(*(migrate(each) for each in (url, file, url, file, url)))
        for each in (url, file):
            database = Database(each)
            await database.start()
            assert await database.read(current_version) == SCHEMA_VERSION
            await database.close()


def test_processes_that_open_one_new_file_migrate_it_once(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    program = (
        "import asyncio, sys\n"
        "from nullspend_margins.storage.migrate import migrate\n"
        "asyncio.run(migrate(sys.argv[1]))\n"
    )
    command = [sys.executable, "-c", program, f"sqlite:///{path}"]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    errors = [process.communicate()[1].decode() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], errors


async def test_postgresql_that_was_never_migrated_says_which_command_to_run(
    postgres_server: PostgresForTests,
) -> None:
    with (
        postgres_server.database(migrated=False) as url,
        pytest.raises(ConfigurationError, match="nullspend-margins migrate"),
    ):
        await Database(url).start()


async def test_a_database_of_a_newer_release_is_left_alone(database_url: str) -> None:
    database = Database(database_url)
    await database.start()
    newer = text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")  # noqa: S608
    await database.write(lambda tx: tx.execute(newer) and None)
    await database.close()
    for attempt in (database.start(), migrate(database_url)):
        with pytest.raises(ConfigurationError, match="newer release"):
            await attempt


async def test_a_new_sqlite_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "margins.db"
    database = Database(f"sqlite:///{path}")
    await database.start()
    modes = _modes(tmp_path)
    await database.close()
    assert modes == {0o600}


def _modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def test_opening_an_up_to_date_database_does_not_load_alembic(sqlite_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from nullspend_margins.storage.database import Database\n"
        "async def main():\n"
        "    database = Database(sys.argv[1])\n"
        "    await database.start()\n"
        "    await database.close()\n"
        "asyncio.run(main())\n"
        "print('alembic' in sys.modules, 'psycopg' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, sqlite_url], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]
