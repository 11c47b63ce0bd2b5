"""Alerts as the host sees them: what raises one, who hears of it, and when again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from nullspend_margins.storage import alerts
from nullspend_margins.storage.events import orgs_with_events
from tests.contract.alerting import OCTOBER, Broken, Listener, delivered, falling, synced
from tests.storage.alerting import CROSSING
from tests.world import event, unix, world


async def test_a_tier_that_got_worse_is_told_once(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener, Broken()]) as here:
        await falling(here)
        await here.sync()
        await synced(here)
        (alert,) = listener.heard
        assert alert.pop("id").startswith("evt_")
        assert alert.pop("api_version")
        assert alert == {
            "type": "margin.threshold_crossed",
            "created_at": int(here.clock.now().timestamp()),
            "data": {
                "object": {
                    "customer": {"stripeId": "cus_1", "name": "One", "tagValue": "one"},
                    "margin": {
                        "previous": 0.25,
                        "current": -0.05,
                        "previousTier": "moderate",
                        "currentTier": "critical",
                    },
                    "revenue_microdollars": 100_000_000,
                    "cost_microdollars": 105_000_000,
                    "period": "2026-11",
                }
            },
        }


async def test_after_a_manual_sync_alerts_go_out_by_themselves(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener], alerts={"poll_seconds": 0}) as here:
        await falling(here)
        await here.sync()
        async with asyncio.timeout(30):
            await listener.was_told.wait()
        assert listener.told == [("one", "critical")]


async def test_an_undelivered_alert_is_kept_and_tried_again_by_cron(database_url: str) -> None:
    listener = Listener()
    listener.fails = True
    async with world(database_url, plugins=[listener]) as here:
        await falling(here)
        await here.cron()
        assert listener.heard == []
        listener.fails = False
        await here.cron()
        assert listener.heard == []  # not due yet
        here.clock.advance(minutes=10)
        await here.cron()
        assert len(listener.heard) == 1


async def test_improvements_and_new_customers_raise_nothing(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener]) as here:
        here.account.add_invoice("cus_new", 100, created=unix(2026, 11, 3))
        here.account.add_invoice("cus_up", 100, created=unix(2026, 10, 3))
        here.account.add_invoice("cus_up", 10_000, created=unix(2026, 11, 3))
        for customer in ("cus_new", "cus_up"):
            await here.map(customer, customer)
            await here.spend(customer, 5_000_000)
        await here.post_event(
            event(customer="cus_up", costMicrodollars=9_000_000, occurredAt=OCTOBER)
        )
        await here.connect()
        await synced(here)
        assert listener.heard == []


async def test_costs_ahead_of_the_invoice_wait_for_it(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener]) as here:
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, 10, 25))
        await here.map("cus_1", "one")
        await here.spend("one", 1_000_000)
        await here.spend("one", 1_000_000, occurredAt=OCTOBER)
        await here.connect()
        await synced(here)
        assert listener.heard == []
        here.clock.advance(days=7)
        await synced(here)
        assert [alert["data"]["object"]["margin"]["currentTier"] for alert in listener.heard] == [
            "critical"
        ]


async def test_disconnecting_takes_the_alerts_along(database_url: str) -> None:
    listener = Listener()
    listener.fails = True
    async with world(database_url, plugins=[listener]) as here:
        await falling(here)
        await here.cron()
        await here.call("DELETE", "/api/stripe/disconnect")
        listener.fails = False
        here.clock.advance(days=1)
        await delivered(here)
        assert listener.heard == []


async def test_a_customer_with_no_previous_period_waits_for_one(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener]) as here:
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
        await here.map("cus_1", "one")
        await here.spend("one", 10_000_000)
        await here.connect()
        await synced(here)
        assert listener.heard == []
        here.clock.moment = datetime(2026, 12, 20, tzinfo=UTC)
        here.account.add_invoice("cus_1", 1_000, created=unix(2026, 12, 3))
        await here.spend("one", 9_000_000)
        await synced(here)
        assert listener.told == [("one", "at_risk")]


async def test_each_tier_is_told_once_a_period_and_again_in_the_next(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener]) as here:
        for month in (10, 11, 12):
            here.account.add_invoice("cus_1", 10_000, created=unix(2026, month, 3))
        await here.map("cus_1", "one")
        await here.connect()
        await here.spend("one", 90_000_000)
        await synced(here)
        await synced(here)
        assert listener.told == [("one", "at_risk")]
        await here.spend("one", 20_000_000)
        await synced(here)
        assert listener.told == [("one", "at_risk"), ("one", "critical")]
        here.account.add_invoice("cus_1", 90_000, created=unix(2026, 11, 4))
        await synced(here)
        here.clock.moment = datetime(2026, 12, 20, tzinfo=UTC)
        await here.spend("one", 150_000_000)
        await synced(here)
        assert listener.told[2:] == [("one", "critical")]
        assert listener.heard[2]["data"]["object"]["period"] == "2026-12"


async def test_a_match_that_a_sync_makes_counts_in_that_sync(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener]) as here:
        for month in (10, 11):
            here.account.add_invoice("cus_1", 10_000, created=unix(2026, month, 3))
        await here.spend("cus_1", 110_000_000)
        await here.connect()
        await synced(here)
        assert listener.told == [("cus_1", "critical")]


async def test_the_configured_thresholds_decide(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener], health={"healthy": 99}) as here:
        for month in (10, 11):
            here.account.add_invoice("cus_1", 10_000, created=unix(2026, month, 3))
        await here.map("cus_1", "one")
        await here.spend("one", 2_000_000)
        await here.connect()
        await synced(here)
        assert listener.told == [("one", "moderate")]


async def test_another_orgs_customer_is_another_alert(database_url: str) -> None:
    listener = Listener()
    async with world(database_url, plugins=[listener]) as here:
        await falling(here)
        await synced(here)
        await here.map("cus_1", "one", org="org_2")
        for month, cost in ((OCTOBER, 1_000_000), ("2026-11-05T00:00:00Z", 105_000_000)):
            answer = await here.post_event(
                event(customer="one", costMicrodollars=cost, occurredAt=month), org="org_2"
            )
            assert answer.status_code == 201
        await here.connect(org="org_2")
        await here.sync(org="org_2")
        await delivered(here)
        assert listener.told == [("one", "critical")] * 2
        assert len({each["id"] for each in listener.heard}) == 2


class OnlyFor(Listener):
    """A listener that wants to hear of some orgs alone."""

    def __init__(self, orgs: set[str] | None) -> None:
        super().__init__("only")
        self.orgs = orgs


@pytest.mark.parametrize(("orgs", "heard"), [({"org_1"}, 1), ({"org_2"}, 0), (set(), 0), (None, 1)])
async def test_a_notifier_hears_of_its_orgs_alone(
    database_url: str, orgs: set[str] | None, heard: int
) -> None:
    listener, only = Listener(), OnlyFor(orgs)
    async with world(database_url, plugins=[listener, only]) as here:
        await falling(here)
        await synced(here)
        assert len(listener.heard) == 1
        assert len(only.heard) == heard
        service = (await here.margins.services()).alerts
        names = {each.notifier for each in await service.deliveries("org_1")}
        assert ("only" in names) is bool(heard)


async def test_a_new_notifier_does_not_get_old_alerts(database_url: str) -> None:
    old, new = Listener("old"), Listener("new")
    async with world(database_url, plugins=[old]) as here:
        await falling(here)
        await synced(here)
    async with world(database_url, plugins=[old, new]) as here:
        for month in (10, 11):
            here.account.add_invoice("cus_1", 10_000, created=unix(2026, month, 3))
        await synced(here)
        assert (len(old.heard), new.heard) == (1, [])


async def test_an_orgs_alerts_go_out_although_its_syncs_fail_or_take_all_the_time(
    database_url: str,
) -> None:
    listener = Listener()
    listener.fails = True
    cron = {"time_budget_seconds": 3, "concurrency": 1}
    async with world(database_url, plugins=[listener], cron=cron) as here:
        await falling(here)
        await synced(here)
        listener.fails = False
        here.clock.advance(minutes=10)
        hold = here.stripe.faults.hold("/v1/invoices")
        assert (await here.cron()).json() == {"data": {"synced": 0, "errors": 1}}
        hold.release()
        assert listener.told == [("one", "critical")]


async def test_a_receiver_that_takes_all_the_time_gets_a_part_of_the_crons(
    database_url: str,
) -> None:
    class Hanging(Listener):
        async def notify(self, alert: Any) -> None:
            await asyncio.Event().wait()

    sections = {
        "cron": {"time_budget_seconds": 2},
        "ingest": {"dedupe_days": 2},
        "alerts": {"poll_seconds": 0},
    }
    async with world(database_url, plugins=[Hanging()], **sections) as here:
        await here.spend("one", 1_000_000)
        await here.connect()
        services = await here.margins.services()
        database, now = services.alerts._database, here.clock.now()
        await database.write(
            lambda tx: alerts.enqueue(tx, "org_1", {"evt_1": CROSSING}, now, ["listener"])
        )
        here.clock.advance(days=3)
        assert (await here.cron()).json() == {"data": {"synced": 1, "errors": 0}}
        assert await database.read(orgs_with_events) == []  # pruned
        [delivery] = await services.alerts.deliveries("org_1")
        assert (delivery.state(here.clock.now()), delivery.attempts) == ("waiting", 0)


async def test_customers_that_await_an_invoice_are_looked_up_together(sqlite_url: str) -> None:
    listener = Listener()
    async with world(sqlite_url, plugins=[listener]) as here:
        for number in range(5):
            created = unix(2026, 10, 25)
            here.account.add_invoice(f"cus_{number}", 10_000, created=created)
            await here.map(f"cus_{number}", f"tag_{number}")
            await here.spend(f"tag_{number}", 1_000_000)
            await here.spend(f"tag_{number}", 1_000_000, occurredAt=OCTOBER)
        await here.connect()
        await synced(here)
        services = await here.margins.services()

        def statements(tx: Any) -> int:
            shown: list[str] = []
            connection = tx.connection.driver_connection
            connection.set_trace_callback(shown.append)
            services.alerts.enqueue_crossings(tx, "org_1", here.clock.now(), [])
            connection.set_trace_callback(None)
            return sum("last_invoice_at" in each for each in shown)

        assert await services.alerts._database.write(statements) == 1
        assert listener.heard == []
