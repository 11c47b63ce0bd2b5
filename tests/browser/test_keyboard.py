"""Everything by keyboard alone, seen where the focus is, and without motion for who asks."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.browser.products import Product
from tests.browser.sights import PAGES, Sight

every_page = pytest.mark.parametrize("sight", PAGES.values(), ids=str)

_FOCUSED = """() => {
  const each = document.activeElement;
  if (!each || each === document.body) return null;
  const style = getComputedStyle(each);
  const box = each.getBoundingClientRect();
  return {
    index: [...document.querySelectorAll("*")].indexOf(each),
    name: `${each.tagName} ${each.textContent.trim().slice(0, 40)}`,
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight
      && box.right > 0 && box.left < innerWidth,
  };
}"""
_FOCUSABLE = """() => [...document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
)].filter((each) => !each.disabled && each.checkVisibility({visibilityProperty: true})
  && !(each.type === "radio" && !each.checked)).length"""


async def tab_through(page: Page, most: int = 400) -> list[dict[str, object]]:
    """Every stop of the Tab key from the top of the page to its end."""
    stops: list[dict[str, object]] = []
    while len(stops) < most:
        await page.keyboard.press("Tab")
        stop = await page.evaluate(_FOCUSED)
        if stop is None or (stops and stop["index"] == stops[0]["index"]):
            break
        stops.append(stop)
    return stops


@every_page
async def test_the_tab_key_reaches_all_in_the_order_of_the_page(
    page: Page, demo: Product, sight: Sight
) -> None:
    await page.goto(demo.url(sight.path))
    stops = await tab_through(page)
    places = [stop["index"] for stop in stops]
    assert places == sorted(places)
    assert len(stops) >= await page.evaluate(_FOCUSABLE)
    assert [stop["name"] for stop in stops if not stop["outlined"]] == []
    assert [stop["name"] for stop in stops if not stop["seen"]] == []


async def test_the_first_stop_skips_the_navigation(page: Page) -> None:
    await page.goto("/margins")
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.closest('main') !== null")


async def test_to_a_customer_and_back_to_the_table_by_keys(page: Page) -> None:
    await page.goto("/margins")
    await page.get_by_role("link", name="Oscorp Agents").first.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Oscorp Agents")
    while await page.evaluate("document.activeElement.textContent") != "Margins":
        await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Margins")


@every_page
async def test_nothing_moves_for_who_wants_no_motion(
    page: Page, demo: Product, sight: Sight
) -> None:
    await page.goto(demo.url(sight.path))
    moving = await page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((each) => {
          const style = getComputedStyle(each);
          return style.animationName !== "none"
            || style.transitionDuration.split(", ").some((each) => parseFloat(each) > 0);
        }).map((each) => each.outerHTML.slice(0, 100))"""
    )
    assert moving == []
