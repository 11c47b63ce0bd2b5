"""The pages in hosts: below a mount point, in a frame, in the host's colours, switched off."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from nullspend_margins.app.serving import listen, serving
from tests.browser.conftest import Axe
from tests.browser.products import Product, running_product
from tests.browser.visits import Visits
from tests.browser.walking import walk

LOGO = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" width="40" height="40">
<rect width="10" height="10" fill="purple"/></svg>
"""


@pytest.fixture
def database(company_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(company_database, tmp_path / "m.db"))


async def test_every_link_leads_below_the_mount_the_prefix_and_the_path(
    database: Path, visit: Visits
) -> None:
    sections = {"server": {"prefix": "/product"}, "dashboard": {"path": "/money"}}
    async with running_product(database, mount="/billing", **sections) as product:
        page = await visit(product)
        start = product.url("/product/money")
        seen = await walk(page, start)
    assert len(seen) > 40
    assert set(seen.values()) == {200}
    assert all(address.startswith(product.url("/product/")) for address in seen)


@asynccontextmanager
async def framing_host(framed: Product) -> AsyncIterator[str]:
    """Another origin whose page has ours in a frame."""

    async def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(
            f"<!doctype html><title>An admin's page</title><iframe src={framed.url('/margins')}>"
        )

    async with serving(Starlette(routes=[Route("/", page)]), listen("127.0.0.1", 0)) as url:
        yield url


async def test_an_origin_that_is_named_may_frame_the_pages(database: Path, visit: Visits) -> None:
    listener = listen("127.0.0.1", 0)
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with running_product(database, dashboard={"frame_ancestors": [origin]}) as product:
        page = await visit(product, tolerated=re.escape(origin))

        async def host(_request: Request) -> HTMLResponse:
            return HTMLResponse(f"<!doctype html><iframe src={product.url('/margins')}>")

        async with serving(Starlette(routes=[Route("/", host)]), listener):
            await page.goto(origin)
            frame = page.frame_locator("iframe")
            await expect(frame.get_by_role("heading", level=1)).to_have_text("Margins")
            await expect(frame.get_by_role("row")).not_to_have_count(0)


async def test_any_other_origin_may_not(demo: Product, visit: Visits) -> None:
    async with framing_host(demo) as origin:
        page = await visit(demo, tolerated=f"{re.escape(origin)}|frame-ancestors|X-Frame-Options")
        await page.goto(origin)
        await page.wait_for_load_state("networkidle")
        assert "Margins" not in [await frame.title() for frame in page.frames]
        assert not any(frame.url.startswith(demo.origin) for frame in page.frames)


async def test_colours_logo_and_name_are_the_hosts(
    database: Path, tmp_path: Path, visit: Visits, axe: Axe
) -> None:
    (tmp_path / "logo.svg").write_text(LOGO)
    dashboard = {
        "name": "Acme money",
        "logo": str(tmp_path / "logo.svg"),
        "theme": {"accent": "#7c2d92", "radius": "3px"},
        "theme_dark": {"accent": "#e3a8f5", "accent-text": "#2c0736"},
    }
    async with running_product(database, dashboard=dashboard) as product:
        page = await visit(product)
        await page.goto("/margins")
        assert "Acme money" in await page.title()
        logo = page.locator(".brand img")
        assert await logo.evaluate("image => image.naturalWidth") == 40
        link = page.get_by_role("link", name="Oscorp Agents").first
        await expect(link).to_have_css("color", "rgb(124, 45, 146)")
        await expect(page.locator(".tile").first).to_have_css("border-radius", "3px")
        await page.emulate_media(color_scheme="dark")
        await expect(link).to_have_css("color", "rgb(227, 168, 245)")
        await axe(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_scheme_that_is_fixed_is_the_readers_too(
    database: Path, visit: Visits, scheme: str
) -> None:
    async with running_product(database, dashboard={"scheme": scheme}) as product:
        page = await visit(product, color_scheme="light" if scheme == "dark" else "dark")
        await page.goto("/margins")
        background = {"light": "rgb(245, 246, 248)", "dark": "rgb(15, 20, 26)"}[scheme]
        await expect(page.locator("html")).to_have_css("background-color", background)


async def test_switched_off_there_are_no_pages(database: Path, visit: Visits) -> None:
    async with running_product(database, dashboard={"enabled": False}) as product:
        page = await visit(product)
        for path in ("/margins", "/margins/matching", "/margins/assets/dashboard.css"):
            answer = await page.goto(product.url(path))
            assert answer is not None
            assert answer.status == 404


async def test_numbers_and_dates_are_written_as_the_reader_asks(
    demo: Product, visit: Visits
) -> None:
    page = await visit(demo, locale="de-DE")
    await page.goto("/margins")
    row = page.get_by_role("row").filter(has_text="Oscorp Agents")
    await expect(row).to_contain_text("129,00 $")
