"""How far a sync is: written when there is something new, once a second, and no reason to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from nullspend_margins.domain.period import Period
from nullspend_margins.errors import ServiceUnavailable
from nullspend_margins.services.sync_book import EVERY_SECONDS, SyncBook
from nullspend_margins.services.sync_staging import SyncProgress
from nullspend_margins.storage import syncs
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.leases import Lease
from nullspend_margins.storage.syncs import StoredSync
from tests.storage.builders import NOW, ORG
from tests.world import FixedClock

LEASE = Lease(org_id=ORG, name="sync:stripe", holder="me", fence=1, expires_at=NOW)


class Seconds:
    """Sleeps that end when a test says that a second has passed."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._waits: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        passed = asyncio.Event()
        self._waits.put_nowait(passed)
        await passed.wait()

    async def pass_one(self) -> None:
        """A second passes, and what follows from it is done: the next one is waited for."""
        (await self._waits.get()).set()
        waiting = await self._waits.get()
        self._waits.put_nowait(waiting)


class Counted:
    """A database that counts what is written, and may be away."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.writes = 0
        self.is_away = False

    async def write(self, work: Callable[[Any], Any]) -> Any:
        self.writes += 1
        if self.is_away:
            raise ServiceUnavailable("The database does not answer; try again.")
        return await self.database.write(work)


def fetched(count: int) -> SyncProgress:
    return SyncProgress(org_id=ORG, provider="stripe", invoices_fetched=count)


async def written(database: Database) -> StoredSync:
    return (await database.read(lambda tx: syncs.of_org(tx, ORG)))["stripe"]


def book(counted: Counted, seconds: Seconds, **options: Any) -> SyncBook:
    made: Any = counted
    return SyncBook(made, FixedClock(NOW), ORG, "stripe", sleep=seconds.sleep, **options)


async def test_what_is_new_is_written_once_a_second(database: Database) -> None:
    counted, seconds, heard = Counted(database), Seconds(), list[SyncProgress]()
    kept = book(counted, seconds, listener=heard.append)
    await kept.begin(LEASE)
    async with kept.kept(LEASE):
        for count in range(1, 100):
            kept.note(fetched(count))
        assert counted.writes == 1
        await seconds.pass_one()
        assert counted.writes == 2
        assert (await written(database)).invoices_fetched == 99
        await seconds.pass_one()
        assert counted.writes == 2  # nothing is new
    assert set(seconds.asked) == {EVERY_SECONDS}
    assert [each.invoices_fetched for each in heard] == list(range(1, 100))


async def test_a_run_that_is_over_soon_writes_its_beginning_alone(database: Database) -> None:
    counted = Counted(database)
    kept = book(counted, Seconds())
    await kept.begin(LEASE)
    async with kept.kept(LEASE):
        kept.note(fetched(5))
        await kept.turn_to("costs", LEASE)
        await kept.turn_to("storing", LEASE)
    assert counted.writes == 1


async def test_a_long_run_says_at_once_that_it_stores(database: Database) -> None:
    counted, seconds = Counted(database), Seconds()
    kept = book(counted, seconds, month=Period.parse("2026-02"))
    await kept.begin(LEASE)
    async with kept.kept(LEASE):
        await seconds.pass_one()
        kept.note(fetched(5))
        await kept.turn_to("storing", LEASE)
        found = await written(database)
    assert (found.stage, found.invoices_fetched) == ("storing", 5)
    assert found.month == Period.parse("2026-02").index
    assert found.started_at == NOW


async def test_a_database_that_is_away_is_told_and_does_not_stop_the_run(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    counted, seconds = Counted(database), Seconds()
    kept = book(counted, seconds)
    await kept.begin(LEASE)
    async with kept.kept(LEASE):
        counted.is_away = True
        kept.note(fetched(5))
        await seconds.pass_one()
        await kept.turn_to("storing", LEASE)
        counted.is_away = False
        kept.note(fetched(6))
        await seconds.pass_one()
    assert (await written(database)).invoices_fetched == 6
    assert "progress of a sync not written" in caplog.text


async def test_a_run_that_was_overtaken_leaves_its_successors_row(database: Database) -> None:
    seconds = Seconds()
    kept = book(Counted(database), seconds)
    await kept.begin(LEASE)
    later = NOW + timedelta(minutes=5)
    await database.write(
        lambda tx: syncs.begin(tx, ORG, "stripe", 2, later, stage="reading", month=None)
    )
    async with kept.kept(LEASE):
        kept.note(fetched(5))
        await seconds.pass_one()
    found = await written(database)
    assert (found.fence, found.invoices_fetched, found.updated_at) == (2, 0, later)
