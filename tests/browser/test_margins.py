"""The margin table in a browser: searched while somebody types, sorted, filtered, turned over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Axe
from tests.browser.products import NEW_ORG, Product, running_product
from tests.browser.visits import Visits

CRITICAL = 11
"""Of the sample company's customers."""


async def names(page: Page) -> list[str]:
    """Whose rows there are, in order."""
    return await page.get_by_role("rowheader").get_by_role("link").all_inner_texts()


def query(page: Page) -> str:
    return page.url.partition("?")[2]


async def test_a_search_shows_what_it_finds_while_somebody_types(page: Page, axe: Axe) -> None:
    await page.goto("/margins")
    search = page.get_by_label("Search")
    await search.press_sequentially("lodz")
    await expect(page.get_by_role("status")).to_have_text("1 customer")
    await expect(search).to_be_focused()
    assert await names(page) == ["Łódź Analytics"]
    assert "q=lodz" in query(page)
    await axe(page)
    await search.press_sequentially("zz")
    await expect(page.get_by_text("No customer matches “lodzzz”")).to_be_visible()
    await axe(page)
    await page.get_by_role("link", name="Show all customers").click()
    await expect(page.get_by_role("rowheader")).to_have_count(40)
    await expect(page.get_by_label("Search")).to_have_value("")


async def test_a_column_sorts_both_ways_and_keeps_the_focus(page: Page, axe: Axe) -> None:
    await page.goto("/margins")
    worst_first = await names(page)
    head = page.get_by_role("columnheader", name="Revenue")
    for order in ("descending", "ascending"):
        await head.get_by_role("link").focus()
        await page.keyboard.press("Enter")
        await expect(head).to_have_attribute("aria-sort", order)
        await expect(head.get_by_role("link")).to_be_focused()
    assert (await names(page))[-1] == "Aperture Science"
    await axe(page)
    await page.go_back()
    await expect(head).to_have_attribute("aria-sort", "descending")
    await page.go_back()
    await expect(page.get_by_role("columnheader", name="Health")).to_have_attribute(
        "aria-sort", "ascending"
    )
    assert await names(page) == worst_first


