"""The demo as somebody meets it: the command, its link, a browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.visits import Watch
from tests.cli.conftest import COMMAND


@pytest_asyncio.fixture(loop_scope="session")
async def link(browser: object, tmp_path: Path) -> AsyncIterator[str]:
    """The link that a fresh demo prints."""
    running = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("demo", "--port", "0", "--no-browser"),
        stdout=asyncio.subprocess.PIPE,
        env={"TMPDIR": str(tmp_path), "PATH": ""},
    )
    assert running.stdout is not None
    try:
        async for line in running.stdout:
            if found := re.search(r"http://\S+/demo/sign-in\S+", line.decode()):
                yield found[0]
                break
    finally:
        running.terminate()
        await running.communicate()


async def test_its_link_opens_the_pages_signed_in(browser: Browser, link: str) -> None:
    origin = link.partition("/demo/")[0]
    context = await browser.new_context(locale="en-US")
    watch = Watch(origin)
    watch.over(context)
    page = await context.new_page()
    await page.goto(link)
    heading = page.get_by_role("heading", level=1)
    await expect(heading).to_have_text("Margins")
    assert "token" not in page.url
    await page.get_by_role("link", name="Gringotts Chatbot").first.click()
    await expect(heading).to_contain_text("Gringotts Chatbot")
    for name in ("Matching", "Connect"):
        await page.get_by_role("navigation").get_by_role("link", name=name).click()
        await expect(heading).to_have_text(name)
    await context.close()
    assert watch.problems == []


async def test_without_the_link_its_pages_say_where_to_find_it(browser: Browser, link: str) -> None:
    context = await browser.new_context(base_url=link.partition("/demo/")[0])
    page = await context.new_page()
    await page.goto("/margins")
    await page.get_by_role("link", name="Sign in").click()
    await expect(page.get_by_text("Sign in with the link in the terminal.")).to_be_visible()
    await page.get_by_role("link", name="pages").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    await context.close()
