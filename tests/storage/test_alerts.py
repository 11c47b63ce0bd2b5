"""Alerts: once a crossing, kept until every notifier has it or it is given up."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, event

from nullspend_margins.domain.alert import Alert
from nullspend_margins.domain.crossing import THRESHOLD_CROSSED, crossing_occasion
from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.period import Months
from nullspend_margins.storage import alert_outbox, alerts
from nullspend_margins.storage.alert_outbox import Claim
from nullspend_margins.storage.alerts import Raised
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.tables import alert_deliveries
from tests.storage.alerting import (
    CROSSING,
    NOBODY,
    SOON,
    claim,
    enqueue,
    taken,
    told,
    wanted,
)
from tests.storage.builders import NOVEMBER, NOW, ORG


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
        occasions = [crossing_occasion(NOVEMBER, tier) for tier in HealthTier]
        found = [
            alerts.raised(tx, org, THRESHOLD_CROSSED, occasions) for org in (ORG, "org_2", NOBODY)
        ]
        return [*found, alerts.raised(tx, ORG, "another.type", occasions)]

    assert await database.write(work) == [
        {Raised("stripe", "cus_1", "2026-11 critical")},
        {Raised("stripe", "cus_2", "2026-11 critical")},
        set(),
        set(),
    ]


async def test_one_sync_after_another_at_the_same_time_raises_one_alert(
    database: Database,
) -> None:
    raised = await asyncio.gather(
        *(database.write(lambda tx, n=n: enqueue(tx, f"evt_{n}")) for n in range(5))
    )
    assert sorted(raised) == [False] * 4 + [True]


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
    assert (found[0].about, found[0].occasion) == ("acme", "2026-11 critical")


async def test_a_customers_alerts_are_told_with_what_became_of_them(database: Database) -> None:
    def work(tx: Connection) -> None:
        enqueue(tx)
        enqueue(tx, "evt_2", now=SOON, period=NOVEMBER.shift(-1), notifiers=())
        enqueue(tx, "evt_3", org_id="org_2")
        enqueue(tx, "evt_4", provider="paddle")
        enqueue(tx, "evt_5", customer_id="cus_2")
        enqueue(tx, "evt_6", period=NOVEMBER.shift(-2))
        alert_outbox.mark_delivered(tx, "evt_1", "log", SOON)

    await database.write(work)
    months = Months(NOVEMBER.shift(-1), NOVEMBER)
    loaded = ("log", "slack")
    silent, told_of = await database.read(
        lambda tx: alerts.of_customer(tx, ORG, "stripe", "cus_1", months, loaded)
    )
    assert (silent.alert.alert_id, silent.raised_at, silent.deliveries) == ("evt_2", SOON, [])
    assert (told_of.about, told_of.occasion) == ("acme", "2026-11 critical")
    assert told_of.alert.payload == CROSSING.event("evt_1", NOW)
    assert told(told_of.deliveries) == [
        ("evt_1", "log", "delivered"), ("evt_1", "slack", "waiting"),
    ]  # fmt: skip


async def test_nobody_hears_of_another_orgs_customer(database: Database) -> None:
    await database.write(enqueue)
    months = Months(NOVEMBER, NOVEMBER)
    found = await database.read(
        lambda tx: [
            alerts.of_customer(tx, *asked, months, ())
            for asked in ((NOBODY, "stripe", "cus_1"), (ORG, "", "cus_1"), (ORG, "stripe", ""))
        ]
    )
    assert found == [[], [], []]


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
