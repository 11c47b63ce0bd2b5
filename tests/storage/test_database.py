"""The facade: snapshots, rollbacks, cancellation, and callers at the same time."""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import subprocess
import sys
import threading
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from nullspend_margins.errors import ConfigurationError, ServiceUnavailable
from nullspend_margins.storage import costs
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import insert_events
from nullspend_margins.storage.tables import cost_events, cost_months
from tests.storage.builders import NOVEMBER, NOW, ORG, event, happened, put_cursor, rows


async def test_a_write_that_raises_leaves_nothing(database: Database) -> None:
    def work(tx: Connection) -> None:
        put_cursor(tx, "one")
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        await database.write(work)
    assert await database.read(lambda tx: costs.load_cursor(tx, "source")) is None


async def test_after_a_failure_everything_goes_on(database: Database) -> None:
    def work(tx: Connection) -> None:
        put_cursor(tx, "one")
        tx.execute(text("SELECT nothing FROM nowhere"))

    for run in (database.write, database.read, database.ask):
        with pytest.raises((DBAPIError, ServiceUnavailable)):
            await run(work)
    await database.write(lambda tx: put_cursor(tx, "two"))
    assert await database.read(lambda tx: costs.load_cursor(tx, "source")) == "two"
    assert await database.ask(lambda tx: costs.load_cursor(tx, "source")) == "two"


async def test_a_question_sees_what_was_committed_just_before(database: Database) -> None:
    for value in ("one", "two", "three"):
        await database.write(lambda tx, value=value: put_cursor(tx, value))
        assert await database.ask(lambda tx: costs.load_cursor(tx, "source")) == value


async def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises((DBAPIError, ServiceUnavailable)):
        await database.read(lambda tx: put_cursor(tx, "one"))
    assert await database.read(lambda tx: costs.load_cursor(tx, "source")) is None


async def test_a_read_is_one_snapshot_whatever_is_written_meanwhile(database: Database) -> None:
    begun, written = threading.Event(), threading.Event()

    def look_twice(tx: Connection) -> tuple[list[Any], list[Any]]:
        first = rows(tx, cost_events)
        begun.set()
        assert written.wait(10)
        return first, rows(tx, cost_months)

    await database.write(lambda tx: insert_events(tx, ORG, "api", [event("a")], NOW))
    reading = asyncio.create_task(database.read(look_twice))
    await happened(begun)
    await database.write(lambda tx: insert_events(tx, ORG, "api", [event("b")], NOW))
    written.set()
    events, months = await reading
    assert len(events) == 1
    assert months == [(NOVEMBER.index, "acme", 1_000, 1)]


async def test_a_write_whose_caller_goes_away_still_ends_whole(database: Database) -> None:
    started = threading.Event()

    def work(tx: Connection) -> None:
        put_cursor(tx, "one")
        started.set()
        _pause(tx)
        costs.save_cursor(tx, "other", "two", NOW)

    writing = asyncio.create_task(database.write(work))
    await happened(started)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await database.write(lambda tx: costs.save_cursor(tx, "third", "three", NOW))
    await database.close()
    await database.start()
    found = await database.read(
        lambda tx: (costs.load_cursor(tx, "source"), costs.load_cursor(tx, "other"))
    )
    assert found == ("one", "two")


