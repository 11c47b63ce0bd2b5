"""Pruned events leave their costs behind: exactly once, and for what was pruned long ago too."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text, update

from nullspend_margins.domain.cost import MAX_COST_NANODOLLARS
from nullspend_margins.domain.period import day_number
from nullspend_margins.services.rebuild import RebuildService
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import insert_events, prune_events, without_pruned
from nullspend_margins.storage.facts import replace_facts
from nullspend_margins.storage.migrate import migrate
from nullspend_margins.storage.rollups import RollupOverflow
from nullspend_margins.storage.tables import cost_events, cost_model_days, pruned_costs
from tests.postgres import PostgresForTests
from tests.storage.builders import NOVEMBER, NOW, ORG, event, fact, rows
from tests.storage.rebuilding import check, opened, until_done_or_waiting
from tests.storage.releases import bring_to, empty_database
from tests.world import world

DAY = day_number(NOW)
AFTER = NOW + timedelta(days=1)


async def test_pruned_events_leave_what_they_cost_by_cell(database: Database) -> None:
    events = [
        event("1", 5),
        event("2", 0),
        event("3", 7, model="other"),
        event("4", 11, occurred_at=NOVEMBER.start),
    ]

    def work(tx: Connection) -> int:
        insert_events(tx, ORG, "api", events, NOW)
        insert_events(tx, ORG, "proxy", events[:1], NOW)
        insert_events(tx, "org_2", "api", events, NOW)
        return prune_events(tx, ORG, AFTER, 100)

    assert await database.write(work) == 5
    assert await database.read(lambda tx: rows(tx, pruned_costs)) == [
        (day_number(NOVEMBER.start), "acme", "api", "openai", "gpt-4o", 11, 1),
        (DAY, "acme", "api", "openai", "gpt-4o", 5, 2),
        (DAY, "acme", "api", "openai", "other", 7, 1),
        (DAY, "acme", "proxy", "openai", "gpt-4o", 5, 1),
    ]
    assert await database.read(lambda tx: rows(tx, cost_events)) == []
    assert len(await database.read(lambda tx: rows(tx, cost_events, "org_2"))) == 4


async def test_an_event_of_the_very_horizon_is_kept_since_it_is_still_let_in(
    database: Database,
) -> None:
    await database.write(lambda tx: insert_events(tx, ORG, "api", [event("a")], NOW))
    for before, gone in ((NOW, 0), (NOW + timedelta(microseconds=1), 1)):
        pruned = await database.write(lambda tx, before=before: prune_events(tx, ORG, before, 9))
        assert pruned == gone


async def test_the_same_cell_pruned_bit_by_bit_adds_up(database: Database) -> None:
    many = [event(f"{n}", n, occurred_at=NOW + timedelta(seconds=n)) for n in range(10)]
    await database.write(lambda tx: insert_events(tx, ORG, "api", many, NOW))
    for pruned, total in ((4, 6), (8, 28), (10, 45), (10, 45)):
        await database.write(lambda tx: prune_events(tx, ORG, AFTER, 4))
        assert await database.read(lambda tx: rows(tx, pruned_costs)) == [
            (DAY, "acme", "api", "openai", "gpt-4o", total, pruned)
        ]
        assert (await check(database)).wrong == 0


async def test_an_event_that_comes_again_after_it_was_pruned_counts_twice(
    database: Database,
) -> None:
    """Which is why older ones than the horizon are refused at the door."""
    for _ in range(2):
        await database.write(lambda tx: insert_events(tx, ORG, "api", [event("a", 5)], NOW))
        await database.write(lambda tx: prune_events(tx, ORG, AFTER, 10))
    assert [row[5:] for row in await database.read(lambda tx: rows(tx, pruned_costs))] == [(10, 2)]
    assert (await check(database)).wrong == 0


@pytest.mark.parametrize("first", ["the pruner", "the source"])
async def test_a_source_that_repeats_itself_beside_a_pruner_counts_once(
    postgres_url: str, first: str
) -> None:
    """Neither has committed when the other begins."""
    reached, go_on = threading.Event(), threading.Event()

    def prune(tx: Connection) -> None:
        prune_events(tx, ORG, AFTER, 10)

    def repeat(tx: Connection) -> None:
        events = without_pruned(tx, ORG, "api", [event("a", 5)], AFTER)
        insert_events(tx, ORG, "api", events, NOW)

    works = [prune, repeat] if first == "the pruner" else [repeat, prune]

    def held(tx: Connection) -> None:
        works[0](tx)
        reached.set()
        go_on.wait(60)

    async with opened(postgres_url) as ours, opened(postgres_url) as theirs:
        await ours.write(lambda tx: insert_events(tx, ORG, "api", [event("a", 5)], NOW))
        one = asyncio.create_task(ours.write(held))
        await asyncio.to_thread(reached.wait, 60)
        other = asyncio.create_task(theirs.write(works[1]))
        try:
            await until_done_or_waiting(other, theirs)
        finally:
            go_on.set()
        await asyncio.gather(one, other)
        [[*_, cost, requests]] = await ours.read(lambda tx: rows(tx, cost_model_days))
        assert (cost, requests) == (5, 1)


async def test_pruning_that_is_rolled_back_leaves_the_events_and_no_costs(
    database: Database,
) -> None:
    await database.write(lambda tx: insert_events(tx, ORG, "api", [event("a", 5)], NOW))

    def broken(tx: Connection) -> None:
        prune_events(tx, ORG, AFTER, 10)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(broken)
    assert await database.read(lambda tx: rows(tx, pruned_costs)) == []
    assert len(await database.read(lambda tx: rows(tx, cost_events))) == 1


async def test_pruners_at_the_same_time_count_each_event_once(database_url: str) -> None:
    """Four processes, each in small steps, over the same cells, beside ingest of new events."""
    numbers = count()

    def fresh(size: int) -> list[int]:
        return [next(numbers) for _ in range(size)]

    def store(tx: Connection, some: list[int]) -> object:
        events = [event(f"{n}", n, tag_value=f"t{n % 3}", model=f"m{n % 2}") for n in some]
        return insert_events(tx, ORG, "api", events, NOW)

    async def ingest(database: Database) -> None:
        for some in [fresh(5) for _ in range(10)]:
            await database.write(lambda tx, some=some: store(tx, some))

    async def prune(database: Database) -> int:
        gone = 0
        while one := await database.write(lambda tx: prune_events(tx, ORG, AFTER, 17)):
            gone += one
        return gone

    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(opened(database_url)) for _ in range(4)]
        await databases[0].write(lambda tx: store(tx, fresh(600)))
        pruned = await asyncio.gather(*map(prune, databases), ingest(databases[0]))
        gone = sum(each or 0 for each in pruned) + await prune(databases[1])
        assert gone == next(numbers) == 650
        kept = await databases[0].read(lambda tx: rows(tx, pruned_costs))
        assert (await check(databases[0])).wrong == 0
    assert (sum(row[5] for row in kept), sum(row[6] for row in kept)) == (sum(range(650)), 650)


def overfill(tx: Connection) -> None:
    """Events of more than a cell can hold, kept small in the rollup by credits."""
    full = [event(f"{n}", MAX_COST_NANODOLLARS) for n in range(9_300)]
    for key in "ab":
        credit = fact(key, -(2**62), day=NOW.date(), request_count=0)
        replace_facts(tx, ORG, "api", [credit], NOW)
    for half in (full[:4_650], full[4_650:]):
        insert_events(tx, ORG, "api", half, NOW)


async def test_an_org_that_cannot_be_pruned_stops_no_other(database_url: str) -> None:
    def fill(tx: Connection) -> None:
        overfill(tx)
        insert_events(tx, "org_2", "api", [event("a")], NOW)

    async with world(database_url, ingest={"dedupe_days": 30}) as here, opened(database_url) as db:
        await db.write(fill)
        here.clock.advance(days=60)
        assert (await here.cron()).status_code == 200
        kept = await db.read(lambda tx: [len(rows(tx, cost_events, org)) for org in (ORG, "org_2")])
    assert kept == [9_300, 0]


async def test_costs_that_would_fill_a_cell_over_the_brim_stay_where_they_are(
    database: Database,
) -> None:
    await database.write(overfill)
    with pytest.raises(RollupOverflow):
        await database.write(lambda tx: prune_events(tx, ORG, AFTER, 10_000))
    assert await database.write(lambda tx: prune_events(tx, ORG, AFTER, 9_000)) == 9_000
    assert (await check(database)).wrong == 0


def _fill_as_then(tx: Connection) -> None:
    """Some orgs, some of their events pruned as the first release did."""
    late = NOW.replace(hour=23, minute=59, second=59, microsecond=999_999)
    events = [
        event("1", 2**32 - 1, occurred_at=NOW - timedelta(days=40)),
        event("2", 0, occurred_at=NOW - timedelta(days=40)),
        event("3", 7, occurred_at=late),
        event("4", 11, occurred_at=late, tag_value=""),
        event("5", MAX_COST_NANODOLLARS, occurred_at=NOW - timedelta(days=41)),
        event("6", 13, occurred_at=NOW - timedelta(days=40), model="kept"),
        event("7", 2, occurred_at=NOW - timedelta(days=40)),
    ]
    for org_id in (ORG, "org_2", "unpruned"):
        insert_events(tx, org_id, "api", events, NOW)
        credit = fact("a", -(2**62), day=(NOW - timedelta(days=41)).date(), request_count=2)
        replace_facts(tx, org_id, "api", [credit, fact("b", 3)], NOW)
    for org_id in (ORG, "org_2"):
        for event_id in "1235" if org_id == ORG else "4":
            tx.execute(
                text("DELETE FROM margins_cost_events WHERE org_id = :org AND event_id = :id"),
                {"org": org_id, "id": event_id},
            )


@pytest.fixture(params=["sqlite", "postgresql"])
def first_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_server: PostgresForTests
) -> object:
    """A database of the first release that has pruned."""
    with empty_database(request.param, tmp_path, postgres_server) as url:
        bring_to(url, "0001", _fill_as_then)
        yield url


async def test_what_was_pruned_before_is_what_rollups_have_more_than_events_and_facts(
    first_url: str,
) -> None:
    await migrate(first_url)
    ago = DAY - 40
    async with opened(first_url) as database:
        found = {
            org_id: await database.read(lambda tx, org_id=org_id: rows(tx, pruned_costs, org_id))
            for org_id in await RebuildService(database).orgs()
        }
        assert found == {
            ORG: [
                (ago - 1, "acme", "api", "openai", "gpt-4o", MAX_COST_NANODOLLARS, 1),
                (ago, "acme", "api", "openai", "gpt-4o", 2**32 - 1, 2),
                (DAY, "acme", "api", "openai", "gpt-4o", 7, 1),
            ],
            "org_2": [(DAY, "", "api", "openai", "gpt-4o", 11, 1)],
            "unpruned": [],
        }
        assert [(await check(database, org_id)).wrong for org_id in found] == [0, 0, 0]


async def test_what_pruning_cannot_have_done_is_left_for_the_check_to_find(
    first_url: str,
) -> None:
    engine = create_engine(first_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as tx:
        kept = cost_model_days.c.model == "kept"
        tx.execute(update(cost_model_days).where(kept).values(cost_nanodollars=12))
    engine.dispose()
    await migrate(first_url)
    async with opened(first_url) as database:
        pruned = await database.read(lambda tx: rows(tx, pruned_costs))
        report = await check(database)
    assert "kept" not in {row[4] for row in pruned}
    assert [each.key["model"] for each in report.shown] == ["kept"]
