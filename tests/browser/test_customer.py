"""One customer in a real browser: what opens in place, what a form changes, what scripts add."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from nullspend_margins.domain.mapping_changes import Wanted
from tests.browser.conftest import Axe
from tests.browser.products import Product
from tests.browser.visits import Visits

WONKA = "/margins/customers/wonka-retail"


async def test_the_number_is_explained_in_place(demo: Product, page: Page, axe: Axe) -> None:
    await page.goto(demo.url(f"{WONKA}?period=2026-10"))
    await page.evaluate("window.stayed = true")
    await page.get_by_role("link", name="Explain $79.00 of revenue").click()
    heading = page.get_by_role("heading", name="Explain this number")
    await expect(page.get_by_role("heading", name="Revenue, invoiced: $79.00")).to_be_visible()
    await expect(heading).to_be_focused()
    assert await page.evaluate("window.stayed") is True
    assert "explain=1" in page.url
    await page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    await axe(page)
    await page.reload()
    await expect(page.get_by_role("heading", name="Revenue, invoiced: $79.00")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("link", name="Explain $79.00 of revenue")).to_be_visible()


async def test_who_is_signed_out_meanwhile_is_told_so_on_a_whole_page(
    demo: Product, visit: Visits
) -> None:
    page = await visit(demo, tolerated="401")
    await page.goto(demo.url(WONKA))
    await page.context.clear_cookies()
    await page.get_by_role("link", name="Explain $79.00 of revenue").click()
    await expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()


async def test_the_number_is_explained_without_scripts(
    demo: Product, page_without_scripts: Page
) -> None:
    page = page_without_scripts
    await page.goto(demo.url(f"{WONKA}?period=2026-10"))
    await page.get_by_role("link", name="Explain $79.00 of revenue").click()
    await expect(page.get_by_role("heading", name="Revenue, invoiced: $79.00")).to_be_visible()


async def test_another_month_and_basis_are_a_choice_away(demo: Product, page: Page) -> None:
    await page.goto(demo.url(f"{WONKA}?period=2026-11"))
    await page.get_by_role("link", name="Net").click()
    await page.get_by_role("combobox", name="Month").select_option("2026-10")
    await page.get_by_role("button", name="Show", exact=True).click()
    await page.wait_for_url("**period=2026-10*")
    assert "basis=net" in page.url
    await expect(page.get_by_role("link", name="Net")).to_have_attribute("aria-current", "true")
    await page.get_by_role("link", name="Back to margins, October 2026").click()
    await page.wait_for_url("**/margins?period=2026-10*")


async def test_names_that_no_path_carries_keep_their_page(
    fresh_demo: Product, visit: Visits
) -> None:
    services = await fresh_demo.margins.services()
    await services.mappings.save("org_demo", Wanted("paddle", "pad_1", ".."))
    page = await visit(fresh_demo)
    await page.goto(fresh_demo.url("/margins/customers/-?tagValue=.."))
    await page.get_by_role("combobox", name="Month").select_option("2026-09")
    await page.get_by_role("button", name="Show", exact=True).click()
    await page.wait_for_url("**period=2026-09*")
    await expect(page.get_by_role("heading", level=1)).to_have_text("..")


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_mapping_is_removed_and_put_back(
    fresh_demo: Product, visit: Visits, javascript: bool
) -> None:
    page = await visit(fresh_demo, javascript=javascript)
    await page.goto(fresh_demo.url(WONKA))
    await page.get_by_role("button", name="Unmap").click()
    notice = page.get_by_role("status").filter(has_text="Unmapped: Wonka Retail")
    await expect(notice).to_be_visible()
    gone = await page.request.get(fresh_demo.url(WONKA))
    assert gone.status == 404
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("status").filter(has_text="Undone")).to_be_visible()
    await page.goto(fresh_demo.url(WONKA))
    await expect(page.get_by_role("heading", name="Wonka Retail")).to_be_visible()


async def test_a_viewer_gets_no_buttons(demo: Product, visit: Visits, axe: Axe) -> None:
    page = await visit(demo, role="viewer")
    await page.goto(demo.url(WONKA))
    await expect(page.get_by_role("heading", name="Mapped to")).to_be_visible()
    names = [await each.inner_text() for each in await page.get_by_role("button").all()]
    assert names == ["Show"]  # of the month, which changes nothing
    await axe(page)


async def test_the_chart_tells_each_month_under_the_pointer(demo: Product, page: Page) -> None:
    await page.goto(demo.url(WONKA))
    drawing = page.get_by_role("img", name="Margin, revenue and cost of Wonka Retail by month")
    await expect(drawing).to_be_visible()
    months = await drawing.locator(".column title").all_text_contents()
    assert len(months) == 12
    assert months[-1].startswith("November 2026, still running: revenue $79.00, cost ")
    left = await drawing.bounding_box()
    for bar in await drawing.locator(".bar").all():
        box = await bar.bounding_box()
        assert left is not None
        assert box is not None
        assert left["x"] <= box["x"] <= box["x"] + box["width"] <= left["x"] + left["width"]


@pytest.mark.parametrize("width", [320, 390, 1440])
async def test_everything_open_fits_every_width(demo: Product, visit: Visits, width: int) -> None:
    page = await visit(demo, width=width)
    await page.goto(demo.url(f"{WONKA}?explain=1&basis=accrual"))
    await page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
