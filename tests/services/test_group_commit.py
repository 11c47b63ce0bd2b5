"""Cost events that arrive while a transaction is written share the next one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from nullspend_margins.errors import ServiceUnavailable
from nullspend_margins.services.ingest import MAX_GROUP_EVENTS, IngestService
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import StoredEvent
from nullspend_margins.storage.facts import replace_facts
from nullspend_margins.storage.rollups import RollupOverflow
from tests.services.outbox import CountingDatabase
from tests.storage.builders import NOW, ORG, event, fact, happened

Answer = asyncio.Task[list[StoredEvent]]


@dataclass(slots=True)
class HeldClock:
    """Asked once by every transaction, at its beginning; the first one waits here."""

    asked: int = 0
    entered: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def now(self) -> datetime:
        self.asked += 1
        self.entered.set()
        assert self.released.wait(30)
        return NOW


@dataclass(slots=True)
class Stage:
    """Ingest, in the middle of its first transaction."""

    service: IngestService
    clock: HeldClock
    answers: list[Answer] = field(default_factory=list)

    async def submit(self, *event_ids: str, org: str = ORG, tag: str = "acme") -> Answer:
        events = [event(each, tag_value=tag) for each in event_ids]
        answer = asyncio.create_task(self.service.submit(org, "api", events))
        self.answers.append(answer)
        await asyncio.sleep(0)  # it is waiting now
        return answer


@asynccontextmanager
async def writing(database: Database) -> AsyncIterator[Stage]:
    clock = HeldClock()
    stage = Stage(IngestService(database, clock), clock)
    await stage.submit("first")
    try:
        await happened(clock.entered)
        yield stage
    finally:
        clock.released.set()
        await asyncio.gather(*stage.answers, return_exceptions=True)
        await stage.service.close()


async def test_all_that_arrive_while_one_transaction_is_written_share_the_next(
    database: Database,
) -> None:
    async with writing(database) as stage:
        for number in range(20):
            await stage.submit(f"event-{number}", org=f"org_{number % 3}")
            await asyncio.sleep(0.001)
        assert not any(answer.done() for answer in stage.answers)
        stage.clock.released.set()
        stored = await asyncio.gather(*stage.answers)
    assert all(each.inserted for [each] in stored)
    assert stage.clock.asked == 2


async def test_what_is_too_much_for_one_transaction_goes_into_another(database: Database) -> None:
    async with writing(database) as stage:
        for number in range(MAX_GROUP_EVENTS // 100 + 1):
            await stage.submit(*(f"{number}-{index}" for index in range(100)))
        stage.clock.released.set()
        stored = await asyncio.gather(*stage.answers)
    assert sum(map(len, stored)) == MAX_GROUP_EVENTS + 101
    assert stage.clock.asked == 3


async def test_who_overflows_a_cell_does_not_harm_those_of_the_same_transaction(
    database: Database,
) -> None:
    full = [fact(key, 2**62 - half, tag_value="full") for half, key in enumerate(("a", "b"))]
    await database.write(lambda tx: replace_facts(tx, ORG, "filler", full, NOW))
    async with writing(database) as stage:
        before = await stage.submit("before")
        bad = await stage.submit("bad", tag="full")
        other = await stage.submit("bad", org="org_other", tag="full")
        stage.clock.released.set()
        with pytest.raises(RollupOverflow):
            await bad
        assert [each.inserted for each in (*await before, *await other)] == [True, True]


async def test_a_submission_may_come_twice_in_one_transaction(database: Database) -> None:
    async with writing(database) as stage:
        one, two = await stage.submit("same"), await stage.submit("same", "own")
        stage.clock.released.set()
        [first], [again, own] = await one, await two
    assert (first.inserted, again.inserted, own.inserted) == (True, False, True)
    assert again.id == first.id


async def test_an_outage_is_told_to_all_who_wait_and_to_nobody_after_it(database_url: str) -> None:
    database = CountingDatabase(database_url, fails=lambda number: number == 2)
    await database.start()
    async with writing(database) as stage:
        told = await asyncio.gather(
            *(stage.service.submit(ORG, "api", [event(f"event-{number}")]) for number in range(3)),
            return_exceptions=True,
        )
        assert [type(each) for each in told] == [ServiceUnavailable] * 3
        later = await stage.submit("event-0")
        stage.clock.released.set()
        [stored] = await later
        assert stored.inserted
    await database.close()


async def test_when_the_loop_ends_nobody_is_left_waiting(database: Database) -> None:
    async with writing(database) as stage:
        waiting = [await stage.submit(f"event-{number}") for number in range(3)]
        writers = [task for task in asyncio.all_tasks() if task.get_name() == "margins-ingest"]
        for writer in writers:
            writer.cancel()
        stage.clock.released.set()
        await asyncio.wait(writers)
        done, pending = await asyncio.wait(waiting, timeout=10)
        assert not pending
        assert all(answer.cancelled() for answer in done)
