"""Checking and mending while ingest, corrections, syncs and pruning go on."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, Engine, event, text, update

from nullspend_margins.domain.cost import CostEvent, CostFact
from nullspend_margins.domain.revenue import RevenueFact
from nullspend_margins.services.ingest import IngestService
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import insert_events, prune_events
from nullspend_margins.storage.facts import replace_facts
from nullspend_margins.storage.tables import (
    cost_model_days,
    cost_months,
    customer_months,
    revenue_customers,
)
from tests.storage import builders
from tests.storage.builders import NOVEMBER, NOW, ORG, fact, invoice, sync
from tests.storage.rebuilding import check, mend, opened, stored, until_done_or_waiting
from tests.world import FixedClock

ROUNDS = 12


def some_event(number: int) -> CostEvent:
    """One of few cells, and never too recent to be pruned."""
    return builders.event(
        f"{number}", number % 7, tag_value=f"t{number % 3}", model=f"m{number % 2}",
        occurred_at=NOW - timedelta(days=number % 5),
    )  # fmt: skip


def some_facts(chance: random.Random) -> list[CostFact]:
    """Corrections that move, cancel out and vanish."""
    return [
        fact(
            key, chance.randint(-3, 3), tag_value=f"t{chance.randint(0, 2)}",
            day=date(2026, 11, chance.randint(1, 30)), request_count=chance.randint(0, 1),
        )
        for key in "abcd"
    ]  # fmt: skip


def some_invoices(chance: random.Random) -> list[RevenueFact]:
    return [
        invoice(key, chance.randint(0, 500), customer_id=f"cus_{chance.randint(1, 3)}")
        for key in "abcde"
    ]


async def hammer(database: Database, done: asyncio.Event) -> list[int]:
    """Everything that writes, all at once, as often as ``ROUNDS`` says.

    Returns the numbers of the events that were told to be new (some again, once pruned).
    """
    new: list[int] = []
    chance = random.Random(11)
    ingest = IngestService(database, FixedClock(NOW))

    async def send(first: int) -> None:
        for start in range(first, first + 30 * ROUNDS, 30):
            numbers = [*range(start, start + 30), *range(first, first + 5)]
            stored = await ingest.submit(ORG, "api", [some_event(number) for number in numbers])
            new.extend(n for n, answer in zip(numbers, stored, strict=True) if answer.inserted)

    async def repeat(work: Callable[[Connection], object]) -> None:
        for _ in range(ROUNDS):
            await database.write(work)

    await asyncio.gather(
        *(send(first) for first in (0, 100, 200, 5_000)),
        repeat(lambda tx: replace_facts(tx, ORG, "bill", some_facts(chance), NOW)),
        repeat(lambda tx: replace_facts(tx, ORG, "daily", some_facts(chance), NOW)),
        repeat(lambda tx: sync(tx, some_invoices(chance))),
        repeat(lambda tx: prune_events(tx, ORG, NOW - timedelta(days=2), 20)),
    )
    done.set()
    return new


async def test_a_check_beside_everything_else_raises_no_false_alarm(database_url: str) -> None:
    done = asyncio.Event()
    async with opened(database_url) as ours, opened(database_url) as theirs:
        writing = asyncio.create_task(hammer(theirs, done))
        reports = [await check(ours)]
        while not done.is_set():
            reports.append(await check(ours))
        await writing
        reports.append(await check(ours))
    assert [each for each in reports if each.wrong] == []
    assert reports[-1].cells > 20


async def test_mending_beside_everything_else_loses_nothing(database_url: str) -> None:
    """What is damaged again and again is right in the end, and so is all that came meanwhile."""
    done = asyncio.Event()
    chance = random.Random(5)
    damage = (
        update(cost_months).filter_by(org_id=ORG, tag_value="t0").values(cost_nanodollars=99),
        update(cost_months).filter_by(org_id=ORG, tag_value="t1").values(request_count=0),
        update(cost_model_days).filter_by(org_id=ORG, model="m1").values(request_count=7),
        update(customer_months).filter_by(org_id=ORG).values(invoiced=1),
        update(revenue_customers).filter_by(org_id=ORG).values(name="Nobody"),
    )
    async with opened(database_url) as ours, opened(database_url) as theirs:
        writing = asyncio.create_task(hammer(theirs, done))
        mended = 0
        while not done.is_set() or not mended:
            await ours.write(lambda tx: tx.execute(chance.choice(damage)))
            mended += (await mend(ours)).wrong
        new = await writing
        await mend(ours)
        assert (await check(ours)).wrong == 0
        days = [row for row in (await stored(ours))[1] if row[2] == "api"]
    assert sum(row[6] for row in days) == len(new)
    assert sum(row[5] for row in days) == sum(some_event(n).cost_nanodollars for n in new)


LAST = "COMMIT"
PAUSES = ["INSERT INTO margins_cost_months", "INSERT INTO margins_cost_model_days", LAST]


class Held:
    """Ingest that stops before a statement of its transaction until it may go on."""

    def __init__(self, before: str) -> None:
        self.before = before
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.attempts = 0

    def store(self, tx: Connection) -> None:
        self.attempts += 1

        @event.listens_for(tx, "before_cursor_execute")
        def look(_c: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.startswith(self.before):
                self._pause()

        insert_events(tx, ORG, "api", [builders.event("second", 7)], NOW)
        if self.before == LAST:
            self._pause()

    def _pause(self) -> None:
        self.reached.set()
        self.go_on.wait(60)


@pytest.mark.parametrize("before", PAUSES)
async def test_mending_waits_for_ingest_that_has_begun_to_add_up_and_goes_before_one_that_has_not(
    postgres_url: str, before: str
) -> None:
    """Whatever statement a transaction of ingest stops at, nothing is counted twice or lost."""
    held = Held(before)

    def first(tx: Connection) -> None:
        insert_events(tx, ORG, "api", [builders.event("first", 5)], NOW)
        for table in (cost_months, cost_model_days):
            tx.execute(update(table).values(cost_nanodollars=99, request_count=0))

    async with opened(postgres_url) as ours, opened(postgres_url) as theirs:
        await ours.write(first)
        with locks_taken() as locks:
            ingest = asyncio.create_task(theirs.write(held.store))
            await asyncio.to_thread(held.reached.wait, 60)
            mending = asyncio.create_task(mend(ours))
            try:
                await until_done_or_waiting(mending, theirs)
            finally:
                held.go_on.set()
            report, _ = await asyncio.gather(mending, ingest)
        assert report.wrong == 2
        assert (held.attempts, locks) == (1, ["margins_cost_months", "margins_cost_model_days"])
        assert (await check(ours)).wrong == 0
        assert (await stored(ours))[0] == [(NOVEMBER.index, "acme", 12, 2)]


@contextmanager
def locks_taken() -> Iterator[list[str]]:
    """The tables that anybody locks, in order; one that is tried again is there twice."""
    taken: list[str] = []

    def look(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("LOCK TABLE"):
            taken.append(statement.split()[2])

    event.listen(Engine, "before_cursor_execute", look)
    yield taken
    event.remove(Engine, "before_cursor_execute", look)


async def test_a_correction_within_a_month_leaves_the_table_of_months_unlocked(
    postgres_url: str,
) -> None:
    """Or it would take the tables' locks in the other order than everybody else."""
    locked = text(
        "SELECT relname FROM pg_locks JOIN pg_class c ON c.oid = relation "
        "WHERE pid = pg_backend_pid() AND mode = 'RowExclusiveLock' AND relkind = 'r'"
    )

    def work(tx: Connection) -> list[str]:
        replace_facts(tx, ORG, "bill", [fact("a", day=date(2026, 11, 7))], NOW)
        return sorted(tx.scalars(locked))

    async with opened(postgres_url) as database:
        await database.write(lambda tx: replace_facts(tx, ORG, "bill", [fact("a")], NOW))
        tables = ["margins_cost_facts", "margins_cost_model_days"]
        assert await database.write(work) == tables
