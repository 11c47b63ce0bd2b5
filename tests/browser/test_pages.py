"""Every page and every state of it opens, is accessible, fits, and needs no script to be read."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

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
_CUT_OFF = """() => {
  const framed = (each) => each.matches(".tile, .panel, .banner");
  const mayScroll = (each) => each.matches(".table-region, input, select, textarea");
  return [...document.querySelectorAll("main *, header *")]
    .filter((each) => each.scrollWidth > each.clientWidth && each.clientWidth > 1)
    .filter((each) => framed(each) || getComputedStyle(each).overflowX !== "visible")
    .filter((each) => !mayScroll(each))
    .map((each) => `${each.className} shows ${each.clientWidth} of ${each.scrollWidth}`);
}"""
"""What is hidden at an edge, has to be scrolled to, or leaves its frame."""

every_sight = pytest.mark.parametrize("sight", EVERYTHING, ids=str)

Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def regulars(browser: Browser) -> AsyncIterator[tuple[Visits, dict[object, Page]]]:
    """Visitors who look at one page after another: a context for each takes half a second."""
    visits = Visits(browser)
    yield visits, {}
    problems = await visits.close()
    assert not problems, "\n".join(problems)


@pytest_asyncio.fixture(loop_scope="session")
async def opened(regulars: tuple[Visits, dict[object, Page]], demo: Product) -> AsyncIterator[Open]:
    """``await opened(sight)``: a page on which its visitor has just opened it."""
    visits, pages = regulars
    known = len(visits.problems)

    async def open_sight(sight: Sight, *, javascript: bool = True) -> Page:
        visitor = (sight.role, sight.org, javascript)
        if visitor not in pages:
            role, org, _ = visitor
            pages[visitor] = await visits(demo, role=role, org=org, javascript=javascript)
        page = pages[visitor]
        await page.set_viewport_size({"width": 1280, "height": 800})
        answer = await page.goto(demo.url(sight.path))
        assert answer is not None
        assert answer.status == sight.status
        return page

    yield open_sight
    problems = visits.problems[known:]
    assert not problems, "\n".join(problems)


@every_sight
async def test_it_opens_is_accessible_fits_every_width_and_has_its_picture_taken(
    opened: Open, axe: Axe, sight: Sight
) -> None:
    page = await opened(sight)
    await axe(page)
    for width in (NARROWEST, *WIDTHS):
        await page.set_viewport_size({"width": width, "height": 800})
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{sight} at {width}: {await page.evaluate(_TOO_WIDE)}"
        assert await page.evaluate(_CUT_OFF) == [], f"{sight} at {width}"
        if width in WIDTHS:
            await _take_pictures(page, f"{sight}-{width}")


@every_sight
async def test_it_can_be_read_without_scripts(opened: Open, sight: Sight) -> None:
    page = await opened(sight, javascript=False)
    assert await page.locator("h1:visible").count() == 1


@pytest.mark.parametrize("path", ["/margins", "/margins/customers/oscorp-agents"])
async def test_the_figures_of_a_large_company_stay_in_their_tiles(
    demo: Product, visit: Visits, path: str
) -> None:
    page = await visit(demo, width=NARROWEST)
    await page.goto(path)
    figures = page.locator(".tile dt + dd:not(.words, .pair)")
    await figures.evaluate_all(
        "all => all.forEach((each) => { each.textContent = '-$987,654.32' })"
    )
    heights = await figures.evaluate_all("all => all.map((each) => each.clientHeight)")
    assert len(heights) >= 4
    assert max(heights) < 40, "no figure is broken into two lines"
    assert await page.evaluate(_CUT_OFF) == []


_LARGE = ["-$987,654.32", "$1,234,567.89", "-$987,654.32", "-1,234.5%"]
_OVERLAPS = """(rows) => rows.flatMap((row) => {
  const edge = row.closest(".table-region").getBoundingClientRect().right;
  const taken = [...row.querySelectorAll("td.number, .badge, .spark, th a")].map((each) => {
    const range = document.createRange();
    range.selectNodeContents(each);
    return each.matches(".spark") ? each.getBoundingClientRect() : range.getBoundingClientRect();
  });
  const beside = (a, b) => a.right <= b.left || b.right <= a.left;
  const below = (a, b) => a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
  const over = taken.filter((a) => a.right > edge
    || taken.some((b) => a !== b && !beside(a, b) && !below(a, b)));
  return over.map((box) => `${row.innerText.slice(0, 20)} at ${box.left} to ${box.right}`);
})"""


@pytest.mark.parametrize("width", [NARROWEST, 360, 390])
async def test_the_figures_of_a_large_customer_stay_beside_each_other_on_a_phone(
    demo: Product, visit: Visits, width: int
) -> None:
    page = await visit(demo, width=width)
    await page.goto("/margins")
    rows = page.locator("table.margins tbody tr")
    assert await rows.evaluate_all(_OVERLAPS) == []
    await rows.evaluate_all(
        "(rows, large) => rows.forEach((row) => row.querySelectorAll('td.number')"
        ".forEach((each, at) => { each.textContent = large[at] }))",
        _LARGE,
    )
    assert await rows.evaluate_all(_OVERLAPS) == []


async def _take_pictures(page: Page, name: str) -> None:
    """Light and dark, into the folder that ``SCREENSHOTS`` names, if it does."""
    if "SCREENSHOTS" not in os.environ:
        return
    folder = ROOT / os.environ["SCREENSHOTS"]
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        await page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=True)
