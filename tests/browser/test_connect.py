"""Connect in a real Chromium: live progress, what stays secret, and all of it without scripts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from playwright.async_api import Page, expect

from nullspend_margins import RevenueFact, RevenueGap
from tests.browser.conftest import Axe
from tests.browser.products import NEW_ORG, NOW, Product, running_product
from tests.browser.visits import Visits
from tests.contract.ledgers import Ledger
from tests.storage.builders import invoice

STRIPE = "/margins/connect/stripe"
KEY = "rk_live_zyxwvutsrqponmlkjihgfedcba"
ROWS = b"customer,date,amount\nacme,2026-11-01,12.00\n"


def account(product: Product, key: str = KEY) -> None:
    made = product.stripe.add_account(key)
    made.add_invoice(made.add_customer("cus_1"), 4_200, created=int(NOW.timestamp()))


async def connect(page: Page, key: str = KEY) -> None:
    await page.goto(STRIPE)
    await page.locator("#key-stripeKey").fill(key)
    await page.get_by_role("button", name="Connect").click()


async def test_from_a_key_to_the_report_of_the_first_sync(
    visit: Visits, fresh_demo: Product, axe: Axe
) -> None:
    account(fresh_demo)
    page = await visit(fresh_demo, org=NEW_ORG)
    await connect(page)
    await expect(page.get_by_role("status").first).to_contain_text("Stripe is connected.")
    await expect(page.get_by_role("row", name="Accrual")).to_contain_text("Exact")
    await axe(page)
    await page.get_by_role("button", name="Sync now").click()
    await expect(page.get_by_role("heading", name="Last sync")).to_be_visible()
    await expect(page.locator("#said")).to_have_text("Last sync done: 1 invoice, 1 customer.")
    assert KEY not in await page.content()
    await axe(page)


class Gated(Ledger):
    """A provider that tells nothing until it is let."""

    def __init__(self) -> None:
        super().__init__("gated", facts=[invoice("in_1", occurred_at=NOW)])
        self.opened = asyncio.Event()

    async def fetch_revenue(
        self, secret: str, window: object
    ) -> AsyncIterator[Sequence[RevenueFact | RevenueGap]]:
        await self.opened.wait()
        async for page in super().fetch_revenue(secret, window):
            yield page


async def test_a_sync_is_seen_live_by_whoever_looks_and_announced(
    visit: Visits, tmp_path: Path, axe: Axe
) -> None:
    gated = Gated()
    async with running_product(tmp_path / "gated.db", plugins=[gated]) as product:
        services = await product.margins.services()
        await services.connections.connect(NEW_ORG, "gated", {})
        page = await visit(product, org=NEW_ORG)
        await page.goto("/margins/connect/gated")
        await page.get_by_role("button", name="Sync now").click()
        await expect(page.get_by_role("progressbar")).to_be_visible()
        assert await page.get_by_role("progressbar").get_attribute("value") is None
        await expect(page.locator("#said")).to_have_text("Syncing. Reading from gated.")
        await axe(page)
        watching = await visit(product, org=NEW_ORG, role="viewer")
        await watching.goto("/margins/connect/gated")
        await expect(watching.get_by_role("progressbar")).to_be_visible()
        gated.opened.set()
        for each in (page, watching):
            await expect(each.get_by_role("heading", name="Last sync")).to_be_visible()
            await expect(each.get_by_role("progressbar")).to_have_count(0)
            await expect(each.locator("#said")).to_have_text(
                "Last sync done: 1 invoice, 1 customer."
            )
        await expect(watching.get_by_role("button")).to_have_count(0)


async def test_a_refused_key_is_explained_and_never_shown(
    visit: Visits, fresh_demo: Product, axe: Axe
) -> None:
    page = await visit(fresh_demo, org=NEW_ORG)
    await connect(page, "sk_live_abcdefghijkl")
    field = page.locator("#key-stripeKey")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#key-stripeKey-problem")).to_contain_text("It is a secret key")
    await axe(page)
    await connect(page)
    await expect(page.get_by_role("alert")).to_contain_text("does not accept this key")
    assert KEY not in await page.content()
    await axe(page)


async def test_a_key_that_stripe_refuses_is_replaced_by_another(
    visit: Visits, fresh_demo: Product, axe: Axe
) -> None:
    other = KEY.replace("zyx", "new")
    made = fresh_demo.stripe.add_account(KEY, other)
    made.add_invoice(made.add_customer("cus_1"), 4_200, created=int(NOW.timestamp()))
    page = await visit(fresh_demo, org=NEW_ORG)
    await connect(page)
    await page.get_by_role("button", name="Sync now").click()
    await expect(page.get_by_role("heading", name="Last sync")).to_be_visible()
    fresh_demo.stripe.revoke(KEY)
    await page.get_by_role("button", name="Sync now").click()
    replace = page.get_by_role("link", name="Replace the restricted key")
    await expect(page.get_by_text("does not accept the stored").first).to_be_visible()
    await axe(page)
    await page.goto("/margins")
    await expect(page.get_by_role("link", name="Connect").first).to_be_visible()
    await axe(page)
    await page.goto(STRIPE)
    await replace.first.click()
    await page.locator("#key-stripeKey").fill(other)
    await page.get_by_role("button", name="Replace").click()
    await expect(page.get_by_role("status").first).to_be_visible()
    await page.get_by_role("button", name="Sync now").click()
    await expect(page.locator("#said")).to_have_text("Last sync done: 1 invoice, 1 customer.")
    assert other not in await page.content()


async def test_a_file_is_uploaded_and_disconnected_without_scripts(
    visit: Visits, fresh_demo: Product
) -> None:
    page = await visit(fresh_demo, org=NEW_ORG, javascript=False)
    await page.goto("/margins/connect")
    await page.get_by_role("link", name="CSV files").click()
    file = {"name": "revenue.csv", "mimeType": "text/csv", "buffer": ROWS}
    await page.locator("#upload-content").set_input_files(files=[file])
    await page.get_by_role("button", name="Connect: Upload a file").click()
    await page.get_by_role("button", name="Sync now").click()
    await expect(page.get_by_role("heading", name="Last sync")).to_be_visible()
    await page.get_by_role("link", name="Disconnect").click()
    await page.get_by_label("Type csv").fill("no")
    await page.get_by_role("button", name="Disconnect and delete").click()
    await expect(page.get_by_text("Nothing was deleted")).to_be_visible()
    await page.get_by_label("Type csv").fill("csv")
    await page.get_by_role("button", name="Disconnect and delete").click()
    await expect(page.get_by_role("status")).to_contain_text("CSV files is disconnected")


async def test_the_page_that_is_left_open_keeps_the_focus_where_it_is(
    visit: Visits, fresh_demo: Product
) -> None:
    page = await visit(fresh_demo)
    await page.goto(STRIPE)
    await page.locator("#sync-now").focus()
    await page.evaluate("document.querySelector('#state').setAttribute('data-old', '')")
    await page.evaluate("htmx.ajax('GET', location.pathname, {source: '#state'})")
    await expect(page.locator("#state[data-old]")).to_have_count(0)
    await expect(page.locator("#sync-now")).to_be_focused()


async def test_a_provider_without_a_form_is_accessible(
    visit: Visits, company_database: Path, tmp_path: Path, axe: Axe
) -> None:
    async with running_product(tmp_path / "plain.db", plugins=[Ledger("plain")]) as product:
        page = await visit(product, org=NEW_ORG)
        await page.goto("/margins/connect/plain")
        await axe(page)
        await page.get_by_label("Fields").fill("token = x")
        await page.get_by_role("button", name="Connect").click()
        await expect(page.get_by_role("status").first).to_contain_text("plain is connected")
