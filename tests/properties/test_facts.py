"""Cost facts, replaced however often: the rollups are what the latest of each add up to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date

import pytest_asyncio
from hypothesis import event, given
from hypothesis import strategies as st
from sqlalchemy import delete

from nullspend_margins import CostEvent, CostFact, Period
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import insert_events
from nullspend_margins.storage.facts import replace_facts
from nullspend_margins.storage.rollups import RollupOverflow
from nullspend_margins.storage.tables import cost_facts
from tests.properties import strategies
from tests.properties.cells import Ledger, require_right
from tests.properties.profile import examples
from tests.storage.builders import NOW, ORG, rows
from tests.storage.rebuilding import ALL_TABLES, check, emptied, mend, opened, stored

MONTHS = st.sampled_from(("2026-11", "2026-12", "2027-01")).map(Period.parse)
TAGS = st.sampled_from(("acme", "zeta", ""))
SOURCES = st.sampled_from(("bill", "daily"))


@pytest_asyncio.fixture
async def processes(database_url: str) -> AsyncIterator[list[Database]]:
    """Two, as if on two hosts."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(opened(database_url, 3)) for _ in range(2)]


def facts(amounts: st.SearchStrategy[int]) -> st.SearchStrategy[CostFact]:
    """Few keys, days, customers and models: most facts replace and move."""
    return strategies.fact(TAGS, amounts, MONTHS)


small = st.one_of(st.just(0), st.integers(-20, 20))
huge = st.one_of(small, st.sampled_from((2**62, -(2**62), 2**62 - 1)), st.integers(-(2**62), 2**62))
Batch = tuple[str, list[CostFact]]
batches = st.lists(st.tuples(SOURCES, st.lists(facts(small), max_size=5)), min_size=1, max_size=8)
huge_batches = st.lists(st.tuples(SOURCES, st.lists(facts(huge), max_size=5)), max_size=8)
some_events = st.lists(strategies.event("e1", TAGS, MONTHS), max_size=1)


async def rebuilt_from_scratch_is_the_same(database: Database) -> None:
    assert (await check(database)).wrong == 0
    before = await stored(database)
    await database.write(lambda tx: [tx.execute(delete(table)) for table in ALL_TABLES])
    await mend(database)
    assert await stored(database) == before


@examples(30)
@given(told=batches, events=some_events)
async def test_only_the_latest_of_each_fact_counts(
    processes: list[Database], told: list[Batch], events: list[CostEvent]
) -> None:
    database = processes[0]
    await emptied(database)
    ledger = Ledger()
    ledger.tell("daily", events)
    await database.write(lambda tx: insert_events(tx, ORG, "daily", events, NOW))
    for source, batch in told:
        ledger.correct(source, batch)
        await database.write(
            lambda tx, source=source, batch=batch: replace_facts(tx, ORG, source, batch, NOW)
        )
        await database.read(lambda tx: require_right(tx, ORG, ledger))
    await rebuilt_from_scratch_is_the_same(database)
    gone = [(source, nothing(fact)) for (source, _), fact in ledger.facts.items()]
    for source, fact in gone:
        await database.write(
            lambda tx, source=source, fact=fact: replace_facts(tx, ORG, source, [fact], NOW)
        )
    ledger.facts.clear()
    await database.read(lambda tx: require_right(tx, ORG, ledger))


def nothing(fact: CostFact) -> CostFact:
    """How a fact is taken back."""
    return CostFact(
        key=fact.key, provider="p", model="m", cost_nanodollars=0, day=fact.day, request_count=0
    )


@examples(30)
@given(told=huge_batches)
async def test_a_batch_that_fills_a_cell_over_the_brim_leaves_everything_as_it_was(
    processes: list[Database], told: list[Batch]
) -> None:
    database = processes[0]
    await emptied(database)
    ledger = Ledger()
    for source, batch in told:
        ledger = await told_or_refused(database, ledger, source, batch)
    await rebuilt_from_scratch_is_the_same(database)


async def told_or_refused(
    database: Database, before: Ledger, source: str, batch: list[CostFact]
) -> Ledger:
    """The ledger after ``batch``; before it, when it was refused. What is stored is the same."""
    after = Ledger(facts=dict(before.facts))
    after.correct(source, batch)
    try:
        await database.write(lambda tx: replace_facts(tx, ORG, source, batch, NOW))
    except RollupOverflow:
        event("refused")
        assert is_too_much(after)
        after = before
    await database.read(lambda tx: require_right(tx, ORG, after))
    return after


def is_too_much(ledger: Ledger) -> bool:
    """A cell would leave 64 bits."""
    cells = (*ledger.months().values(), *ledger.model_days().values())
    return any(not -(2**63) <= cost < 2**63 for cost, _ in cells)


waves = st.lists(st.lists(st.tuples(SOURCES, facts(small)), max_size=8), min_size=1, max_size=4)


@examples(20)
@given(told=waves, parts=st.integers(1, 3))
async def test_batches_at_the_same_time_neither_lose_nor_repeat_a_correction(
    processes: list[Database], told: list[list[tuple[str, CostFact]]], parts: int
) -> None:
    """Where several speak of one fact, any of them may be the last; the sums are of that one."""
    await emptied(processes[0])
    ledger = Ledger()

    async def send(number: int, source: str, batch: list[CostFact]) -> None:
        await processes[number % 2].write(lambda tx: replace_facts(tx, ORG, source, batch, NOW))

    for wave in told:
        batches = [
            (source, [fact for teller, fact in wave[part::parts] if teller == source])
            for part in range(parts)
            for source in ("bill", "daily")
        ]
        await asyncio.gather(*(send(number, *each) for number, each in enumerate(batches)))
        standing = await processes[0].read(lambda tx: {row[:-1] for row in rows(tx, cost_facts)})
        last = [(source, fact) for source, fact in wave if as_stored(source, fact) in standing]
        assert {(source, fact.key) for source, fact in last} == {
            (source, fact.key) for source, fact in wave
        }
        for source, fact in last:
            ledger.correct(source, [fact])
        await processes[0].read(lambda tx: require_right(tx, ORG, ledger))
    await rebuilt_from_scratch_is_the_same(processes[0])


def as_stored(source: str, fact: CostFact) -> tuple[object, ...]:
    return (
        source, fact.key, fact.provider, fact.model, fact.tag_value,
        (fact.day - date(1970, 1, 1)).days, fact.cost_nanodollars, fact.request_count,
    )  # fmt: skip
