"""When a source delivered is known, and costs next to nothing to keep."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nullspend_margins import (
    CostBatch,
    CostEvent,
    CostFact,
    ServiceUnavailable,
    ValidationFailed,
)
from nullspend_margins.domain.delivery import DeliveryRecord
from nullspend_margins.storage import cost_deliveries
from tests.world import NOW, ORG, World, world


class Gateway:
    """A source that is pulled, and answers as it is told to."""

    name = "gateway"

    def __init__(self) -> None:
        self.batches: list[CostBatch] = []
        self.problem: Exception | None = None

    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        for batch in self.batches:
            yield batch
        self.batches = []
        if self.problem is not None:
            raise self.problem


def batch(*, org_id: str = ORG, **values: Any) -> CostBatch:
    return CostBatch(org_id=org_id, cursor="1", **values)


def spent(event_id: str, occurred_at: datetime) -> CostEvent:
    return CostEvent(
        event_id=event_id,
        provider="openai",
        model="gpt-4o",
        cost_nanodollars=1,
        occurred_at=occurred_at,
    )


async def records(here: World, org_id: str = ORG) -> dict[tuple[str, str], DeliveryRecord]:
    database = (await here.margins.services()).ingest._database
    found = await database.read(lambda tx: cost_deliveries.of_org(tx, org_id))
    return {(each.org_id, each.source): each for each in found}


async def test_events_tell_when_they_came_and_how_new_they_are(here: World) -> None:
    await here.spend("one", 5, occurredAt="2026-11-19T23:00:00-02:00")
    await here.margins.ingest(ORG, [spent("1", NOW - timedelta(days=3))], source="host")
    found = await records(here)
    at = datetime(2026, 11, 20, 1, tzinfo=UTC)
    assert [(key, each.delivered_at, each.newest_at) for key, each in found.items()] == [
        ((ORG, "api"), NOW, at),
        ((ORG, "host"), NOW, NOW - timedelta(days=3)),
    ]
    assert await records(here, "org_2") == {}


async def test_deliveries_are_written_down_once_a_minute(here: World) -> None:
    await here.spend("one", 5)
    here.clock.advance(seconds=59)
    await here.spend("one", 5, occurredAt="2026-11-20T00:00:30Z")
    assert (await records(here))[ORG, "api"][2:4] == (NOW, NOW)
    here.clock.advance(seconds=1)
    await here.spend("one", 5, occurredAt="2026-11-20T00:00:30Z")
    assert (await records(here))[ORG, "api"][2:4] == (
        NOW + timedelta(minutes=1),
        NOW + timedelta(seconds=30),
    )


async def test_costs_that_are_much_newer_are_known_at_once(here: World) -> None:
    for number, days in enumerate((30, 20, 25)):
        moment = NOW - timedelta(days=days)
        await here.margins.ingest(ORG, [spent(str(number), moment)])
    assert (await records(here))[ORG, "host"].newest_at == NOW - timedelta(days=20)


@pytest.mark.parametrize(
    ("org_id", "source", "told"),
    [
        ("", "host", "org_id: must not be empty"),
        ("a\nb", "host", "org_id: must not contain control characters"),
        (None, "host", "org_id: must be a str, not NoneType"),
        (ORG, "", "source: must not be empty"),
        (ORG, "s" * 257, "source: must be at most 256 characters"),
    ],
)
async def test_events_of_no_org_or_source_are_refused(
    here: World, org_id: Any, source: str, told: str
) -> None:
    """Those of the org ``""`` would speak for every org."""
    await here.margins.ingest(ORG, [spent("1", NOW)])
    here.clock.advance(hours=1)
    with pytest.raises(ValidationFailed, match=told):
        await here.margins.ingest(org_id, [spent("2", NOW)], source=source)
    assert [*await records(here)] == [(ORG, "host")]


async def test_a_delivery_that_is_not_stored_is_not_known(here: World) -> None:
    answer = await here.post_event({"provider": "openai"})
    assert answer.status_code == 400
    assert await records(here) == {}


async def test_a_source_that_is_pulled_has_delivered_when_it_answered(database_url: str) -> None:
    gateway = Gateway()
    async with world(database_url, plugins=[gateway]) as here:
        day = (NOW - timedelta(days=2)).date()
        fact = CostFact(key="a", provider="p", model="m", cost_nanodollars=1, day=day)
        gateway.batches = [batch(facts=[fact]), batch(org_id="org_2")]
        await here.cron()
        found = await records(here)
        assert found[ORG, "gateway"].delivered_at == found["", "gateway"].delivered_at == NOW
        assert found[ORG, "gateway"].newest_at is None
        assert found[ORG, "gateway"].newest_day is not None
        here.clock.advance(hours=1)
        await here.cron()
        found = await records(here)
        assert found["", "gateway"].delivered_at == NOW + timedelta(hours=1)
        assert found[ORG, "gateway"].delivered_at == NOW


async def test_a_source_that_fails_keeps_when_it_last_answered_and_why(database_url: str) -> None:
    gateway = Gateway()
    async with world(database_url, plugins=[gateway]) as here:
        await here.cron()
        here.clock.advance(hours=1)
        gateway.problem = ServiceUnavailable("The gateway's database does not answer.")
        await here.cron()
        found = (await records(here))["", "gateway"]
        assert (found.delivered_at, found.last_error) == (NOW, gateway.problem.message)
        gateway.problem = RuntimeError("postgresql://user:hunter2@db")
        await here.cron()
        found = (await records(here))["", "gateway"]
        assert (found.delivered_at, found.last_error) == (NOW, "RuntimeError; the log says more.")
        gateway.problem = None
        await here.cron()
        found = (await records(here))["", "gateway"]
        assert (found.delivered_at, found.last_error) == (NOW + timedelta(hours=1), None)


async def test_a_source_that_waited_in_vain_has_failed(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own time-out, which is no sign that the product's time for it was up."""
    gateway = Gateway()
    async with world(database_url, plugins=[gateway]) as here:
        gateway.problem = TimeoutError()
        assert await (await here.margins.services()).sync.pull_costs() == 1
    assert "cost source gateway failed" in caplog.text
    assert "its time is up" not in caplog.text


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"org_id": None}, "CostBatch.org_id: must be a str, not NoneType"),
        ({"org_id": ""}, "CostBatch.org_id: must not be empty"),
        ({"cursor": 7}, "CostBatch.cursor: must be a str, not int"),
        ({"cursor": "1" * 2_001}, "CostBatch.cursor: must be at most 2000 characters"),
    ],
)
async def test_a_batch_of_no_org_or_without_a_place_stops_its_source_and_says_so(
    database_url: str, wrong: dict[str, Any], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = Gateway()
    async with world(database_url, plugins=[gateway]) as here:
        gateway.batches = [batch(events=[spent("1", NOW)]), replace(batch(), **wrong)]
        await here.cron()
        found = await records(here)
        assert found[ORG, "gateway"].delivered_at == NOW
        assert found["", "gateway"].last_error == told
        assert f"cost source gateway stopped: {told}" in caplog.messages
