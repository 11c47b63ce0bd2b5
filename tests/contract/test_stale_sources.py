"""A source that stops delivering is told of once: in the log, and to each org that knows it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import update

from nullspend_margins import ServiceUnavailable
from nullspend_margins.storage.tables import cost_deliveries
from tests.contract.alerting import Listener, falling, synced
from tests.contract.test_deliveries import Gateway, batch, spent
from tests.docs.taken import taken
from tests.world import NOW, ORG, World, world

[SHOWN] = taken("json", page="alerts.md")
HOURLY = {"costs": {"stale_after_hours": 1}}
LOGGER = "nullspend_margins.costs"


class Hearing(Listener):
    """A notifier that keeps what it hears of sources."""

    @property
    def sources(self) -> list[tuple[str, int]]:
        """Source and hours of silence of each alert."""
        objects = [each["data"]["object"] for each in self.heard]
        return [(each["source"], each["silent_seconds"] // 3600) for each in objects]


@asynccontextmanager
async def hearing(
    url: str, *plugins: Any, **sections: Mapping[str, object]
) -> AsyncIterator[tuple[World, Hearing]]:
    listener = Hearing()
    async with world(url, plugins=[listener, *plugins], **sections) as here:
        yield here, listener


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged of sources since the last call."""
    found = [each.message for each in caplog.records if each.name == LOGGER]
    caplog.clear()
    return found


