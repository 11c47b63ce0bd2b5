"""Every page opens, is accessible, and needs no script to be read."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from nullspend_margins.dashboard.routes import PAGES
from tests.browser.conftest import Axe
from tests.browser.products import Product

EXAMPLES = {
    "": "/margins",
    "/customers/{customer:path}": "/margins/customers/globex%2Feu-west",
    "/matching": "/margins/matching",
    "/connect": "/margins/connect",
}
"""An address for each page of the table."""

every_page = pytest.mark.parametrize("address", EXAMPLES.values())


def test_every_page_has_an_example() -> None:
    assert set(EXAMPLES) >= {line.path for line in PAGES if line.is_safe}


@every_page
async def test_it_opens_and_is_accessible(page: Page, axe: Axe, address: str) -> None:
    answer = await page.goto(address)
    assert answer is not None
    assert answer.status == 200
    await axe(page)


@every_page
async def test_it_can_be_read_without_scripts(
    page_without_scripts: Page, demo: Product, address: str
) -> None:
    answer = await page_without_scripts.goto(demo.url(address))
    assert answer is not None
    assert answer.status == 200
    assert await page_without_scripts.locator("h1").count() == 1
