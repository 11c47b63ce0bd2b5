"""Signed out, on the wrong plan, without rights, broken: each says what to do."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import expect

from nullspend_margins import hookimpl
from tests.browser.conftest import Axe
from tests.browser.products import FREE_ORG, Product, running_product
from tests.browser.sights import VIEWED, Sight
from tests.browser.visits import Visits


async def test_whoever_is_signed_out_is_led_to_the_sign_in_and_back(
    company_database: Path, tmp_path: Path, visit: Visits, axe: Axe
) -> None:
    database = shutil.copy(company_database, tmp_path / "m.db")
    login = {"login_url": "/host?next={next}"}
    async with running_product(database, mount="/billing", dashboard=login) as product:
        page = await visit(product, role=None)
        wanted = product.url("/margins/customers/globex%2Feu-west?period=2026-10")
        await page.goto(wanted)
        await axe(page)
        link = await page.get_by_role("link", name="Sign in").get_attribute("href")
        assert link is not None
        [back] = parse_qs(urlsplit(link).query)["next"]
        name, value = product.session(role="viewer")
        await page.context.add_cookies([{"name": name, "value": value, "url": product.origin}])
        await page.goto(back)
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Globex Corporation")


async def test_the_free_plan_is_told_what_it_would_see_and_where_to_get_it(
    demo: Product, visit: Visits
) -> None:
    page = await visit(demo, org=FREE_ORG)
    answer = await page.goto("/margins/matching")
    assert answer is not None
    assert answer.status == 403
    upgrade = page.get_by_role("link", name="See the plans")
    assert await upgrade.get_attribute("href") == "https://host.example/upgrade"
    await expect(page.get_by_role("table")).to_have_count(0)


@pytest.mark.parametrize("sight", VIEWED, ids=str)
async def test_a_viewer_finds_no_form_that_changes_anything(
    demo: Product, visit: Visits, sight: Sight
) -> None:
    page = await visit(demo, role="viewer")
    await page.goto(demo.url(sight.path))
    await expect(page.locator("form[method=post]")).to_have_count(0)
    await expect(page.locator("[hx-post], [hx-put], [hx-delete]")).to_have_count(0)


class Broken:
    """A plugin whose page fails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "connect.html").write_text("{{ nothing_of_this_name }}")

    @hookimpl
    def register_templates(self) -> list[Path]:
        return [self._folder]


async def test_a_failure_is_a_page_with_a_way_back_and_without_a_word_of_the_cause(
    company_database: Path, tmp_path: Path, visit: Visits, axe: Axe
) -> None:
    database = shutil.copy(company_database, tmp_path / "m.db")
    (tmp_path / "pages").mkdir()
    async with running_product(database, plugins=[Broken(tmp_path / "pages")]) as product:
        page = await visit(product)
        answer = await page.goto("/margins/connect")
        assert answer is not None
        assert answer.status == 500
        await expect(page.get_by_role("heading", level=1)).to_have_text("Something went wrong")
        assert "nothing_of_this_name" not in await page.content()
        await axe(page)
        await page.get_by_role("link", name="Back to the margins").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Margins")
