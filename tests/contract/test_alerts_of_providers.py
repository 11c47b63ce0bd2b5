"""Alerts where costs or revenue come from more than one place."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from nullspend_margins import (
    Credential,
    ModelCost,
    MonthCost,
    Period,
    RevenueFact,
    ServiceUnavailable,
    TagCost,
)
from nullspend_margins.services.matching import match_customers
from tests.contract.alerting import OCTOBER, Listener, delivered, synced
from tests.world import World, unix, world


class Warehouse:
    """An aggregating source: what it says of every month, by tag value, while it is well."""

    name = "warehouse"
    problem: Exception | None = None

    def __init__(self, **microdollars: int) -> None:
        self.microdollars = microdollars

    async def month_costs(self, org_id: str, first: Period, last: Period) -> list[MonthCost]:
        if self.problem is not None:
            raise self.problem
        return [MonthCost(tag, last.index, cost * 1000) for tag, cost in self.microdollars.items()]

    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> list[ModelCost]:
        return []

    async def tag_costs(self, org_id: str, since: object) -> list[TagCost]:
        return [TagCost(tag, cost * 1000, 1) for tag, cost in self.microdollars.items()]


async def test_costs_of_an_aggregating_source_count(database_url: str) -> None:
    listener, warehouse = Listener(), Warehouse(one=60_000_000)
    async with world(database_url, plugins=[listener, warehouse]) as here:
        for month in (10, 11):
            here.account.add_invoice("cus_1", 10_000, created=unix(2026, month, 3))
        await here.map("cus_1", "one")
        await here.spend("one", 50_000_000)
        await here.connect()
        await synced(here)
        assert listener.told == [("one", "critical")]
        assert listener.heard[0]["data"]["object"]["cost_microdollars"] == 110_000_000


@pytest.mark.parametrize("problem", [ServiceUnavailable("It is down."), KeyError("a defect")])
async def test_revenue_does_not_wait_for_an_aggregating_source(
    database_url: str, problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    listener, warehouse = Listener(), Warehouse(one=60_000_000, cus_2=1)
    async with world(database_url, plugins=[listener, warehouse]) as here:
        for month in (10, 11):
            here.account.add_invoice("cus_1", 10_000, created=unix(2026, month, 3))
        here.account.add_invoice("cus_2", 10_000, created=unix(2026, 11, 3))
        await here.map("cus_1", "one")
        await here.spend("one", 50_000_000)
        await here.connect()
        warehouse.problem = problem
        report = await here.sync()
        await delivered(here)
        assert (report["customersProcessed"], report["autoMatchesCreated"]) == (2, 0)
        assert (await here.get("/api/stripe/connect"))["lastError"] is None
        assert "makes no matches and alerts" in caplog.text
        assert listener.told == []
        warehouse.problem = None
        assert (await here.sync())["autoMatchesCreated"] == 1
        await delivered(here)
        assert listener.told == [("one", "critical")]


class Invoices:
    """Another provider, with one customer: an amount in cents for each day it paid."""

    name = "other"
    customer_id = "o_1"

    def __init__(self, **cents: int) -> None:
        self.cents = cents

    async def parse_credential(self, body: object) -> Credential:
        return Credential(secret="s", label="other")

    async def check_credential(self, secret: str) -> None: ...

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return True

    async def fetch_revenue(self, secret: str, window: object) -> AsyncIterator[list[RevenueFact]]:
        yield [
            RevenueFact(
                object_id=day,
                customer_id=self.customer_id,
                amount_minor=cents,
                currency="usd",
                occurred_at=datetime.strptime(day, "d%Y_%m_%d").replace(tzinfo=UTC),
            )
            for day, cents in self.cents.items()
        ]


async def sync_other(here: World, name: str = "other") -> None:
    answer = await here.call("POST", f"/api/connections/{name}/sync")
    assert answer.status_code == 200, answer.text
    await delivered(here)


async def test_any_providers_invoice_is_waited_for(database_url: str) -> None:
    listener = Listener()
    plugins = [listener, Invoices(d2026_10_25=10_000)]
    async with world(database_url, plugins=plugins) as here:
        await here.map("cus_1", "one")
        await here.map("o_1", "one", provider="other")
        await here.spend("one", 1_000_000)
        await here.spend("one", 1_000_000, occurredAt=OCTOBER)
        assert (await here.call("POST", "/api/connections/other", {})).status_code == 201
        await sync_other(here)
        assert listener.heard == []
        here.clock.advance(days=7)
        await sync_other(here)
        assert listener.told == [("one", "critical")]


async def test_the_last_of_several_providers_invoices_is_waited_for(database_url: str) -> None:
    listener = Listener()
    plugins = [listener, Invoices(d2026_10_19=10_000)]
    async with world(database_url, plugins=plugins) as here:
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, 10, 2))
        await here.map("cus_1", "one")
        await here.map("o_1", "one", provider="other")
        await here.spend("one", 1_000_000)
        await here.call("POST", "/api/connections/other", {})
        await sync_other(here)
        await here.connect()
        await synced(here)
        assert listener.heard == []
        here.clock.advance(days=1)
        await synced(here)
        assert listener.told == [("one", "critical")]


async def test_a_customer_that_gets_a_second_provider_is_not_told_of_again(
    database_url: str,
) -> None:
    listener = Listener()
    plugins = [listener, Invoices(d2026_10_03=10_000, d2026_11_03=10_000)]
    async with world(database_url, plugins=plugins) as here:
        await here.map("o_1", "one", provider="other")
        await here.spend("one", 205_000_000)
        await here.spend("one", 10_000_000, occurredAt=OCTOBER)
        await here.call("POST", "/api/connections/other", {})
        await sync_other(here)
        assert listener.told == [("one", "critical")]
        for month in (10, 11):
            here.account.add_invoice("cus_1", 10_000, created=unix(2026, month, 3))
        await here.map("cus_1", "one")  # from now on it stands for the row
        await here.connect()
        await synced(here)
        assert listener.told == [("one", "critical")]


async def test_nor_when_a_provider_without_an_alert_comes_to_stand_for_it(
    database_url: str,
) -> None:
    listener = Listener()
    other, another = (Invoices(d2026_10_03=10_000, d2026_11_03=10_000) for _ in range(2))
    another.name = "another"  # before the other by name
    async with world(database_url, plugins=[listener, other, another]) as here:
        await here.spend("one", 205_000_000)
        await here.spend("one", 10_000_000, occurredAt=OCTOBER)
        for name in ("other", "another"):
            await here.map("o_1", "one", provider=name)
            await here.call("POST", f"/api/connections/{name}", {})
            await sync_other(here, name)
            assert listener.told == [("one", "critical")]


async def test_syncs_of_two_providers_at_once_that_match_one_tag_raise_one_alert(
    database_url: str,
) -> None:
    listener = Listener()
    other = Invoices(d2026_10_03=10_000, d2026_11_03=10_000)
    other.customer_id = "one"
    async with world(database_url, plugins=[listener, other]) as here:
        for month in (10, 11):
            here.account.add_invoice("one", 10_000, created=unix(2026, month, 3))
        await here.connect()
        assert (await here.call("POST", "/api/connections/other", {})).status_code == 201
        await here.sync()
        await sync_other(here)
        await here.spend("one", 1_000_000, occurredAt=OCTOBER)
        await here.spend("one", 900_000_000)
        await _end_syncs_at_once(here)
        await delivered(here)
        assert listener.told == [("one", "critical")]


async def _end_syncs_at_once(here: World) -> None:
    """What the last transactions of two syncs do, the one before the other has committed."""
    service, now = (await here.margins.services()).alerts, here.clock.now()
    first_is_through, second_is_through = threading.Event(), threading.Event()

    def end(tx: Any, provider: str) -> int:
        match_customers(tx, "org_1", provider, {"one": None}, {"one"}, now)
        return service.enqueue_crossings(tx, "org_1", now, [])

    def first(tx: Any) -> int:
        raised = end(tx, "stripe")
        first_is_through.set()
        # In vain, where the second one waits for this one's commit, as it should.
        second_is_through.wait(1)
        return raised

    def second(tx: Any) -> int:
        raised = end(tx, "other")
        second_is_through.set()
        return raised

    async def after_the_first() -> int:
        await asyncio.to_thread(first_is_through.wait, 30)
        return await service._database.write(second)

    found = await asyncio.gather(service._database.write(first), after_the_first())
    assert found == [1, 0]
