"""A name leaves everything beside it where it is, whatever it does with the direction of writing.

Chromium writes the pages: what counts is where the figures are.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Locator

from nullspend_margins.demo.seed import client_for
from nullspend_margins.demo.stripe_server import StripeServer
from tests.browser.products import NOW, ORG, Product, running_product
from tests.browser.visits import Visits
from tests.world import KEY, event

NAMES = (
    "Plain \u202eetaroproC",
    "שלום עולם",
    "Ends \u2069\u202eetaroproC",
    "Begins ש\u2067\u2067",
    "Breaks \u2029\u202eetaroproC",
    "١٢٣ شركة",
)
_GAPS = """(lines) => lines.map((line) => {
  const name = line.querySelector("bdi"), taken = name.getBoundingClientRect(), gaps = [];
  const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  for (texts.currentNode = name; texts.nextNode();) {
    const text = texts.currentNode, range = document.createRange();
    if (name.contains(text) || !text.data.trim()) continue;
    range.selectNodeContents(text);
    const [box] = range.getClientRects();
    if (box && box.top < taken.bottom && taken.top < box.bottom) gaps.push(box.left - taken.right);
  }
  return gaps;
})"""
"""From the first name of each line to the texts that follow it, where both are side by side."""


@pytest_asyncio.fixture(loop_scope="session")
async def turned(sqlite_template: Path, tmp_path: Path, browser: object) -> AsyncIterator[Product]:
    """A product whose customers and tag values are called like that, mapped and not."""
    stripe = StripeServer()
    account = stripe.add_account(KEY)
    for name in NAMES:
        joined = account.add_customer(name=name, metadata={"nullspend_customer": name})
        for customer in (joined, account.add_customer(name=f"Free {name}")):
            account.add_invoice(customer, 5_000, created=int(NOW.timestamp()) - 86_400)
    database = Path(shutil.copy(sqlite_template, tmp_path / "m.db"))
    async with (
        running_product(database, stripe=stripe) as product,
        client_for(product.origin) as client,
    ):
        client.cookies.set(*product.session())
        key, _ = await (await product.margins.services()).keys.create(ORG)
        tags = [tag for name in NAMES for tag in (name, f"free {name}")]
        events = [event(customer=tag, model=tag, costMicrodollars=70_000_000) for tag in tags]
        for path, sent, headers in (
            ("/api/stripe/connect", {"stripeKey": KEY}, {}),
            ("/api/cost-events/batch", {"events": events}, {"X-NullSpend-Key": key}),
            ("/api/stripe/revenue-sync", {}, {}),
        ):
            answer = await client.post(path, json=sent, headers=headers)
            assert answer.is_success, answer.text
        yield product


_BESIDE_LOOSE_WORDS = """(names) => names.filter((name) => {
  const around = name.parentElement;
  const words = [...around.childNodes].filter((each) => each.nodeType === 3 && each.data.trim());
  return words.length && getComputedStyle(around).display.includes("flex");
}).map((name) => name.parentElement.outerHTML)"""


async def gaps(lines: Locator) -> list[list[float]]:
    """Pixels from the name of each line to the texts beside it: below zero, they are not after it.

    Letters may lean out of their boxes by less than one.
    """
    found = await lines.evaluate_all(_GAPS)
    assert all(gap > -1 for line in found for gap in line), found
    return [line for line in found if line]


@pytest.mark.parametrize("width", [1280, 390])
async def test_figures_and_words_stay_after_the_name(
    turned: Product, visit: Visits, width: int
) -> None:
    page = await visit(turned, width=width)
    await page.goto("/margins")
    assert len(await gaps(page.locator("table.margins tbody tr"))) == len(NAMES)
    for name in NAMES:
        await page.goto(turned.url(f"/margins/customers/{quote(name, safe='')}"))
        assert len(await gaps(page.locator("h1"))) == 1  # the badge
        assert len(await gaps(page.locator(".who p"))) == 1  # the month, after the tag value
        assert len(await gaps(page.locator("#models tbody tr"))) == 1


async def test_a_name_within_words_is_no_column_of_its_own(turned: Product, visit: Visits) -> None:
    """As it would be in a button, whose content is laid out in a row."""
    page = await visit(turned)
    for path in ("", "/matching", "/matching?show=mapped", f"/customers/{quote(NAMES[0])}"):
        await page.goto(turned.url(f"/margins{path}"))
        assert await page.locator("bdi").count() >= 2
        assert await page.locator("bdi").evaluate_all(_BESIDE_LOOSE_WORDS) == []
