"""The fixtures see what they are there to see."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.browser.chromium import chromium_path
from tests.browser.conftest import Axe
from tests.browser.products import Product
from tests.browser.visits import Visits

MISDEEDS = {
    "console.error('said aloud')": "console error: said aloud",
    "setTimeout(() => { throw new Error('not caught') })": "uncaught: not caught",
    "setTimeout(() => alert('boo'))": "a dialog: boo",
    "fetch('http://localhost:9/away').catch(() => {})": "CSP: connect-src refused",
    "void (location.href = 'http://localhost:9/away')": "a request to another origin",
    "fetch('/api/nothing')": "404 for ",
    "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=0>')": "CSP: script-src",
}


@pytest.mark.parametrize(("script", "told"), MISDEEDS.items(), ids=list(MISDEEDS.values()))
async def test_what_should_not_happen_is_noted(
    browser: Browser, demo: Product, script: str, told: str
) -> None:
    visits = Visits(browser)
    page = await visits(demo)
    await page.goto("/margins")
    await page.evaluate(script)
    async with asyncio.timeout(10):
        while not any(told in problem for problem in visits.problems):
            await page.wait_for_timeout(20)
    await visits.close()


async def test_a_page_on_which_all_is_well_has_no_problem(browser: Browser, demo: Product) -> None:
    visits = Visits(browser)
    await (await visits(demo)).goto("/margins")
    assert await visits.close() == []


async def test_what_a_test_provokes_may_be_tolerated(browser: Browser, demo: Product) -> None:
    visits = Visits(browser)
    page = await visits(demo, tolerated="said aloud")
    await page.goto("/margins")
    await page.evaluate("console.error('said aloud'); console.error('another')")
    assert await visits.close() == ["console error: another"]


async def test_axe_sees_a_field_without_a_label_small_targets_and_text_that_is_too_pale(
    page: Page, axe: Axe
) -> None:
    await page.goto("/margins")
    await page.evaluate(
        """() => {
          const pale = document.createElement("p");
          pale.style.color = "#cccccc";
          pale.style.backgroundColor = "#ffffff";
          pale.textContent = "hardly to be seen";
          const small = () => {
            const button = document.createElement("button");
            button.style.cssText = "width: 12px; height: 12px; min-height: 0; padding: 0";
            button.ariaLabel = "small";
            return button;
          };
          const together = document.createElement("div");
          together.append(small(), small());
          const main = document.querySelector("main");
          main.append(document.createElement("input"), pale, together);
        }"""
    )
    with pytest.raises(AssertionError) as found:
        await axe(page)
    assert "light: label:" in str(found.value)
    assert "light: target-size:" in str(found.value)
    assert "dark: color-contrast:" in str(found.value)


@pytest.mark.parametrize(
    ("required", "outcome"), [("", pytest.skip.Exception), ("required", pytest.fail.Exception)]
)
def test_without_chromium_tests_are_skipped_unless_they_are_required(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, required: str, outcome: type[BaseException]
) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("BROWSER_TESTS", required)
    with pytest.raises(outcome, match="apt-get install chromium"):
        chromium_path()
    monkeypatch.setenv("CHROMIUM", "/opt/chromium")
    assert chromium_path() == "/opt/chromium"
