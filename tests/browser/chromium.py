"""The real Chromium that pages are opened in: Debian's, or the one that ``CHROMIUM`` names."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

_ARGUMENTS = (
    "--no-sandbox",  # containers of CI run as root
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def chromium_path() -> str:
    """The program. Skips the test where there is none; with ``BROWSER_TESTS=required`` it fails."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is not None:
        return path
    reason = "no Chromium here: apt-get install chromium, or name its program in CHROMIUM"
    if os.environ.get("BROWSER_TESTS") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@asynccontextmanager
async def running_chromium() -> AsyncIterator[Browser]:
    """One browser, which reaches this machine alone."""
    path = chromium_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield browser
        await browser.close()
