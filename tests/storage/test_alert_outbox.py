"""The outbox: claims, failures, ends, and what is due."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from nullspend_margins.storage import alert_outbox, alerts
from nullspend_margins.storage.database import Database
from tests.storage.alerting import (
    CROSSING,
    SOON,
    claim,
    due,
    enqueue,
    given_up,
    taken,
    told,
    wanted,
)
from tests.storage.builders import NOW, ORG


async def test_a_delivered_alert_is_not_due_again_and_a_failed_one_later(
    database: Database,
) -> None:
    def work(tx: Connection) -> list[Any]:
        enqueue(tx)
        log, slack = taken(tx, "log"), taken(tx, "slack")
        alert_outbox.mark_delivered(tx, "evt_1", "log", NOW)
        told = [
            alert_outbox.mark_failed(tx, slack, "slack", NOW, SOON, "HTTP 500"),
            alert_outbox.mark_failed(tx, log, "log", NOW, SOON, "too late to matter"),
        ]
        return [told, due(tx), due(tx, SOON), taken(tx, "slack", SOON)]

    *found, again = await database.write(work)
    assert found == [[True, False], [], ["slack"]]
    assert (again.attempt, again.last_error, again.due_at) == (2, "HTTP 500", SOON)


async def test_one_that_was_given_up_is_not_due_and_its_end_is_told_once(
    database: Database,
) -> None:
    def work(tx: Connection) -> list[Any]:
        enqueue(tx)
        mine = taken(tx, "slack")
        ends = [
            alert_outbox.give_up(tx, mine, "slack", NOW, "HTTP 500", attempts=1) for _ in range(2)
        ]
        late = alert_outbox.mark_failed(tx, mine, "slack", NOW, NOW, "a slower process")
        return [ends, late, due(tx, SOON), claim(tx, "slack", SOON)]

    assert await database.write(work) == [[True, False], False, ["log"], None]
    dead = await database.read(lambda tx: alerts.deliveries(tx, ORG, wanted(dead=True)))
    assert told(dead) == [("evt_1", "slack", "dead")]
    assert (dead[0].attempts, dead[0].last_error, dead[0].given_up_at) == (1, "HTTP 500", NOW)


async def test_who_lost_its_claim_changes_nothing(database: Database) -> None:
    def work(tx: Connection) -> list[Any]:
        enqueue(tx, notifiers=("slack",))
        mine, theirs = taken(tx, "slack"), taken(tx, "slack", SOON)
        lost = [
            alert_outbox.mark_failed(tx, mine, "slack", SOON, SOON, "HTTP 500"),
            alert_outbox.give_up(tx, mine, "slack", SOON, "HTTP 500", attempts=1),
            alert_outbox.release(tx, mine, "slack"),
        ]
        return [lost, due(tx, SOON), alert_outbox.release(tx, theirs, "slack")]

    assert await database.write(work) == [[False] * 3, [], True]


async def test_a_claim_counts_at_once_and_a_released_one_was_never_taken(
    database: Database,
) -> None:
    def listed(tx: Connection) -> tuple[int, str | None, datetime]:
        [found] = alerts.deliveries(tx, ORG, wanted())
        return found.attempts, found.last_error, found.next_attempt_at

    def work(tx: Connection) -> list[Any]:
        enqueue(tx, notifiers=("slack",))
        alert_outbox.mark_failed(tx, taken(tx, "slack"), "slack", NOW, SOON, "HTTP 500")
        before = listed(tx)
        mine = taken(tx, "slack", SOON)
        during = listed(tx)
        alert_outbox.release(tx, mine, "slack")
        return [before, during, listed(tx)]

    before, during, after = await database.write(work)
    assert before == after == (1, "HTTP 500", SOON)
    assert during == (2, alert_outbox.UNREPORTED, SOON + timedelta(minutes=2))


async def test_what_is_due_to_one_notifier_can_be_made_to_wait(database: Database) -> None:
    def work(tx: Connection) -> list[Any]:
        enqueue(tx)
        enqueue(tx, "evt_2", customer_id="cus_2")
        mine = taken(tx, "slack")
        alert_outbox.postpone(tx, "slack", NOW, SOON + timedelta(hours=1))
        still_ours = alert_outbox.release(tx, mine, "slack")
        claim(tx, "slack")
        return [still_ours, due(tx), due(tx, SOON + timedelta(hours=1))]

    assert await database.write(work) == [True, ["log"], ["log", "slack"]]


async def test_what_is_being_tried_is_not_made_to_wait(database: Database) -> None:
    """Also one that is sent again by hand."""

    def work(tx: Connection) -> list[bool]:
        enqueue(tx)
        enqueue(tx, "evt_2", customer_id="cus_2")
        again, other = taken(tx, "slack"), taken(tx, "slack")
        alert_outbox.give_up(tx, again, "slack", NOW, "HTTP 410", attempts=1)
        until = NOW + timedelta(minutes=2)
        alert_outbox.revive(tx, ORG, again.alert.alert_id, "slack", until, attempts=1)
        alert_outbox.postpone(tx, "slack", NOW, NOW + timedelta(hours=1))
        later = NOW + timedelta(hours=2)
        return [
            alert_outbox.mark_failed(tx, claim, "slack", NOW, later, "HTTP 500")
            for claim in (again._replace(until=until), other)
        ]

    assert await database.write(work) == [True, True]


async def test_only_new_alerts_are_to_be_delivered(database: Database) -> None:
    def work(tx: Connection) -> list[Any]:
        enqueue(tx)
        other = dataclasses.replace(CROSSING, customer_id="cus_2")
        new = alerts.enqueue(tx, ORG, {"evt_2": CROSSING, "evt_3": other}, NOW, ("log",))
        return [new, sorted(told(alerts.deliveries(tx, ORG, wanted())))]

    assert await database.write(work) == [
        1,
        [("evt_1", "log", "waiting"), ("evt_1", "slack", "waiting"), ("evt_3", "log", "waiting")],
    ]


async def test_a_late_success_counts_more_than_the_end(database: Database) -> None:
    def work(tx: Connection) -> list[Any]:
        enqueue(tx, notifiers=("slack",))
        given_up(tx)
        alert_outbox.mark_delivered(tx, "evt_1", "slack", SOON)
        return told(alerts.deliveries(tx, ORG, wanted()), SOON)

    assert await database.write(work) == [("evt_1", "slack", "delivered")]


async def test_only_a_dead_delivery_of_the_same_org_is_put_back(database: Database) -> None:
    def work(tx: Connection) -> list[Any]:
        enqueue(tx)
        given_up(tx)
        found = [
            alert_outbox.revive(tx, "org_2", "evt_1", "slack", NOW),
            alert_outbox.revive(tx, ORG, "evt_1", "log", NOW),
            alert_outbox.revive(tx, ORG, "evt_1", "slack", NOW),
            alert_outbox.revive(tx, ORG, "evt_1", "slack", NOW),
        ]
        return [found, taken(tx, "slack")]

    tried, again = await database.write(work)
    assert tried == [False, False, True, False]
    assert (again.attempt, again.last_error) == (1, "HTTP 500")


async def test_a_claim_is_nobody_elses_until_it_lapses(database: Database) -> None:
    def fill(tx: Connection) -> None:
        for number in range(6):
            now = NOW - timedelta(minutes=number)
            enqueue(tx, f"evt_{number}", customer_id=f"cus_{number}", now=now)

    await database.write(fill)
    claims = await asyncio.gather(*(database.write(lambda tx: claim(tx, "log")) for _ in range(8)))
    assert sorted(filter(None, claims)) == [f"evt_{number}" for number in range(6)]
    assert await database.write(lambda tx: claim(tx, "log")) is None
    assert await database.write(lambda tx: claim(tx, "log", SOON)) is not None
    assert await database.write(lambda tx: claim(tx, "slack")) == "evt_5"  # waits longest


@pytest.mark.parametrize("statement", ["due", "claim"])
async def test_looking_for_what_is_due_reads_an_index_however_much_was_delivered(
    sqlite_url: str, statement: str
) -> None:
    database = Database(sqlite_url)
    await database.start()
    shown: list[str] = []

    def work(tx: Connection) -> None:
        connection = tx.connection.driver_connection
        connection.set_trace_callback(shown.append)
        due(tx) if statement == "due" else claim(tx, "log")
        connection.set_trace_callback(None)

    await database.write(work)
    asked = [each for each in shown if each.startswith("SELECT")]
    plans = await database.read(
        lambda tx: [list(tx.execute(text(f"EXPLAIN QUERY PLAN {each}"))) for each in asked]
    )
    assert plans
    for plan in plans:
        assert "ix_margins_alert_deliveries_due" in str(plan)
        assert "TEMP B-TREE" not in str(plan)
    await database.close()
