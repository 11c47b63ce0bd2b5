"""A backfill that is killed, or that a sync comes into, at its steps: before and after writes."""

from __future__ import annotations

from datetime import timedelta

from nullspend_margins import Period
from nullspend_margins.services.backfill import BackfillReport
from nullspend_margins.services.sync_report import SyncReport
from tests.properties import turnstiles
from tests.properties.paged_provider import Account, Invoice
from tests.properties.sync_happenings import BEGIN, ORG
from tests.properties.sync_stage import LEASE_SECONDS, Stage, numbers_of, stage
from tests.properties.turnstiles import Process

SINCE = Period.parse("2026-06")
"""Two months before the window of a sync in November."""


def test_a_backfill_that_is_killed_goes_on_where_it_was(database_url: str) -> None:
    with stage(database_url) as on:
        steps = 0
        while killed_after(on, steps):
            steps += 3
        assert steps > 20


def killed_after(on: Stage, steps: int) -> bool:
    """Whether a backfill whose process ends after so many steps was running."""
    dead, other = on.processes
    prepare(on)
    go(on, dead, steps)
    if not dead.is_running:
        return False
    on.do(turnstiles.killed(dead))
    on.clock.advance(seconds=LEASE_SECONDS)
    # What a sync has read in between stays; so does what the backfill had brought.
    on.provider.account.change("in_11", cents=99)
    assert isinstance(run(on, other), SyncReport)
    seen = on.look(ORG)
    assert seen.connection is not None
    following = seen.connection.backfill_next
    on.provider.asked.clear()
    report = run(on, other, since=SINCE)
    assert isinstance(report, BackfillReport)
    first = Period(SINCE.index if following is None else following)
    assert [each.first for each in on.provider.asked] == [
        Period(index) for index in range(first.index, Period.parse("2026-08").index)
    ]
    assert [each.looks_back for each in on.provider.asked] == [
        each.first == SINCE for each in on.provider.asked
    ]
    require_all(on)
    return True


def test_a_sync_that_comes_into_a_backfill_takes_nothing_away(database_url: str) -> None:
    """The sync reads, or is told that it is not its turn."""
    with stage(database_url) as on:
        steps = 0
        while joined_after(on, steps):
            steps += 5
        assert steps > 20


def joined_after(on: Stage, steps: int) -> bool:
    slow, other = on.processes
    prepare(on)
    go(on, slow, steps)
    if not slow.is_running:
        return False
    run(on, other)
    assert isinstance(on.do(turnstiles.ended(slow)), BackfillReport)
    assert isinstance(run(on, other), SyncReport)
    require_all(on)
    return True


def prepare(on: Stage) -> None:
    """An invoice a month of 2026, of which a sync has not read any."""
    on.clear()
    on.clock.moment = BEGIN
    account = on.provider.account = Account()
    for month in range(6, 12):
        moment = Period.parse(f"2026-{month:02d}").start + timedelta(days=month)
        account.invoices[f"in_{month}"] = Invoice("cus_1", month, "usd", "paid", moment)
    on.do(on.processes[0].services.connections.connect(ORG, "stripe", {"key": "k"}))


def go(on: Stage, process: Process, steps: int) -> None:
    on.do(turnstiles.start(process, ORG, since=SINCE))
    for _ in range(steps):
        if process.task is not None and not process.task.done():
            on.do(turnstiles.step(process))
    if process.task is not None and process.task.done():
        assert isinstance(on.do(turnstiles.ended(process)), BackfillReport)


def run(on: Stage, process: Process, since: Period | None = None) -> object:
    on.do(turnstiles.start(process, ORG, stepwise=False, since=since))
    return on.do(turnstiles.ended(process))


def require_all(on: Stage) -> None:
    """Every month whole, however it came."""
    account = on.provider.account
    seen = on.look(ORG)
    assert seen.numbers == numbers_of(account.fact(each) for each in account.paid())
    assert (seen.staged, seen.held_until) == (0, None)
