"""Pages in a real Chromium.

Tests are ``async`` and await Playwright's own async API. All of them share one event loop, which
also serves the products. ``demo`` belongs to all tests, ``fresh_demo`` to one, which may change
what is in it. ``page`` is an admin's; ``visit`` opens pages for anybody else. Whatever goes wrong
on a page that no assertion looks at (an error in the console, something the content security
policy refused, a request to elsewhere) fails the test at its end.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio
from filelock import FileLock
from playwright.async_api import Browser, Page

from tests.browser.axe import assert_accessible
from tests.browser.chromium import running_chromium
from tests.browser.products import Product, running_product, seed
from tests.browser.visits import Visits

HERE = Path(__file__).parent

shared = pytest_asyncio.fixture(scope="session", loop_scope="session")
for_one_test = pytest_asyncio.fixture(loop_scope="session")

Axe = Callable[[Page], Awaitable[None]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser outlives a test, and so must its event loop."""
    for item in items:
        if item.path.is_relative_to(HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@shared
async def browser() -> AsyncIterator[Browser]:
    """The Chromium of this worker."""
    async with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def company_database(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Path:
    """The sample company's data in an SQLite file, to be copied. Made once for all workers."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    made = folder / "company.db"
    with FileLock(folder / "company.lock"):
        if not made.exists():
            being_made = folder / "company-being-made.db"
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, seed(being_made)).result()
            being_made.rename(made)
    return made


@shared
async def demo(
    company_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """The sample company, for looking at: what is in it stays as it is."""
    database = tmp_path_factory.mktemp("demo") / "demo.db"
    shutil.copy(company_database, database)
    async with running_product(database) as product:
        yield product


@for_one_test
async def fresh_demo(company_database: Path, tmp_path: Path) -> AsyncIterator[Product]:
    """A sample company of this test's own."""
    database = tmp_path / "demo.db"
    shutil.copy(company_database, database)
    async with running_product(database) as product:
        yield product


@for_one_test
async def visit(browser: Browser) -> AsyncIterator[Visits]:
    """``await visit(demo, role="viewer")``: a page for whoever is not ``page``'s admin."""
    visits = Visits(browser)
    yield visits
    problems = await visits.close()
    assert not problems, "\n".join(problems)


@for_one_test
async def page(visit: Visits, demo: Product) -> Page:
    """An admin's page, to ``goto("/margins")``."""
    return await visit(demo)


@for_one_test
async def page_without_scripts(visit: Visits, demo: Product) -> Page:
    """The same in a browser that runs no JavaScript."""
    return await visit(demo, javascript=False)


@pytest.fixture
def axe() -> Axe:
    """``await axe(page)``: the page as it is now has no violation, light and dark."""
    return assert_accessible
