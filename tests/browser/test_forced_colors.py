"""With the reader's own few colours (``forced-colors``) what is chosen and open is told as well."""

from __future__ import annotations

from playwright.async_api import Locator, Page

from tests.browser.products import Product
from tests.browser.visits import Visits

_COLOUR = "(each, name) => getComputedStyle(each)[name]"


async def forced(visit: Visits, demo: Product, path: str) -> Page:
    page = await visit(demo, forced_colors="active")
    await page.goto(demo.url(path))
    return page


async def colours(places: Locator, name: str) -> set[str]:
    return {await each.evaluate(_COLOUR, name) for each in await places.all()}


async def test_the_page_that_is_shown_is_the_only_underlined(demo: Product, visit: Visits) -> None:
    page = await forced(visit, demo, "/margins")
    lines = page.locator(".nav")
    current = await colours(lines.locator("a[aria-current]"), "borderBottomColor")
    others = await colours(lines.locator("a:not([aria-current])"), "borderBottomColor")
    ground = await colours(page.locator("header.top"), "backgroundColor")
    assert others == ground
    assert current.isdisjoint(ground)


async def test_a_choice_stands_out_from_what_is_not_chosen(demo: Product, visit: Visits) -> None:
    page = await forced(visit, demo, "/margins")
    for choices in (page.locator("#bases"), page.locator("#tiers")):
        chosen = await colours(choices.locator("a[aria-current]"), "backgroundColor")
        others = await colours(choices.locator("a:not([aria-current])"), "backgroundColor")
        assert len(chosen) == 1
        assert chosen.isdisjoint(others)


async def test_bars_look_as_their_key_says_and_open_months_stay_hatched(
    demo: Product, visit: Visits
) -> None:
    page = await forced(visit, demo, "/margins/customers/oscorp-agents")
    chart = page.locator("figure.chart").first
    for kind in ("revenue", "cost"):
        key = await colours(chart.locator(f".keys .bar.{kind}"), "fill")
        bars = chart.locator(f".drawing .bar.{kind}")
        assert await colours(bars.locator(":scope:not([data-running])"), "fill") == key
        [open_month] = await colours(bars.locator(":scope[data-running]"), "fill")
        assert "hatch" in open_month
