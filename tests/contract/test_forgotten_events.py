"""What `[ingest] dedupe_days` has let go counts no second time, whoever tells of it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from nullspend_margins import CostBatch, CostEvent, ServiceUnavailable, ValidationFailed
from nullspend_margins.storage.tables import cost_events
from tests.world import NOW, ORG, World, event, world

DAYS = {"dedupe_days": 2}


def spent(event_id: str, occurred_at: datetime, model: str = "gpt-4o") -> CostEvent:
    return CostEvent(
        event_id=event_id,
        provider="openai",
        model=model,
        cost_nanodollars=1_000,
        occurred_at=occurred_at,
        tag_value="one",
    )


class Gateway:
    """A source that goes back a little at every pull, as rows may come late: it tells all again."""

    name = "gateway"

    def __init__(self) -> None:
        self.events: list[CostEvent] = []
        self.problem: Exception | None = None

    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        for each in self.events:
            yield CostBatch(org_id=ORG, events=[each], cursor="1")
        if self.problem is not None:
            raise self.problem


async def cost(here: World) -> int:
    await here.map("cus_1", "one")
    detail = await here.get("/api/margins/one?period=2026-11")
    return detail["costMicrodollars"]


async def test_a_source_that_is_quiet_for_long_repeats_itself_for_nothing(
    database_url: str,
) -> None:
    gateway = Gateway()
    gateway.events = [spent("1", NOW - timedelta(days=15)), spent("2", NOW)]
    async with world(database_url, plugins=[gateway], ingest=DAYS) as here:
        for _ in range(5):
            await here.cron()
            assert await cost(here) == 2
            here.clock.advance(days=1)


async def test_what_is_new_counts_after_the_source_was_away_for_longer(database_url: str) -> None:
    gateway = Gateway()
    gateway.events = [spent("1", NOW)]
    async with world(database_url, plugins=[gateway], ingest=DAYS) as here:
        await here.cron()
        here.clock.advance(days=3)
        gateway.problem = ServiceUnavailable("The gateway is away.")
        await here.cron()
        gateway.problem = None
        gateway.events += [spent("2", NOW + timedelta(hours=1)), spent("3", NOW, "gpt-4o-mini")]
        for _ in range(2):
            await here.cron()
            assert await cost(here) == 3


@pytest.mark.parametrize("end", ["its time is up", "it fails"])
async def test_nothing_is_let_go_before_a_source_was_read_to_its_end(
    database_url: str, end: str
) -> None:
    """Cut off amid a day, and out of order, the rest of that day is no repetition."""

    class Stopped(Gateway):
        async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
            first, second = self.events
            if cursor is None:
                yield CostBatch(org_id=ORG, events=[first], cursor="half")
                if end == "it fails":
                    raise ServiceUnavailable("The gateway is away.")
                await asyncio.Event().wait()
            yield CostBatch(org_id=ORG, events=[second], cursor="whole")

    gateway = Stopped()
    day = NOW - timedelta(days=9)
    gateway.events = [spent("1", day + timedelta(hours=2)), spent("2", day + timedelta(hours=1))]
    budget = {"time_budget_seconds": 1}
    async with world(database_url, plugins=[gateway], ingest=DAYS, cron=budget) as here:
        for _ in range(3):
            await here.cron()
        assert await cost(here) == 2


async def test_nothing_is_let_go_while_another_process_reads_a_source(database_url: str) -> None:
    """As of a source that is new in the configuration: a server that was started before knows
    nothing of it, while a command reads it for the first time.
    """
    half, go_on = asyncio.Event(), asyncio.Event()

    class Held(Gateway):
        async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
            first, second = self.events
            yield CostBatch(org_id=ORG, events=[first], cursor="half")
            half.set()
            await go_on.wait()
            yield CostBatch(org_id=ORG, events=[second], cursor="whole")

    gateway = Held()
    day = NOW - timedelta(days=9)
    gateway.events = [spent("1", day + timedelta(hours=2)), spent("2", day + timedelta(hours=1))]
    async with (
        world(database_url, plugins=[gateway], ingest=DAYS) as here,
        world(database_url, ingest=DAYS) as server,
    ):
        command = asyncio.create_task(here.cron())
        await half.wait()
        await server.cron()
        go_on.set()
        await command
        assert await cost(here) == 2


async def test_what_others_told_is_let_go_although_a_source_fails(database_url: str) -> None:
    gateway = Gateway()
    gateway.events = [spent("1", NOW)]
    gateway.problem = ServiceUnavailable("The gateway is away.")
    async with world(database_url, plugins=[gateway], ingest=DAYS) as here:
        await here.margins.ingest(ORG, [spent("1", NOW), spent("2", NOW)])
        here.clock.advance(days=3)
        await here.cron()
        database = (await here.margins.services()).alerts._database
        left = await database.read(
            lambda tx: [*tx.execute(select(cost_events.c.source, cost_events.c.event_id))]
        )
        assert left == [("gateway", "1")]
        assert await cost(here) == 3


async def test_a_host_is_refused_what_would_be_forgotten_at_once(database_url: str) -> None:
    async with world(database_url, ingest=DAYS) as here:
        young, old = (spent(f"{age}", NOW - timedelta(days=age)) for age in (2, 15))
        with pytest.raises(ValidationFailed, match=r"events\[1\].occurred_at: .*last 2 days"):
            await here.margins.ingest(ORG, [young, old])
        assert await here.margins.ingest(ORG, [young]) == 1
        assert await cost(here) == 1


async def test_a_server_whose_clock_is_behind_still_knows_what_another_lets_go(
    database_url: str,
) -> None:
    async with world(database_url, ingest=DAYS) as here:
        sent = event(customer="one", occurredAt="2026-11-20T00:00:00Z", idempotencyKey="k")
        first = await here.post_event(sent)
        here.clock.advance(days=2, minutes=30)
        await here.cron()
        here.clock.advance(minutes=-30)
        again = await here.post_event(sent)
        assert (first.status_code, again.status_code) == (201, 200)
        here.clock.advance(hours=2)
        await here.cron()
        assert await cost(here) == 5_250


async def test_so_does_one_that_reads_a_source(database_url: str) -> None:
    gateway = Gateway()
    gateway.events = [spent("1", NOW)]
    async with world(database_url, plugins=[gateway], ingest=DAYS) as here:
        await here.cron()
        here.clock.advance(days=2, minutes=65)
        await here.cron()
        here.clock.advance(minutes=-30)
        await here.cron()
        assert await cost(here) == 1