def _pause(tx: Connection) -> None:
    """Give a cancellation time to arrive in the middle of the transaction."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("SELECT pg_sleep(0.05)"))
    else:
        threading.Event().wait(0.05)


async def test_cancelled_callers_leak_no_connections(database: Database) -> None:
    for _ in range(30):
        task = asyncio.create_task(database.read(_pause))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    results = await asyncio.gather(*(database.read(lambda _: 1) for _ in range(20)))
    assert results == [1] * 20


async def test_more_callers_than_connections_wait_their_turn(database: Database) -> None:
    def work(tx: Connection) -> str | None:
        _pause(tx)
        return costs.load_cursor(tx, "source")

    assert await asyncio.gather(*(database.read(work) for _ in range(12))) == [None] * 12


async def test_work_in_the_database_leaves_the_event_loop_free(database: Database) -> None:
    answered = threading.Event()
    waiting = asyncio.create_task(database.write(lambda _: answered.wait(10)))
    await asyncio.to_thread(lambda: None)  # the loop turns while the work goes on
    answered.set()
    assert await waiting


async def test_writers_at_the_same_time_lose_no_update(database: Database) -> None:
    def add_one(number: int) -> Any:
        return database.write(
            lambda tx: insert_events(tx, ORG, "api", [event(f"e{number}", 7)], NOW)
        )

    await asyncio.gather(*(add_one(number) for number in range(40)))
    assert await database.read(lambda tx: rows(tx, cost_months)) == [
        (NOVEMBER.index, "acme", 280, 40)
    ]


async def test_closing_twice_and_opening_again_is_fine(database: Database) -> None:
    await database.close()
    await database.close()
    with pytest.raises(RuntimeError, match="start"):
        await database.read(lambda tx: None)
    await database.start()
    await database.start()
    assert await database.read(lambda _: 1) == 1


def test_two_processes_write_one_sqlite_file(sqlite_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from tests.storage.builders import NOW, ORG, event\n"
        "from nullspend_margins.storage.events import insert_events\n"
        "from nullspend_margins.storage.database import Database\n"
        "async def main(url, name):\n"
        "    database = Database(url)\n"
        "    await database.start()\n"
        "    for n in range(40):\n"
        "        pair = [event(f'{name}-{n}', 1), event(f'shared-{n}', 1000)]\n"
        "        await database.write(\n"
        "            lambda tx: insert_events(tx, ORG, 'api', pair, NOW))\n"
        "    await database.close()\n"
        "asyncio.run(main(*sys.argv[1:]))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, sqlite_url, name], stderr=subprocess.PIPE)
        for name in ("left", "right")
    ]
    errors = [process.communicate()[1].decode() for process in running]
    assert [process.returncode for process in running] == [0, 0], errors

    async def total() -> list[Any]:
        database = Database(sqlite_url)
        await database.start()
        try:
            return await database.read(lambda tx: rows(tx, cost_months))
        finally:
            await database.close()

    assert asyncio.run(total()) == [(NOVEMBER.index, "acme", 40 * 2 + 40 * 1000, 120)]


async def test_a_database_in_memory_serves_one_process() -> None:
    database = Database("sqlite:///:memory:")
    await database.start()
    await database.write(lambda tx: put_cursor(tx, "one"))
    assert await database.read(lambda tx: costs.load_cursor(tx, "source")) == "one"
    await database.close()


@pytest.mark.parametrize(
    "url", ["mysql://host/name", "sqlite+aiosqlite:///x", "postgresql+asyncpg://h/n", "", "margins"]
)
def test_other_databases_are_refused_by_the_configuration(url: str) -> None:
    with pytest.raises(ConfigurationError, match="postgresql://"):
        Database(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_may_be_spelled_in_three_ways(scheme: str) -> None:
    assert Database(f"{scheme}://me@localhost/name").dialect == "postgresql"


def test_without_psycopg_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r'pip install "nullspend-margins\[postgres\]"'):
        Database("postgresql://me@localhost/name")


def test_connections_of_a_database_that_is_forgotten_are_closed(database_url: str) -> None:
    """As with a test client, whose event loop ends with the request."""

    async def used() -> list[Any]:
        database = Database(database_url)
        await database.migrate()
        await database.start()
        runs = database.read, database.ask, database.write
        return [await run(lambda tx: tx.connection.driver_connection) for run in runs]

    drivers = asyncio.run(used())
    gc.collect()
    for driver in drivers:
        with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError), match="closed"):
            driver.execute("SELECT 1")


def test_so_is_one_of_which_something_was_at_work_when_its_loop_ended(database_url: str) -> None:
    reached, go_on, seen = threading.Event(), threading.Event(), list[Any]()

    def slow(tx: Connection) -> None:
        seen.extend([threading.current_thread(), tx.connection.driver_connection])
        reached.set()
        go_on.wait(60)

    async def cut_off() -> None:
        database = Database(database_url)
        await database.migrate()
        await database.start()
        running = asyncio.create_task(database.read(slow))
        await asyncio.to_thread(reached.wait, 60)
        running.cancel()

    asyncio.run(cut_off())
    gc.collect()
    go_on.set()
    thread, driver = seen
    thread.join(60)
    with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError), match="closed"):
        driver.execute("SELECT 1")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of forks beside threads
def test_a_forked_child_that_forgets_a_database_closes_nothing_of_its_parents(
    postgres_url: str,
) -> None:
    def process(tx: Connection) -> Any:
        return tx.scalar(text("SELECT pg_backend_pid()"))

    async def used() -> list[Any]:
        database = Database(postgres_url)
        await database.start()
        before = await database.read(process)
        child = os.fork()
        if not child:
            del database
            gc.collect()
            os._exit(0)
        await asyncio.to_thread(os.waitpid, child, 0)
        after = await database.read(process)
        await database.close()
        return [before, after]

    before, after = asyncio.run(used())
    assert after == before
