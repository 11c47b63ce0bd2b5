"""Follows the links of pages, as a patient visitor would."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import Page

Look = Callable[[Page], Awaitable[None]]

_LINKS = """() => [...document.querySelectorAll("a[href]")]
  .filter((each) => each.origin === location.origin).map((each) => each.href.split("#")[0])"""


async def walk(
    page: Page, start: str, *, look: Look | None = None, most: int = 120
) -> dict[str, int]:
    """Open ``start`` and what it leads to, at most ``most`` addresses: each with its status.

    ``look`` is called on each page. What the API answers, and files, are asked for and not shown.
    """
    seen: dict[str, int] = {}
    todo = [start]
    while todo and len(seen) < most:
        address = todo.pop(0)
        if address in seen:
            continue
        if "/api/" in address or ".csv" in address:
            seen[address] = (await page.request.get(address)).status
            continue
        answer = await page.goto(address)
        assert answer is not None
        seen[address] = answer.status
        if look is not None:
            await look(page)
        todo += await page.evaluate(_LINKS)
    return seen
