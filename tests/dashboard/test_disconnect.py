"""Disconnecting: what goes with it is counted before, and only who types the name does it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from nullspend_margins.storage import syncs
from tests.dashboard.test_connect_pages import store
from tests.dashboard.visiting import CONNECT, STRIPE, followed, look, send, words
from tests.world import ORG, World, unix, world

LEAVE = f"{STRIPE}/disconnect"


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    async with world(database_url) as made:
        made.account.add_customer("cus_1")
        for month in (9, 10, 11):
            made.account.add_invoice("cus_1", 4_200, created=unix(2026, month, 5))
        await made.spend("acme", 5_000_000)
        await made.connect()
        await made.sync()
        await made.map("cus_1", "acme")
        yield made


async def test_what_is_deleted_is_counted(here: World) -> None:
    text = words(await look(here, LEAVE))
    assert "3 rows of revenue , September 2026 to November 2026, of 1 customer" in text
    assert "1 mapping of these customers" in text
    assert "0 alerts about them" in text
    assert "rk_live_abcd...wxyz" in text
    assert "All costs: they come from elsewhere" in text


@pytest.mark.parametrize("typed", ["", "yes", "strip", "csv"])
async def test_without_the_name_nothing_is_deleted(here: World, typed: str) -> None:
    answer = await send(here, LEAVE, {"confirm": typed})
    assert answer.status_code == 400
    assert "That is not the name. Nothing was deleted." in words(answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert (await here.get("/api/stripe/connect"))["status"] == "active"


async def test_with_the_name_its_revenue_goes_and_costs_stay(here: World) -> None:
    page = words(await followed(here, await send(here, LEAVE, {"confirm": " Stripe "})))
    assert "Stripe is disconnected, and its revenue is deleted." in page
    assert await here.get("/api/stripe/connect") is None
    unmatched = await here.get("/api/margins/unmatched")
    assert unmatched["unmatchedStripeCustomers"] == []
    assert "acme" in json.dumps(unmatched)
    services = await here.margins.services()
    kept = await services.connections._database.read(lambda tx: syncs.of_org(tx, ORG))
    assert kept == {}
    assert (await here.call("GET", LEAVE)).status_code == 404


async def test_a_connection_whose_plugin_is_gone_can_be_disconnected(here: World) -> None:
    await store(here, "paddle")
    path = f"{CONNECT}/paddle/disconnect"
    assert "0 rows of revenue" in words(await look(here, path))
    page = words(await followed(here, await send(here, path, {"confirm": "paddle"})))
    assert "paddle is disconnected" in page
    assert "Stripe Connected" in page


async def test_only_admins_of_the_org_do_it(here: World) -> None:
    for role, org, status in (("member", ORG, 403), ("viewer", ORG, 403), ("admin", "org_2", 404)):
        answer = await send(here, LEAVE, {"confirm": "stripe"}, role=role, org=org)
        assert answer.status_code == status
    answer = await send(here, LEAVE, {"confirm": "stripe"}, token="made-up")
    assert answer.status_code == 403
    assert (await here.get("/api/stripe/connect"))["status"] == "active"