async def test_a_silent_source_is_told_once_and_again_when_it_is_back(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with hearing(database_url, **HOURLY) as (here, listener):
        await here.spend("one", 5)
        here.clock.advance(minutes=60)
        await here.cron()
        assert (listener.heard, lines(caplog)) == ([], [])
        here.clock.advance(minutes=60)
        for _ in range(3):
            await here.cron()
        assert listener.sources == [("api", 2)]
        since = "silent since 2026-11-20 00:00:00Z"
        assert lines(caplog) == [f"cost source api of org org_1 is stale: {since}"]
        await here.spend("one", 5)
        await here.cron()
        back = "it delivered at 2026-11-20 02:00:00Z"
        assert lines(caplog) == [f"cost source api of org org_1 is back: {back}"]
        await here.cron()
        here.clock.advance(hours=3)
        await here.cron()
        assert listener.sources == [("api", 2), ("api", 3)]
        assert len(lines(caplog)) == 1


async def test_the_alert_has_the_form_that_the_docs_show(database_url: str) -> None:
    async with hearing(database_url, **HOURLY) as (here, listener):
        await here.spend("one", 5)
        here.clock.advance(hours=5)
        await here.cron()
        [alert] = listener.heard
        shown = json.loads(SHOWN.text)
        assert [*shown] == [*alert]
        assert [*shown["data"]["object"]] == [*alert["data"]["object"]]
        assert alert.pop("id").startswith("evt_")
        assert alert == {
            "type": "cost_source.stale",
            "api_version": "2026-11-01",
            "created_at": int(here.clock.now().timestamp()),
            "data": {
                "object": {
                    "source": "api",
                    "kind": "pushed",
                    "last_delivered_at": int(NOW.timestamp()),
                    "silent_seconds": 18_000,
                    "stale_after_seconds": 3600,
                    "last_error": None,
                }
            },
        }


async def test_a_source_that_pushes_may_be_silent_unless_somebody_says_otherwise(
    database_url: str,
) -> None:
    async with hearing(database_url) as (here, listener):
        await here.spend("one", 5)
        here.clock.advance(days=60)
        await here.cron()
        assert listener.heard == []


async def test_a_pulled_source_that_fails_for_a_day_is_told_to_every_org_it_delivers_to(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = Gateway()
    async with hearing(database_url, gateway) as (here, listener):
        gateway.batches = [batch(), batch(org_id="org_2"), batch(org_id="org_poor")]
        await here.cron()
        here.clock.advance(hours=23)
        await here.cron()  # nothing new, but it answered
        gateway.problem = ServiceUnavailable("The gateway is away.")
        here.clock.advance(hours=24)
        await here.cron()
        lines(caplog)
        here.clock.advance(minutes=1)
        await here.cron()
        # org_poor's plan does not include margins.
        assert listener.sources == [("gateway", 24), ("gateway", 24)]
        assert {each["data"]["object"]["last_error"] for each in listener.heard} == {
            "The gateway is away."
        }
        stale = "silent since 2026-11-20 23:00:00Z (The gateway is away.)"
        assert lines(caplog) == [
            "cost source gateway stopped: The gateway is away.",
            f"cost source gateway is stale: {stale}",
        ]
        gateway.problem = None
        here.clock.advance(hours=1)
        await here.cron()
        await here.cron()
        back = "it delivered at 2026-11-22 00:01:00Z"
        assert lines(caplog) == [f"cost source gateway is back: {back}"]
        assert len(listener.heard) == 2


async def test_an_org_from_before_deliveries_were_kept_is_told_of_a_pulled_source_too(
    database_url: str,
) -> None:
    gateway = Gateway()
    async with hearing(database_url, gateway) as (here, listener):
        gateway.batches = [batch()]
        await here.cron()
        # As an upgrade leaves it: the org has costs of the source, and nobody knows since when.
        await (await here.margins.services()).ingest._database.write(
            lambda tx: tx.execute(
                update(cost_deliveries)
                .where(cost_deliveries.c.org_id == ORG)
                .values(delivered_at=None)
            )
        )
        gateway.problem = ServiceUnavailable("The gateway is away.")
        here.clock.advance(hours=25)
        for _ in range(2):
            await here.cron()
        assert listener.sources == [("gateway", 25)]


async def test_a_source_has_its_own_hours(database_url: str) -> None:
    settings = {"stale_after_hours": 1, "sources": {"api": {"stale_after_hours": 0}}}
    async with hearing(database_url, costs=settings) as (here, listener):
        await here.spend("one", 5)
        await here.margins.ingest(ORG, [spent("1", NOW)], source="host")
        here.clock.advance(hours=2)
        await here.cron()
        assert listener.sources == [("host", 2)]


async def test_the_sync_command_s_pull_tells_too_and_two_at_once_tell_once(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with hearing(database_url, **HOURLY) as (here, listener):
        await here.spend("one", 5)
        here.clock.advance(hours=2)
        services = await here.margins.services()
        await asyncio.gather(*(services.sync.pull_costs() for _ in range(4)))
        await services.alerts.deliver_due()
        assert listener.sources == [("api", 2)]
        assert len(lines(caplog)) == 1


async def test_a_source_that_never_delivered_is_not_stale(database_url: str) -> None:
    gateway = Gateway()
    gateway.problem = ServiceUnavailable("The gateway is away.")
    async with hearing(database_url, gateway, **HOURLY) as (here, listener):
        await here.cron()
        here.clock.advance(days=3)
        await here.cron()
        assert listener.heard == []


async def test_disconnecting_a_provider_leaves_alerts_of_sources(database_url: str) -> None:
    async with hearing(database_url, **HOURLY) as (here, listener):
        await falling(here)
        await synced(here)
        here.clock.advance(hours=2)
        await here.cron()
        services = await here.margins.services()
        types = {each.alert.type for each in await services.alerts.deliveries(ORG)}
        assert types == {"margin.threshold_crossed", "cost_source.stale"}
        await here.call("DELETE", "/api/stripe/disconnect")
        found = await services.alerts.deliveries(ORG)
        assert {(each.alert.type, each.about) for each in found} == {("cost_source.stale", "api")}
        await here.cron()
        assert [each["type"] for each in listener.heard].count("cost_source.stale") == 1


async def test_one_org_s_failure_does_not_keep_another_from_being_told(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Away:
        name = "away"

        async def plan(self, org_id: str) -> str | None:
            if org_id == ORG:
                raise RuntimeError("nobody there")
            return None

    async with hearing(database_url, Away(), **HOURLY) as (here, listener):
        for org_id in (ORG, "org_2"):
            await here.margins.ingest(org_id, [spent("1", NOW)])
        here.clock.advance(hours=2)
        assert (await here.cron()).status_code == 200
        assert listener.sources == [("host", 2)]
        assert "cost sources of org org_1 not looked after" in lines(caplog)


async def test_a_plan_that_nobody_tells_keeps_neither_the_timer_nor_other_orgs_waiting(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Silent:
        name = "silent"

        async def plan(self, org_id: str) -> str | None:
            if org_id == ORG:
                await asyncio.Event().wait()
            return None

    async with hearing(database_url, Silent(), **HOURLY) as (here, listener):
        for org_id in (ORG, "org_2"):
            await here.margins.ingest(org_id, [spent("1", NOW)])
        here.clock.advance(hours=2)
        services = await here.margins.services()
        told = ""
        async with asyncio.timeout(30):
            # Whichever comes first; the other's turn comes, too.
            while "stale" not in told or "its plan is not told" not in told:
                await services.sync._watch.look(time.monotonic() + 0.05)
                told += "".join(lines(caplog))
        await services.alerts.deliver_due()
        assert listener.sources == [("host", 2)]
