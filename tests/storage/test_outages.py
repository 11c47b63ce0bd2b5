"""What becomes of a database's errors: outages, mistakes, and what is tried again."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError

from nullspend_margins.errors import ConfigurationError, ServiceUnavailable
from nullspend_margins.storage import costs
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.questions import Question
from tests.postgres import PostgresForTests
from tests.storage.builders import happened, put_cursor


async def test_a_caller_that_finds_every_connection_busy_is_told_so(postgres_url: str) -> None:
    database = Database(postgres_url, busy_timeout_seconds=1, pool_size=1)
    await database.start()
    held, released = threading.Event(), threading.Event()
    hold = database.read(lambda _: (held.set(), released.wait(10)), is_long=True)
    holding = asyncio.create_task(hold)
    await happened(held)
    try:
        with pytest.raises(ServiceUnavailable, match="does not answer"):
            await database.read(lambda _: None, is_long=True)
    finally:
        released.set()
        await holding
    assert await database.read(lambda _: "free again") == "free again"
    await database.close()


@pytest.mark.parametrize("way", ["read", "ask"])
async def test_whoever_reads_from_a_server_that_stands_still_is_told_so(
    postgres_server: PostgresForTests, postgres_url: str, way: str
) -> None:
    database = Database(postgres_url, busy_timeout_seconds=0.2, pool_size=1)
    await database.start()
    for _ in range(2):  # it is asked, and then there is no other connection
        with pytest.raises(ServiceUnavailable, match="does not answer"):
            await getattr(database, way)(lambda tx: tx.execute(text("SELECT pg_sleep(600)")).all())
    name = postgres_url.rpartition("/")[2]
    postgres_server.execute(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "  # noqa: S608
        f"WHERE datname = '{name}' AND query LIKE '%pg_sleep%'"
    )
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(ServiceUnavailable):  # until the server has cancelled it
                assert await database.read(lambda _: "again") == "again"
                break
    await database.close()


async def test_a_read_that_is_known_to_be_long_has_all_the_time(postgres_url: str) -> None:
    database = Database(postgres_url, busy_timeout_seconds=0.1)
    await database.start()

    def slow(tx: Connection) -> str:
        tx.execute(text("SELECT pg_sleep(0.3)"))
        return "whole"

    assert await database.read(slow, is_long=True) == "whole"
    await database.close()


async def test_sqlite_locked_by_somebody_else_is_an_outage(sqlite_url: str) -> None:
    ours = Database(sqlite_url, busy_timeout_seconds=0.05)
    theirs = Database(sqlite_url)
    await ours.start()
    await theirs.start()
    begun, done = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        begun.set()
        assert done.wait(10)

    holding = asyncio.create_task(theirs.write(hold))
    await happened(begun)
    try:
        with pytest.raises(ServiceUnavailable, match="does not answer"):
            await ours.write(lambda tx: put_cursor(tx, "one"))
        assert await ours.read(lambda tx: costs.load_cursor(tx, "source")) is None
    finally:
        done.set()
        await holding
        await ours.close()
        await theirs.close()


async def test_a_file_that_is_no_database_is_a_mistake_in_the_configuration(
    tmp_path: Path,
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database at all\n" * 100)
    with pytest.raises(ConfigurationError, match="not an SQLite database"):
        await Database(f"sqlite:///{path}").start()
    assert path.read_text().startswith("not a database")


async def test_a_server_that_is_not_there_is_an_outage(caplog: pytest.LogCaptureFixture) -> None:
    database = Database("postgresql://me:hunter2@127.0.0.1:1/nothing")
    with pytest.raises(ServiceUnavailable) as raised:
        await database.start()
    assert "hunter2" not in f"{raised.value} {raised.value.details} {database!r} {caplog.text}"


@pytest.mark.parametrize("way", ["read", "ask", "write"])
async def test_connections_the_server_closed_are_replaced(
    postgres_server: PostgresForTests,
    postgres_url: str,
    caplog: pytest.LogCaptureFixture,
    way: str,
) -> None:
    database = Database(postgres_url, pool_size=3)
    await database.start()
    together = threading.Barrier(3)
    await asyncio.gather(*(database.read(lambda _: together.wait(10)) for _ in range(3)))
    name = postgres_url.rpartition("/")[2]
    postgres_server.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
    )
    for _ in range(3):
        found = await getattr(database, way)(lambda tx: costs.load_cursor(tx, "source"))
        assert found is None
    assert caplog.text == ""
    await database.close()


async def test_a_dead_connection_among_busy_ones_makes_no_more_of_them(
    postgres_server: PostgresForTests, postgres_url: str
) -> None:
    database = Database(postgres_url, pool_size=3)
    await database.start()
    name = postgres_url.rpartition("/")[2]
    ours = f"FROM pg_stat_activity WHERE datname = '{name}' AND application_name <> 'counter'"
    together, released = threading.Barrier(3), threading.Event()
    await asyncio.gather(*(database.read(lambda _: together.wait(10)) for _ in range(3)))
    held = [threading.Event() for _ in range(2)]
    busy = [
        asyncio.create_task(database.read(lambda _, at=at: (at.set(), released.wait(10))))
        for at in held
    ]
    for at in held:
        await happened(at)
    postgres_server.execute(f"SELECT pg_terminate_backend(pid) {ours} AND state = 'idle'")
    assert await database.read(lambda _: "once more") == "once more"
    released.set()
    await asyncio.gather(*busy)
    await asyncio.gather(*(database.read(lambda _: together.wait(10)) for _ in range(3)))
    with psycopg.connect(postgres_url, application_name="counter", autocommit=True) as counter:

        async def until_there_are(count: int) -> None:
            """Those that were closed PostgreSQL ends when it gets to them."""
            counting = f"SELECT count(*) {ours}".encode()
            async with asyncio.timeout(30):
                while counter.execute(counting).fetchone() != (count,):  # noqa: ASYNC110 - no event
                    await asyncio.sleep(0.02)

        await until_there_are(3)
        await database.close()
        await until_there_are(0)


async def test_work_that_ends_every_connection_it_has_is_tried_twice_without_a_traceback(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(postgres_url)
    await database.start()
    ending = Question(select(func.pg_terminate_backend(func.pg_backend_pid())))
    for way in (database.ask, database.read, database.write):
        with pytest.raises(ServiceUnavailable):
            await way(ending.rows)
    assert "Traceback" not in caplog.text
    assert "terminating connection due to administrator command" in caplog.text
    await database.close()


async def test_work_whose_connection_breaks_is_run_once_more(postgres_url: str) -> None:
    database = Database(postgres_url)
    await database.start()
    runs = 0

    def work(tx: Connection) -> None:
        nonlocal runs
        runs += 1
        put_cursor(tx, f"run {runs}")
        if runs == 1:
            tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    await database.write(work)
    assert await database.read(lambda tx: costs.load_cursor(tx, "source")) == "run 2"
    await database.close()


async def test_work_whose_commit_finds_no_server_is_not_run_again(
    postgres_server: PostgresForTests, postgres_url: str
) -> None:
    database = Database(postgres_url)
    await database.start()
    runs = 0

    def work(tx: Connection) -> None:
        nonlocal runs
        runs += 1
        put_cursor(tx, "one")
        own = tx.scalar(text("SELECT pg_backend_pid()"))
        postgres_server.execute(f"SELECT pg_terminate_backend({own})")

    with pytest.raises(ServiceUnavailable):
        await database.write(work)
    assert runs == 1
    await database.close()


async def test_a_connection_that_breaks_during_a_question_is_replaced(postgres_url: str) -> None:
    database = Database(postgres_url, pool_size=1)
    await database.start()
    ending = Question(select(func.pg_terminate_backend(func.pg_backend_pid())))
    with pytest.raises(ServiceUnavailable):
        await database.ask(ending.rows)
    assert await database.ask(lambda tx: costs.load_cursor(tx, "source")) is None
    await database.close()


async def test_a_connection_that_breaks_during_the_work_is_an_outage(postgres_url: str) -> None:
    database = Database(postgres_url)
    await database.start()

    def end_it_all(tx: Connection) -> None:
        put_cursor(tx, "one")
        tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(ServiceUnavailable):
        await database.write(end_it_all)
    assert await database.read(lambda tx: costs.load_cursor(tx, "source")) is None
    await database.close()


async def test_a_deadlock_is_tried_again(postgres_url: str) -> None:
    database = Database(postgres_url)
    await database.start()
    locks = text("SELECT pg_advisory_xact_lock(:number)")

    def both(first: int, second: int) -> Any:
        def work(tx: Connection) -> None:
            tx.execute(locks, {"number": first})
            tx.execute(text("SELECT pg_sleep(0.05)"))
            tx.execute(locks, {"number": second})
            put_cursor(tx, f"{first}-{second}")

        return database.write(work)

    await asyncio.gather(both(1, 2), both(2, 1))
    assert await database.read(lambda tx: costs.load_cursor(tx, "source")) in {"1-2", "2-1"}
    await database.close()


async def test_a_deadlock_that_the_driver_tells_is_tried_again(postgres_url: str) -> None:
    database = Database(postgres_url)
    await database.start()
    locking = Question(select(func.pg_advisory_xact_lock(bindparam("number"))))
    together = threading.Barrier(2)

    def both(first: int, second: int) -> Any:
        def work(tx: Connection) -> None:
            locking.rows(tx, number=first)
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(0.2)  # alone, when it is tried again
            locking.rows(tx, number=second)

        return database.write(work)

    await asyncio.gather(both(1, 2), both(2, 1))
    await database.close()


async def test_a_mistake_in_sql_is_not_called_an_outage(database: Database) -> None:
    with pytest.raises(DBAPIError):
        await database.read(lambda tx: tx.execute(text("SELECT nothing FROM nowhere")))
