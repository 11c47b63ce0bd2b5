"""Alerts: once a crossing, kept until every notifier has it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from nullspend_margins.domain.alert import THRESHOLD_CROSSED, Alert
from nullspend_margins.storage import alerts
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.tables import alert_deliveries
from tests.storage.builders import NOVEMBER, NOW, ORG

PAYLOAD = {"id": "evt_1", "data": {"object": {"current": -0.05, "name": "Äcme", "none": None}}}
SOON = NOW + timedelta(minutes=1)


def enqueue(tx: Connection, alert_id: str = "evt_1", **values: Any) -> bool:
    given = {
        "org_id": ORG,
        "provider": "stripe",
        "customer_id": "cus_1",
        "month": NOVEMBER.index,
        "tier": "critical",
        "now": NOW,
        "notifiers": ["log", "slack"],
    } | values
    return alerts.enqueue(tx, alert_id=alert_id, payload=PAYLOAD, **given)


def due_ids(tx: Connection, notifier: str, now: datetime = NOW) -> list[str]:
    return [alert.alert_id for alert, _ in alerts.due(tx, notifier, now, 10)]


async def test_a_crossing_is_kept_once_for_each_notifier(database: Database) -> None:
    assert await database.write(enqueue)
    assert not await database.write(lambda tx: enqueue(tx, "evt_2"))
    for notifier in ("log", "slack"):
        found = await database.read(lambda tx, n=notifier: alerts.due(tx, n, NOW, 10))
        alert = Alert(alert_id="evt_1", org_id=ORG, type=THRESHOLD_CROSSED, payload=PAYLOAD)
        assert found == [(alert, 0)]
    assert await database.read(lambda tx: due_ids(tx, "other")) == []


async def test_another_org_customer_month_or_tier_is_another_crossing(database: Database) -> None:
    others = [
        {"org_id": "org_2"},
        {"provider": "paddle"},
        {"customer_id": "cus_2"},
        {"month": NOVEMBER.index + 1},
        {"tier": "at_risk"},
        {"customer_id": "cus_3", "notifiers": []},
    ]

    def work(tx: Connection) -> list[bool]:
        enqueue(tx)
        return [enqueue(tx, f"evt_{n}", **other) for n, other in enumerate(others, 2)]

    assert await database.write(work) == [True] * len(others)


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
        alerts.mark_delivered(tx, "evt_1", "log", NOW)
        alerts.mark_failed(tx, "evt_1", "slack", NOW, SOON, "HTTP 500")
        alerts.mark_failed(tx, "evt_1", "log", NOW, SOON, "too late to matter")
        return [
            due_ids(tx, "log", SOON),
            due_ids(tx, "slack"),
            due_ids(tx, "slack", SOON),
            alerts.due(tx, "slack", SOON, 10)[0][1],
        ]

    assert await database.write(work) == [[], [], ["evt_1"], 1]


async def test_a_claim_is_nobody_elses_until_it_lapses(database: Database) -> None:
    def fill(tx: Connection) -> None:
        for number in range(6):
            now = NOW - timedelta(minutes=number)
            enqueue(tx, f"evt_{number}", customer_id=f"cus_{number}", now=now)

    def claim(limit: int, now: datetime = NOW) -> Any:
        return database.write(
            lambda tx: [
                alert.alert_id
                for alert, _ in alerts.claim_due(tx, "log", now, now + timedelta(minutes=1), limit)
            ]
        )

    await database.write(fill)
    claims = await asyncio.gather(*(claim(2) for _ in range(4)))
    ids = [each for claimed in claims for each in claimed]
    assert sorted(ids) == [f"evt_{number}" for number in range(6)]
    assert await claim(10) == []
    assert len(await claim(10, SOON)) == 6
    assert await database.read(lambda tx: len(due_ids(tx, "slack"))) == 6


async def test_deleting_a_provider_takes_its_alerts_and_no_others(database: Database) -> None:
    def work(tx: Connection) -> list[list[str]]:
        enqueue(tx)
        enqueue(tx, "evt_2", provider="paddle")
        enqueue(tx, "evt_3", org_id="org_2")
        alerts.delete_provider(tx, ORG, "stripe")
        left = tx.execute(alert_deliveries.select()).all()
        return [due_ids(tx, "log"), sorted(row.alert_id for row in left)]

    assert await database.write(work) == [
        ["evt_2", "evt_3"],
        ["evt_2", "evt_2", "evt_3", "evt_3"],
    ]
    assert await database.write(enqueue)  # forgotten, so it may be raised again
