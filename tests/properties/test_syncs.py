"""Syncs leave the last good numbers or the provider's, whatever comes between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import create_engine

from nullspend_margins import ProviderUnavailable
from nullspend_margins.services.sync_run import SyncReport
from nullspend_margins.storage.database import Transaction
from tests.properties import turnstiles
from tests.properties.profile import examples
from tests.properties.sync_happenings import BEGIN, ORG
from tests.properties.sync_machine import Syncs
from tests.properties.sync_stage import Stage, numbers_of, stage
from tests.properties.turnstiles import Account, Invoice

T = TypeVar("T")


def test_any_syncs_that_fall_together_end_at_what_the_provider_says(database_url: str) -> None:
    with stage(database_url) as on:
        run_state_machine_as_test(lambda: Syncs(on), settings=examples(30, stateful_step_count=12))


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
    assert not seen.held
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
