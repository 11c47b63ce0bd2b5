"""Matching in a browser: by choosing, by typing, by a file; and back again."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Axe, for_one_test
from tests.browser.products import ORG, Product
from tests.browser.visits import Visits
from tests.world import event

MATCHING = "/margins/matching"


@for_one_test
async def admin(visit: Visits, fresh_demo: Product) -> Page:
    """An admin who may change what is there."""
    return await visit(fresh_demo)


async def mapped(product: Product) -> dict[str, str]:
    """Tag value by customer id."""
    services = await product.margins.services()
    return {each.customer_id: each.tag_value for each in await services.mappings.list(ORG)}


def notice(page: Page) -> Locator:
    return page.locator(".banner[role=status]")


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
async def test_a_suggestion_is_mapped_and_taken_back(
    visit: Visits, fresh_demo: Product, axe: Axe, javascript: bool
) -> None:
    page = await visit(fresh_demo, javascript=javascript)
    before = await mapped(fresh_demo)
    await page.goto(fresh_demo.url(MATCHING))
    customers = page.locator("section", has=page.locator("#customers-heading"))
    await expect(customers).to_contain_text("name has the same words: Contoso Ltd ~ contoso-trial")
    await customers.get_by_role("button", name="Map to contoso-trial").click()
    await expect(notice(page)).to_contain_text("Contoso Ltd is mapped to contoso-trial.")
    assert "contoso-trial" in (await mapped(fresh_demo)).values()
    if javascript:
        await axe(page)
    await page.get_by_role("button", name="Undo").click()
    await expect(notice(page)).to_contain_text("Undone")
    assert await mapped(fresh_demo) == before


async def test_a_customer_is_mapped_by_the_keyboard(admin: Page, fresh_demo: Product) -> None:
    await admin.goto(fresh_demo.url(MATCHING))
    field = admin.get_by_label("Tag value of BetaCo")
    await field.press_sequentially("gamma-inc")
    await field.press("Enter")
    await expect(notice(admin)).to_contain_text("BetaCo is mapped to gamma-inc.")
    await admin.goto(fresh_demo.url(f"{MATCHING}?show=mapped&q=gamma"))
    await admin.get_by_role("button", name="Unmap BetaCo").click()
    await expect(notice(admin)).to_contain_text("Unmapped: BetaCo and gamma-inc.")
    assert "gamma-inc" not in (await mapped(fresh_demo)).values()
    await admin.get_by_role("button", name="Undo").click()
    await expect(admin.get_by_role("button", name="Unmap BetaCo")).to_be_visible()


async def test_a_tag_value_is_given_to_a_customer_by_its_name(
    admin: Page, fresh_demo: Product
) -> None:
    await admin.goto(fresh_demo.url(MATCHING))
    field = admin.get_by_label("Customer of the tag value trial/8841")
    assert await field.get_attribute("list") == "customer-ids"
    await field.fill("betaco")
    await field.press("Enter")
    await expect(notice(admin)).to_contain_text("BetaCo is mapped to trial/8841.")


async def test_a_taken_tag_value_is_told_where_it_was_typed(
    admin: Page, fresh_demo: Product, axe: Axe
) -> None:
    before = await mapped(fresh_demo)
    await admin.goto(fresh_demo.url(MATCHING))
    field = admin.get_by_label("Tag value of BetaCo")
    await field.fill("acme-robotics")
    await field.press("Enter")
    told = admin.get_by_role("alert")
    await expect(told).to_contain_text("acme-robotics belongs to Acme Robotics")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("acme-robotics")
    await axe(admin)
    assert await mapped(fresh_demo) == before
    await admin.get_by_role("button", name="Take it from Acme Robotics").click()
    await expect(notice(admin)).to_contain_text("BetaCo is mapped to acme-robotics.")
    await admin.get_by_role("button", name="Undo").click()
    await expect(notice(admin)).to_contain_text("Undone")
    assert await mapped(fresh_demo) == before


async def test_matches_are_rejected_and_confirmed(
    admin: Page, fresh_demo: Product, axe: Axe
) -> None:
    await admin.goto(fresh_demo.url(MATCHING))
    await admin.get_by_role("button", name="Reject Delta LLC").click()
    await expect(notice(admin)).to_contain_text("Rejected: Delta LLC and delta-llc.")
    assert "delta-llc" not in (await mapped(fresh_demo)).values()
    await admin.get_by_role("button", name="Undo").click()
    await expect(admin.get_by_role("button", name="Confirm Delta LLC")).to_be_visible()
    await admin.get_by_role("button", name="Confirm all 6").click()
    await expect(notice(admin)).to_contain_text("Confirmed 6 matches.")
    await expect(admin.get_by_role("heading", name="Matches to confirm")).to_have_count(0)
    await axe(admin)
    await admin.get_by_role("button", name="Undo").click()
    await expect(admin.get_by_role("button", name="Confirm all 6")).to_be_visible()


async def test_searching_lists_what_is_typed(page: Page, demo: Product) -> None:
    await page.goto(demo.url(MATCHING))
    search = page.get_by_role("searchbox")
    await search.press_sequentially("beta")
    await expect(page.get_by_role("heading", name="BetaCo")).to_be_visible()
    await expect(page.get_by_role("heading", name="Contoso Ltd")).to_have_count(0)
    await expect(page).to_have_url(re.compile(r"\?q=beta$"))
    await expect(page.locator("#found")).to_contain_text("1 customer, 0 tag values")
    await expect(search).to_be_focused()


async def test_what_is_typed_or_cleared_counts_for_the_other_list_too(
    page: Page, demo: Product
) -> None:
    await page.goto(demo.url(MATCHING))
    search, found = page.get_by_role("searchbox"), page.locator("#found")
    await search.press_sequentially("wayne")
    await expect(found).to_contain_text("0 customers")
    await page.get_by_role("link", name="All mappings").click()
    await expect(found).to_contain_text("1 mapping for “wayne”")
    await search.fill("")
    await expect(found).to_be_empty()
    await page.get_by_role("link", name="To match").click()
    await expect(page.get_by_role("heading", name="BetaCo")).to_be_visible()
    await expect(search).to_have_value("")


async def test_a_file_is_looked_at_stored_and_taken_back(
    admin: Page, fresh_demo: Product, axe: Axe
) -> None:
    before = await mapped(fresh_demo)
    await admin.goto(fresh_demo.url(MATCHING))
    async with admin.expect_download() as started:
        await admin.get_by_role("link", name="Download unmatched (CSV)").click()
    lines = (await (await started.value).path()).read_text("utf-8").splitlines()
    suggested = next(line for line in lines if ",contoso-trial," in line)
    beta = next(line for line in lines if ",BetaCo," in line)
    filled = [
        lines[0],
        suggested.replace(",,stripe", ",contoso-trial,stripe"),
        beta.replace(",,stripe", ",acme-robotics,stripe"),
        beta.replace(",,stripe", ",never-seen,stripe"),
    ]
    await admin.get_by_role("link", name="Upload many (CSV)").click()
    await admin.get_by_label("File", exact=True).set_input_files(
        {"name": "m.csv", "mimeType": "text/csv", "buffer": "\n".join(filled).encode()}
    )
    await admin.get_by_role("button", name="Look at what it would do").click()
    await expect(admin.get_by_role("heading", level=1)).to_have_text("What the file would do")
    await expect(admin.locator("main")).to_contain_text(
        "The tag value acme-robotics belongs to Acme Robotics"
    )
    await axe(admin)
    assert await mapped(fresh_demo) == before
    await admin.get_by_role("button", name="Store 1 mapping").click()
    await expect(notice(admin)).to_contain_text("Mappings created: 1, changed: 0.")
    await admin.get_by_role("button", name="Undo").click()
    await expect(notice(admin)).to_contain_text("Undone")
    assert await mapped(fresh_demo) == before


async def test_a_viewer_reads_and_has_nothing_to_press(visit: Visits, demo: Product) -> None:
    page = await visit(demo, role="viewer")
    await page.goto(demo.url(MATCHING))
    assert await page.get_by_role("button").all_inner_texts() == ["Search"]
    await expect(page.get_by_role("link", name="Upload many (CSV)")).to_have_count(0)
    await expect(page.locator("main")).to_contain_text("Perhaps contoso-trial")


async def test_no_tag_value_runs_in_the_page(admin: Page, fresh_demo: Product) -> None:
    services = await fresh_demo.margins.services()
    key, _ = await services.keys.create(ORG)
    for text in ("<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "</datalist><svg>"):
        answer = await admin.request.post(
            fresh_demo.url("/api/cost-events"),
            headers={"X-NullSpend-Key": key},
            data=event(customer=text, costMicrodollars=10**12),
        )
        assert answer.status == 201
    await admin.goto(fresh_demo.url(MATCHING))
    await expect(admin.get_by_role("heading", name="onerror=alert(1)")).to_be_visible()
    field = admin.get_by_label("Customer of the tag value <img src=x onerror=alert(1)>")
    await field.fill("BetaCo")
    await field.press("Enter")
    await expect(notice(admin)).to_contain_text("BetaCo is mapped to <img src=x onerror=alert(1)>.")
