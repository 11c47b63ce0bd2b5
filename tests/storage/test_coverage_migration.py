"""What the step to coverage makes of the rows that are there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from nullspend_margins.domain.period import day_number
from nullspend_margins.storage import alerts, cost_deliveries, costs
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import insert_events
from nullspend_margins.storage.migrate import migrate
from tests.postgres import PostgresForTests
from tests.storage.alerting import CROSSING, enqueue, told, wanted
from tests.storage.builders import NOW, ORG, event
from tests.storage.releases import bring_to, empty_database

ALERT = text(
    "INSERT INTO margins_alerts"
    " (alert_id, org_id, provider, customer_id, month, tier, type, payload, created_at)"
    " VALUES (:id, :org, 'stripe', 'cus_1', :month, 'critical', 'margin.threshold_crossed',"
    ' \'{"id": "evt_1", "data": {"object": {"customer": {"tagValue": "acme"}}}}\','
    " '2026-11-20T00:00:00.000000+00:00')"
)
DELIVERY = text(
    "INSERT INTO margins_alert_deliveries"
    " (alert_id, notifier, attempts, next_attempt_at, last_error, given_up_at)"
    " VALUES (:id, :notifier, 3, '2026-11-20T00:00:00.000000+00:00', 'HTTP 500', :given_up_at)"
)


def fill(tx: Connection) -> None:
    november = CROSSING.period.index
    for alert_id, org_id, month in (("evt_1", ORG, november), ("evt_2", "org_2", november - 10)):
        tx.execute(ALERT, {"id": alert_id, "org": org_id, "month": month})
    for notifier, given_up_at in (("log", None), ("slack", "2026-11-19T00:00:00.000000+00:00")):
        tx.execute(DELIVERY, {"id": "evt_1", "notifier": notifier, "given_up_at": given_up_at})
    for source, now in (("api", NOW), ("gateway", NOW - timedelta(days=70))):
        moment = {"occurred_at": now - timedelta(days=1)}
        insert_events(tx, ORG, source, [event("1", **moment)], NOW)
    costs.save_cursor(tx, "gateway", "17", NOW)


@pytest.fixture(params=["sqlite", "postgresql"])
def earlier_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_server: PostgresForTests
) -> Iterator[str]:
    """A database before the step."""
    with empty_database(request.param, tmp_path, postgres_server) as url:
        bring_to(url, "0003", fill)
        yield url


async def test_alerts_and_their_deliveries_are_kept(earlier_url: str) -> None:
    await migrate(earlier_url)
    database = Database(earlier_url)
    await database.start()

    def work(tx: Connection) -> list[Any]:
        found = alerts.deliveries(tx, ORG, wanted())
        months = tx.execute(text("SELECT org_id, occasion FROM margins_alerts ORDER BY org_id"))
        return [
            told(found),
            {(each.about, each.occasion, each.attempts, each.last_error) for each in found},
            found[0].alert.payload["id"],
            [tuple(row) for row in months],
            enqueue(tx, "evt_3", now=NOW),  # told already
            enqueue(tx, "evt_4", now=NOW, customer_id="cus_2"),
        ]

    try:
        assert await database.write(work) == [
            [("evt_1", "log", "waiting"), ("evt_1", "slack", "dead")],
            {("acme", "2026-11 critical", 3, "HTTP 500")},
            "evt_1",
            [(ORG, "2026-11 critical"), ("org_2", "2026-01 critical")],
            False,
            True,
        ]
    finally:
        await database.close()


async def test_sources_that_delivered_before_are_known_by_their_newest_cost(
    earlier_url: str,
) -> None:
    await migrate(earlier_url)
    database = Database(earlier_url)
    await database.start()
    try:
        found = await database.read(lambda tx: cost_deliveries.of_org(tx, ORG))
    finally:
        await database.close()
    yesterday = day_number(NOW) - 1
    assert [(each.org_id, each.source, each.newest_day) for each in found] == [
        ("", "gateway", None),
        (ORG, "api", yesterday),
        (ORG, "gateway", yesterday - 70),
    ]
    # When they delivered is not known: nobody is alarmed by what was before.
    assert {(each.delivered_at, each.newest_at, each.silent_since) for each in found} == {
        (None, None, None)
    }
