"""The margin table's page where something is missing: setup, a month, a key, a source."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nullspend_margins import ServiceUnavailable
from tests.contract.test_alerts_of_providers import Warehouse
from tests.dashboard.margin_pages import company, customers, page
from tests.world import KEY, World, unix, world


async def test_a_first_visit_is_led_through_three_steps(here: World) -> None:
    text = await page(here, role="admin")
    assert "Three steps to your first margins" in text
    assert text.count('class="done"') == 0
    assert 'href="/margins/connect">Connect</a>' in text.partition("<main")[2]
    assert "Download CSV" not in text
    await here.spend("acme", 1_000_000)
    assert (await page(here, role="admin")).count('class="done"') == 1
    await here.connect(KEY)
    connected = await page(here, role="admin")
    assert connected.count('class="done"') == 2
    assert 'href="/margins/matching">Match customers</a>' in connected
    assert "Equal names are suggested" in connected  # no sync matches by them
    viewer = (await page(here)).partition("<main")[2]
    assert "Paste a restricted" not in viewer


async def test_a_viewer_is_not_offered_what_only_an_admin_may(here: World) -> None:
    text = (await page(here)).partition("<main")[2]
    assert "An admin of your organisation connects" in text
    assert 'href="/margins/connect">Connect</a>' not in text


async def test_revenue_without_costs_says_that_they_are_missing(here: World) -> None:
    here.account.add_customer("cus_1", name="Acme")
    here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
    await here.map("cus_1", "acme")
    await here.connect(KEY)
    await here.sync()
    text = await page(here)
    assert customers(text) == ["Acme"]
    assert "What is still missing" in text
    assert "of 1 customer<" in text


async def test_a_month_without_anything_leads_to_one_that_may_have_more(here: World) -> None:
    await company(here)
    text = await page(here, "?period=2026-02")
    assert "Nothing in February 2026" in text
    assert 'href="/margins">Show this month</a>' in text


@pytest.mark.parametrize(("role", "offered"), [("admin", True), ("viewer", False)])
async def test_a_key_that_is_refused_is_told_to_whom_can_replace_it(
    here: World, role: str, offered: bool
) -> None:
    await company(here)
    here.stripe.revoke(KEY)
    here.clock.advance(hours=30)
    await here.call("GET", "/api/stripe/revenue-sync", role="member")
    text = await page(here, role=role)
    assert "Stripe refuses its key." in text
    assert "Key refused" in text
    assert (">Replace the key</a>" in text) == offered
    assert ("Ask an admin" in text) != offered


async def test_a_source_that_fell_silent_is_told(database_url: str) -> None:
    async with world(database_url, costs={"stale_after_hours": 24}) as here:
        await company(here)
        assert "No costs from" not in await page(here)
        here.clock.moment += timedelta(days=3)
        assert "No costs from <bdi>api</bdi> since Nov 20, 2026." in await page(here)


async def test_a_source_that_does_not_answer_is_a_page_to_try_again(database_url: str) -> None:
    class Gone(Warehouse):
        async def month_costs(self, *_given: object) -> list[object]:
            raise ServiceUnavailable("The cost source warehouse does not answer.")

    async with world(database_url, plugins=[Gone()]) as here:
        answer = await here.call("GET", "/margins?period=2026-10&q=x")
        assert answer.status_code == 503
        assert "The cost source warehouse does not answer." in answer.text
        assert '<a class="button" href="">Try again</a>' in answer.text
