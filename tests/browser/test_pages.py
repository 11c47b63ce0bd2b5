"""Every page and every state of it opens, is accessible, fits, and needs no script to be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.conftest import Axe
from tests.browser.products import Product
from tests.browser.sights import EVERYTHING, Sight
from tests.browser.visits import Visits

ROOT = Path(__file__).parent.parent.parent
WIDTHS = (390, 820, 1440)
NARROWEST = 320
"""CSS pixels to which WCAG wants pages to reflow: 1280 at a zoom of 400 %."""

_TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((each) => each.getBoundingClientRect().right > innerWidth)
  .map((each) => `${each.tagName}.${each.className} ends at ${each.getBoundingClientRect().right}`)
"""

every_sight = pytest.mark.parametrize("sight", EVERYTHING, ids=str)


@every_sight
async def test_it_opens_and_is_accessible(
    visit: Visits, demo: Product, axe: Axe, sight: Sight
) -> None:
    page = await visit(demo, role=sight.role, org=sight.org)
    answer = await page.goto(demo.url(sight.path))
    assert answer is not None
    assert answer.status == sight.status
    await axe(page)


@every_sight
async def test_it_can_be_read_without_scripts(visit: Visits, demo: Product, sight: Sight) -> None:
    page = await visit(demo, role=sight.role, org=sight.org, javascript=False)
    answer = await page.goto(demo.url(sight.path))
    assert answer is not None
    assert answer.status == sight.status
    assert await page.locator("h1:visible").count() == 1


@every_sight
async def test_it_fits_every_width_and_has_its_picture_taken(
    visit: Visits, demo: Product, sight: Sight
) -> None:
    page = await visit(demo, role=sight.role, org=sight.org)
    await page.goto(demo.url(sight.path))
    for width in (NARROWEST, *WIDTHS):
        await page.set_viewport_size({"width": width, "height": 800})
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{sight} at {width}: {await page.evaluate(_TOO_WIDE)}"
        if width in WIDTHS:
            await _take_pictures(page, f"{sight}-{width}")


async def _take_pictures(page: Page, name: str) -> None:
    """Light and dark, into the folder that ``SCREENSHOTS`` names, if it does."""
    if "SCREENSHOTS" not in os.environ:
        return
    folder = ROOT / os.environ["SCREENSHOTS"]
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        await page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=True)
