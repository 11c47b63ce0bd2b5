"""Alerts: once a crossing, kept until every notifier has it or it is given up."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from nullspend_margins.domain.alert import THRESHOLD_CROSSED, Alert, Crossing
from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.margin import MonthAmounts
from nullspend_margins.storage import alert_outbox, alerts
from nullspend_margins.storage.alert_outbox import Claim
from nullspend_margins.storage.alerts import DeliveryFilter, Raised
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.tables import alert_deliveries
from tests.storage.builders import NOVEMBER, NOW, ORG

SOON = NOW + timedelta(minutes=1)
NOBODY = "org_nobody"
CROSSING = Crossing(
    provider="stripe",
    customer_id="cus_1",
    customer_name="Äcme",
    tag_value="acme",
    period=NOVEMBER,
    previous=MonthAmounts(100, 10),
    current=MonthAmounts(100, 105),
    previous_tier=HealthTier.HEALTHY,
    current_tier=HealthTier.CRITICAL,
)


def enqueue(
    tx: Connection,
    alert_id: str = "evt_1",
    org_id: str = ORG,
    now: datetime = NOW,
    notifiers: tuple[str, ...] = ("log", "slack"),
    **changes: Any,
) -> bool:
    crossing = dataclasses.replace(CROSSING, **changes)
    return alerts.enqueue(tx, org_id, {alert_id: crossing}, now, notifiers) == 1


def due(tx: Connection, now: datetime = NOW) -> list[str]:
    return alert_outbox.due_notifiers(tx, ["log", "slack", "other"], now)


def taken(tx: Connection, notifier: str, now: datetime = NOW) -> Claim | None:
    return alert_outbox.claim_due(tx, notifier, now, lambda attempt: timedelta(minutes=attempt))


def claim(tx: Connection, notifier: str, now: datetime = NOW) -> str | None:
    found = taken(tx, notifier, now)
    return found and found.alert.alert_id


def given_up(tx: Connection, notifier: str = "slack") -> bool:
    found = taken(tx, notifier)
    return found is not None and alert_outbox.give_up(
        tx, found, notifier, NOW, "HTTP 500", attempts=found.attempt
    )


def wanted(now: datetime = NOW, **values: Any) -> DeliveryFilter:
    return DeliveryFilter(loaded=("log", "slack"), now=now, **values)


def told(found: list[Any], now: datetime = NOW) -> list[tuple[str, str, str]]:
    return [(each.alert.alert_id, each.notifier, each.state(now)) for each in found]


async def test_a_crossing_is_kept_once_for_each_notifier(database: Database) -> None:
    assert await database.write(enqueue)
    assert not await database.write(lambda tx: enqueue(tx, "evt_2"))
    for notifier in ("log", "slack"):
        found = await database.write(lambda tx, n=notifier: taken(tx, n))
        payload = CROSSING.event("evt_1", NOW)
        alert = Alert(alert_id="evt_1", org_id=ORG, type=THRESHOLD_CROSSED, payload=payload)
        assert found == Claim(alert, 1, SOON, NOW, None)
    assert await database.write(lambda tx: claim(tx, "other")) is None


async def test_another_org_customer_month_or_tier_is_another_crossing(database: Database) -> None:
    others: list[dict[str, Any]] = [
        {"org_id": "org_2"},
        {"provider": "paddle"},
        {"customer_id": "cus_2"},
        {"period": NOVEMBER.shift(1)},
        {"current_tier": HealthTier.AT_RISK},
        {"customer_id": "cus_3", "notifiers": ()},
    ]

    def work(tx: Connection) -> list[bool]:
        enqueue(tx)
        return [enqueue(tx, f"evt_{n}", **other) for n, other in enumerate(others, 2)]

    assert await database.write(work) == [True] * len(others)


async def test_what_was_raised_in_a_month_is_known_for_each_org(database: Database) -> None:
    def work(tx: Connection) -> list[Any]:
        enqueue(tx)
        enqueue(tx, "evt_2", org_id="org_2", customer_id="cus_2")
        enqueue(tx, "evt_3", period=NOVEMBER.shift(-1), customer_id="cus_3", notifiers=())
        return [alerts.raised_in(tx, org, NOVEMBER.index) for org in (ORG, "org_2", NOBODY)]

    assert await database.write(work) == [
        {Raised("stripe", "cus_1", "critical")},
        {Raised("stripe", "cus_2", "critical")},
        set(),
    ]


async def test_one_sync_after_another_at_the_same_time_raises_one_alert(
    database: Database,
) -> None:
    raised = await asyncio.gather(
        *(database.write(lambda tx, n=n: enqueue(tx, f"evt_{n}")) for n in range(5))
    )
    assert sorted(raised) == [False] * 4 + [True]


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


async def test_any_number_of_crossings_takes_two_statements(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.start()
    shown: list[str] = []

    def work(tx: Connection, amount: int) -> int:
        crossings = {
            f"evt_{amount}_{number}": dataclasses.replace(CROSSING, customer_id=f"cus_{number}")
            for number in range(amount)
        }
        event.listen(tx, "before_cursor_execute", lambda *given: shown.append(given[2]))
        return alerts.enqueue(tx, ORG, crossings, NOW, ("log", "slack"))

    assert await database.write(lambda tx: work(tx, 200)) == 200
    assert len(shown) == 2
    assert await database.write(lambda tx: work(tx, 201)) == 1  # the others were there
    await database.close()


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


async def test_deliveries_are_listed_newest_first_for_the_org_that_asks(
    database: Database,
) -> None:
    def work(tx: Connection) -> list[Any]:
        enqueue(tx)
        enqueue(tx, "evt_2", customer_id="cus_2", now=SOON, notifiers=("log",))
        enqueue(tx, "evt_3", org_id="org_2", now=NOW - timedelta(hours=1), notifiers=("log",))
        alert_outbox.mark_delivered(tx, "evt_2", "log", SOON)
        return [
            told(alerts.deliveries(tx, ORG, wanted())),
            told(alerts.deliveries(tx, ORG, wanted(limit=1))),
            told(alerts.deliveries(tx, ORG, wanted(alert_id="evt_1", notifier="slack"))),
            told(alerts.deliveries(tx, "org_2", wanted())),
            told(alerts.deliveries(tx, NOBODY, wanted())),
            told(alerts.deliveries_of_every_org(tx, wanted()))[-1],
        ]

    first, second = ("evt_2", "log", "delivered"), ("evt_1", "log", "waiting")
    third, other = ("evt_1", "slack", "waiting"), ("evt_3", "log", "waiting")
    assert await database.write(work) == [
        [first, second, third], [first], [third], [other], [], other,
    ]  # fmt: skip


async def test_a_listed_delivery_says_what_it_is_about(database: Database) -> None:
    await database.write(enqueue)
    found = await database.read(lambda tx: alerts.deliveries(tx, ORG, wanted()))
    assert (found[0].tag_value, found[0].tier, str(found[0].period)) == (
        "acme", "critical", "2026-11",
    )  # fmt: skip


async def test_what_nobody_is_loaded_for_is_dead_once_it_is_overdue(database: Database) -> None:
    later = NOW + timedelta(hours=1, seconds=1)

    def work(tx: Connection) -> list[Any]:
        enqueue(tx, notifiers=("log", "gone"))
        return [
            told(alerts.deliveries(tx, ORG, wanted(NOW + timedelta(hours=1), dead=True))),
            told(alerts.deliveries(tx, ORG, wanted(later, dead=True)), later),
            alerts.orphans(tx, ("log", "slack"), later, NOW - timedelta(days=3)),
            alerts.orphans(tx, ("log", "slack"), later, NOW),
            alerts.orphans(tx, ("log", "gone"), later, NOW - timedelta(days=3)),
            alerts.orphans(tx, (), later, NOW - timedelta(days=3)),
        ]

    assert await database.write(work) == [
        [],
        [("evt_1", "gone", "dead")],
        {"gone": 1},
        {},
        {},
        {"gone": 1, "log": 1},
    ]


async def test_deleting_a_provider_takes_its_alerts_and_no_others(database: Database) -> None:
    def work(tx: Connection) -> list[Any]:
        enqueue(tx)
        enqueue(tx, "evt_2", provider="paddle")
        enqueue(tx, "evt_3", org_id="org_2")
        alerts.delete_provider(tx, ORG, "stripe")
        left = tx.execute(alert_deliveries.select()).all()
        return [
            [each.alert.alert_id for each in alerts.deliveries_of_every_org(tx, wanted())],
            sorted(row.alert_id for row in left),
        ]

    assert await database.write(work) == [["evt_2", "evt_2", "evt_3", "evt_3"]] * 2
    assert await database.write(enqueue)  # forgotten, so it may be raised again


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