async def test_choices_are_kept_together_whichever_comes_first(page: Page) -> None:
    await page.goto("/margins")
    await page.get_by_role("link", name=re.compile("^Critical")).click()
    await expect(page.get_by_role("rowheader")).to_have_count(CRITICAL)
    await page.get_by_role("columnheader", name="Cost").get_by_role("link").click()
    await expect(page.get_by_role("columnheader", name="Cost")).to_have_attribute(
        "aria-sort", "descending"
    )
    await page.get_by_label("Search").press_sequentially("agents")
    await expect(page.get_by_role("rowheader")).to_have_count(1)
    assert query(page) == "q=agents&period=2026-11&tier=critical&sort=cost"
    await page.get_by_role("link", name="Net", exact=True).click()
    await expect(page.get_by_role("link", name="Net", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    assert await names(page) == ["Oscorp Agents"]
    await page.get_by_label("Month").select_option("2026-10")
    await page.get_by_role("button", name="Show", exact=True).click()
    await page.wait_for_url("**period=2026-10**")
    for choice in ("q=agents", "tier=critical", "sort=cost", "basis=net"):
        assert choice in query(page)


@pytest.mark.parametrize("javascript", [True, False])
async def test_the_month_that_is_chosen_is_the_one_shown_after_a_way_back(
    visit: Visits, demo: Product, javascript: bool
) -> None:
    """Browsers put back what was chosen in a form, beside the figures of another month."""
    page = await visit(demo, javascript=javascript)
    month = page.get_by_role("combobox", name="Month")
    for path in ("/margins", "/margins/customers/oscorp-agents"):
        await page.goto(demo.url(path))
        await month.select_option("2026-09")
        await page.get_by_role("button", name="Show", exact=True).click()
        await page.wait_for_url("**period=2026-09*")
        await page.go_back()
        await expect(page.get_by_text("November 2026", exact=False).first).to_be_visible()
        await expect(month).to_have_value("2026-11")


async def test_a_tile_leads_to_the_customers_that_it_counts(page: Page) -> None:
    await page.goto("/margins?q=nobody")
    await page.get_by_role("link", name="Show them").first.click()
    await expect(page.get_by_role("rowheader")).to_have_count(CRITICAL)
    assert await page.get_by_label("Search").input_value() == ""


async def test_a_table_that_is_being_loaded_says_so(page: Page) -> None:
    await page.goto("/margins")
    results = page.locator("#results")
    await page.route("**/margins?*", lambda route: None)
    await page.get_by_label("Search").press_sequentially("a")
    await expect(results).to_have_attribute("aria-busy", "true")
    await expect(page.get_by_text("Loading…")).to_be_visible()
    await page.unroute_all(behavior="ignoreErrors")


async def test_who_is_signed_out_meanwhile_is_told_so(visit: Visits, demo: Product) -> None:
    page = await visit(demo, tolerated="401 for")
    await page.goto("/margins")
    await page.context.clear_cookies()
    await page.get_by_role("columnheader", name="Cost").get_by_role("link").click()
    await expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()


async def test_pages_are_turned_over(visit: Visits, company_database: Path, axe: Axe) -> None:
    async with running_product(company_database, dashboard={"rows_per_page": 15}) as product:
        page = await visit(product, width=390)
        await page.goto("/margins")
        seen = await names(page)
        for shown in ("16\u201330 of 40", "31\u201340 of 40"):
            await page.get_by_role("link", name="Next").click()
            await expect(page.get_by_role("status")).to_have_text(shown)
            seen += await names(page)
        await axe(page)
        assert len(seen) == len(set(seen)) == 40
        assert await page.get_by_role("link", name="Next").count() == 0
        await page.get_by_role("link", name="First").click()
        await expect(page.get_by_role("status")).to_have_text("1\u201315 of 40")
        assert await names(page) == seen[:15]


async def test_everything_is_there_without_scripts(page_without_scripts: Page) -> None:
    page = page_without_scripts
    await page.goto("/margins")
    await page.get_by_label("Search").fill("ZURCHER")
    await page.get_by_role("button", name="Search").click()
    assert await names(page) == ["Zürcher Käse AG"]
    await page.get_by_role("columnheader", name="Cost").get_by_role("link").click()
    assert await names(page) == ["Zürcher Käse AG"]
    await page.get_by_role("link", name=re.compile("^All")).click()
    await page.get_by_label("Month").select_option("2026-10")
    await page.get_by_role("button", name="Show", exact=True).click()
    assert "period=2026-10" in query(page)
    assert "sort=cost" in query(page)


@pytest.mark.parametrize("width", [390, 1280])
async def test_a_first_visit_is_accessible_and_fits(
    visit: Visits, demo: Product, axe: Axe, width: int
) -> None:
    page = await visit(demo, org=NEW_ORG, width=width)
    await page.goto("/margins")
    await expect(
        page.get_by_role("heading", name="Three steps to your first margins")
    ).to_be_visible()
    await axe(page)
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_a_server_that_does_not_answer_is_told_until_it_does(
    visit: Visits, demo: Product, axe: Axe
) -> None:
    page = await visit(demo, tolerated="htmx:(sendError|afterRequest)")
    await page.goto(demo.url("/margins"))
    before = await names(page)
    await page.route("**/margins?*q=*", lambda route: route.abort("connectionrefused"))
    search, told = page.get_by_label("Search"), page.get_by_role("alert")
    async with page.expect_event("requestfailed"):
        await search.press_sequentially("lodz")
    await expect(told).to_have_text("There was no answer. What you see may be old: try again.")
    assert await names(page) == before
    await expect(search).to_be_focused()
    await expect(search).to_have_value("lodz")
    await axe(page)
    async with page.expect_event("requestfailed"):
        await search.press("Backspace")
    await expect(told).to_have_count(1)
    await page.unroute_all()
    await search.press("z")
    await expect(page.get_by_role("status")).to_have_text("1 customer")
    await expect(told).to_have_count(0)
