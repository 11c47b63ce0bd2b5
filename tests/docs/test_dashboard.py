"""What docs/dashboard.md shows and lists is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jinja2.defaults import DEFAULT_NAMESPACE

from nullspend_margins import hookimpl
from nullspend_margins.config.dashboard import THEME_VARIABLES
from tests.docs.pages import DOCS, ROOT, read, sections
from tests.docs.sandbox import ANY_LOGO, settings
from tests.docs.taken import taken
from tests.world import World, world

PAGE = "dashboard.md"
FOOT, BADGE = taken("jinja", page=PAGE)
TABLES = {
    text: taken("toml", page=PAGE, having=text)[0]
    for text in ("login_url", "enabled = false", "[dashboard.theme]", "frame_ancestors")
}
"""What is in a block, and the block."""


class Pages:
    """The plugin of a host with templates of its own."""

    def __init__(self, folder: Path, **templates: str) -> None:
        self._folder = folder / "pages"
        self._folder.mkdir()
        for name, text in templates.items():
            (self._folder / f"{name}.html").write_text(text, "utf-8")

    @hookimpl
    def register_templates(self) -> list[Path]:
        return [self._folder]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The sections of the TOML example that has ``text`` in it."""
    return settings(TABLES[text], folder, monkeypatch)


def listed(heading: str) -> set[str]:
    """What the tables of a section have in code in their first column."""
    lines = sections(DOCS / PAGE)[heading].splitlines()
    first = [line.split("|")[1] for line in lines if line.startswith("|")]
    return {code for cell in first for code in re.findall(r"`([^`]+)`", cell)}


async def page_of(here: World, path: str = "/margins") -> str:
    answer = await here.call("GET", path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_the_pages_are_moved_named_and_lead_to_the_sign_in(
    sqlite_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(sqlite_url, **shown("login_url", folder, monkeypatch)) as here:
        assert "Acme margins" in await page_of(here, "/finance")
        signed_out = await here.http.get("/finance")
    assert signed_out.status_code == 401
    assert 'href="/login?next=%2Ffinance"' in signed_out.text


async def test_switched_off_they_are_not_found(
    sqlite_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(sqlite_url, **shown("enabled = false", folder, monkeypatch)) as here:
        assert (await here.call("GET", "/margins")).status_code == 404


async def test_colours_and_logo_are_the_hosts(
    sqlite_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sections = shown("[dashboard.theme]", folder, monkeypatch)
    async with world(sqlite_url, **sections) as here:
        page = await page_of(here)
        [logo] = re.findall(r'src="(/margins/assets/logo[^"]+)"', page)
        [theme] = re.findall(r'href="(/margins/assets/theme[^"]+)"', page)
        assert (await here.http.get(logo)).text == ANY_LOGO
        css = (await here.http.get(theme)).text
    light, dark = css.split("@media", 1)
    assert "--accent:#7c2d92;" in light
    assert "--font:'Inter', sans-serif;" in light
    assert "--accent:#e3a8f5;" in dark


async def test_the_named_origins_may_frame_the_pages(
    sqlite_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(sqlite_url, **shown("frame_ancestors", folder, monkeypatch)) as here:
        headers = (await here.call("GET", "/margins")).headers
    assert "frame-ancestors 'self' https://admin.example.com" in headers["content-security-policy"]
    assert "x-frame-options" not in headers


async def test_the_template_adds_to_the_foot_of_every_page(sqlite_url: str, folder: Path) -> None:
    async with world(sqlite_url, plugins=[Pages(folder, base=FOOT.text)]) as here:
        for path in ("/margins", "/margins/matching", "/margins/connect"):
            page = await page_of(here, path)
            assert "Ask finance, extension 42." in page
            assert "<nav" in page


async def test_one_macro_is_changed_and_the_others_are_kept(sqlite_url: str, folder: Path) -> None:
    shown = '{% from "parts.html" import badge %}{{ badge("at_risk") }}'
    page = shown + '{% include "default/plan.html" %}'
    pages = Pages(folder, parts=BADGE.text, plan=page)
    async with world(sqlite_url, plugins=[pages]) as here:
        for path in ("/margins", "/margins/matching", "/margins/connect/stripe"):
            await page_of(here, path)
        plan = await here.call("GET", "/margins", org="org_free")
    assert plan.text.startswith('<span class="badge" data-tier="at_risk">AT RISK</span><!doctype')


async def test_every_variable_of_templates_is_listed_and_no_other(
    sqlite_url: str, folder: Path
) -> None:
    spy = "{{ self._TemplateReference__context.parent | join(' ') }}"
    async with world(sqlite_url, plugins=[Pages(folder, failed=spy, signed_out=spy)]) as here:
        failed = await here.call("GET", "/margins", params={"period": "never"})
        signed_out = await here.http.get("/margins")
    told = {re.split(r"[.(]", code)[0] for code in listed("Your own templates")}
    common = set(failed.text.split()) & set(signed_out.text.split())
    assert common - DEFAULT_NAMESPACE.keys() == told


def test_every_block_and_every_variable_of_a_theme_is_listed() -> None:
    base = (ROOT / "nullspend_margins/dashboard/templates/base.html").read_text("utf-8")
    named = re.search(r"`base.html` has the blocks ([^;]+);", read(DOCS / PAGE))
    assert named is not None
    assert re.findall(r"{% block (\w+) %}", base) == re.findall(r"`(\w+)`", named[1])
    assert listed("Your colours and logo") == set(THEME_VARIABLES)
