"""Syncs leave the last good numbers or the provider's, whatever comes between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import permutations
from typing import TypeVar

import pytest
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import create_engine

from nullspend_margins import ProviderUnavailable
from nullspend_margins.services.sync_report import SyncReport
from nullspend_margins.storage.database import Transaction
from tests.properties import turnstiles
from tests.properties.paged_provider import Account, Invoice
from tests.properties.profile import examples
from tests.properties.sync_happenings import BEGIN, ORG, Happening
from tests.properties.sync_machine import ANOTHER_SYNCS, Syncs
from tests.properties.sync_stage import Stage, numbers_of, revenue_of, stage

T = TypeVar("T")


def test_any_syncs_that_fall_together_end_at_what_the_provider_says(database_url: str) -> None:
    with stage(database_url) as on:
        run_state_machine_as_test(lambda: Syncs(on), settings=examples(30, stateful_step_count=15))


BETWEEN: list[Happening] = [
    ANOTHER_SYNCS,
    ("wait", {"jump": "lease"}),
    ("wait", {"jump": "month"}),
    ("replace_key", {"key": "other"}),
    ("disconnect", {"by": 1, "again": True}),
    ("unmap", {"by": 1, "number": 0}),
    ("change", {"number": 0, "change": {}}),
]


def test_whatever_comes_between_staging_and_applying_ends_well(database_url: str) -> None:
    """Any two things of the list, in either order."""
    with stage(database_url) as on:
        for some in permutations(BETWEEN, 2):
            machine = Syncs(on)
            machine.begin_somewhere([("cus_1", 7, "usd", "paid", 20)], [("cus_1", 0)], [])
            machine.sync(0, None)
            machine.meanwhile(0, some, staged=True)
            machine.nothing_is_left_behind()
            machine.teardown()


def test_a_sync_overtaken_at_any_step_does_its_successor_no_harm(database_url: str) -> None:
    with stage(database_url) as on:
        steps = 0
        while overtaken_after(on, steps):
            steps += 1
        assert steps > 10


def test_a_sync_that_was_killed_is_no_hindrance_once_its_lease_is_over(
    database_url: str,
) -> None:
    with stage(database_url) as on:
        steps = 0
        while killed_after(on, steps):
            steps += 3  # before one write, after another
        assert steps > 10


def killed_after(on: Stage, steps: int) -> bool:
    """Whether a sync whose process ends after so many steps was running."""
    machine = Syncs(on)
    machine.begin_somewhere([("cus_1", 7, "usd", "paid", 20)], [("cus_1", 0)], [])
    dead, other = on.processes
    machine.begin(dead, None, stepwise=True)
    machine.go_on(dead, steps)
    if not dead.is_running:
        return False
    machine.kill(dead)
    machine.sync(1, None)
    if machine.has_ghost:
        machine.wait("lease")
    machine.begin(other, None, stepwise=False)
    machine.end(other)
    machine.nothing_is_left_behind()
    assert not machine.has_ghost
    assert machine.seen.numbers == numbers_of(revenue_of(machine.org))
    assert other.told is not None and other.told.complete
    return True


def overtaken_after(on: Stage, steps: int) -> bool:
    """Whether a sync that sleeps after so many steps, until another has read all, was running."""
    machine = Syncs(on)
    machine.begin_somewhere([("cus_1", 7, "usd", "paid", 20)], [("cus_1", 0)], [])
    slow, successor = on.processes
    machine.begin(slow, None, stepwise=True)
    machine.go_on(slow, steps)
    if not slow.is_running:
        return False
    machine.wait("lease")
    machine.begin_and_read(successor, staged=True)
    while slow.is_running:
        machine.go_on(slow, 1)
    machine.end(successor)
    machine.nothing_is_left_behind()
    return True


class InlineDatabase:
    """Answers on the event loop itself, so that a sync takes the same ticks every time."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))

    async def read(self, work: Callable[[Transaction], T]) -> T:
        await asyncio.sleep(0)
        with self._engine.begin() as connection:
            result = work(connection)
        await asyncio.sleep(0)
        return result

    write = read

    def close(self) -> None:
        self._engine.dispose()


@pytest.mark.parametrize("failing", [False, True], ids=["a good sync", "a failing sync"])
def test_a_sync_stopped_at_any_await_leaves_nothing_behind(
    database_url: str, failing: bool
) -> None:
    inline = InlineDatabase(database_url)
    with stage(database_url, inline) as on:
        ticks = 0
        while stopped_after(on, ticks, failing=failing):
            ticks += 1
        assert ticks > 30  # it was stopped at all of them
    inline.close()


def stopped_after(on: Stage, ticks: int, *, failing: bool) -> bool:
    """Whether a sync that is stopped after so many ticks was still running then."""
    on.clear()
    on.clock.moment = BEGIN
    account = on.provider.account = Account()
    process = on.processes[0]
    on.do(process.services.connections.connect(ORG, "stripe", {"key": "k"}))
    for number in range(3):
        account.invoices[f"in_{number}"] = Invoice("cus_1", 100 + number, "usd", "paid", BEGIN)
    assert isinstance(on.do(synced(on)), SyncReport)
    before = on.look(ORG).numbers
    account.change("in_1", cents=7)
    account.invoices["in_9"] = Invoice("cus_2", 5, "usd", "paid", BEGIN)
    after = numbers_of(account.fact(object_id) for object_id in account.invoices)
    if failing:
        process.failure = (1, ProviderUnavailable("The provider does not answer."))
    was_running, outcome = on.do(stop_after(on, ticks))
    seen = on.look(ORG)
    assert seen.held_until is None
    assert seen.staged == 0
    assert seen.numbers in ([before] if failing else [before, after])
    assert seen.numbers == after or not isinstance(outcome, SyncReport)
    process.failure = None
    assert isinstance(on.do(synced(on)), SyncReport)
    assert on.look(ORG).numbers == after
    return was_running


async def synced(on: Stage) -> SyncReport | BaseException:
    await turnstiles.start(on.processes[0], ORG, stepwise=False)
    return await turnstiles.ended(on.processes[0])


async def stop_after(on: Stage, ticks: int) -> tuple[bool, SyncReport | BaseException]:
    process = on.processes[0]
    await turnstiles.start(process, ORG, stepwise=False)
    for _ in range(ticks):
        await asyncio.sleep(0)
    assert process.task is not None
    running = not process.task.done()
    return running, await turnstiles.cancelled(process)
