"""An org of 50,000 customers in a real Chromium: the table is searched, sorted and turned over."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import expect

from benchmarks.products import ORG
from benchmarks.seed import seed
from tests.browser.conftest import Axe
from tests.browser.products import running_product
from tests.browser.visits import Visits

CUSTOMERS = 50_000


async def test_fifty_thousand_customers_are_a_page_at_a_time(
    visit: Visits, tmp_path: Path, axe: Axe
) -> None:
    database = tmp_path / "large.db"
    plans = {"orgs": {ORG: "pro"}}
    async with running_product(database, plans=plans) as product:
        await asyncio.to_thread(seed, f"sqlite:///{database}", 2 * CUSTOMERS, CUSTOMERS)
        page = await visit(product, org=ORG)
        await page.goto(product.url("/margins"))
        await expect(page.get_by_role("rowheader")).to_have_count(50)
        await expect(page.locator("#found")).to_have_text(re.compile("of 50,000"))
        await axe(page)
        await page.get_by_role("link", name=re.compile("^Next")).first.click()
        await page.wait_for_url("**page=2**")
        await expect(page.get_by_role("rowheader")).to_have_count(50)
        await page.get_by_label("Search").press_sequentially("customer-4999")
        await expect(page.get_by_role("rowheader")).to_have_count(11)
        await page.goto(product.url("/margins/matching"))
        await expect(page.get_by_role("heading", level=1)).to_have_text("Matching")
