"""Templates of a plugin's take the place of ours, and mistakes in them stop the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from nullspend_margins import Margins, hookimpl
from nullspend_margins.errors import ConfigurationError, PluginError
from tests.world import config, world

LABEL = "plugin Pages (given by the host), register_templates"


class Pages:
    """A plugin with folders of templates."""

    def __init__(self, *folders: object) -> None:
        self._folders = folders

    @hookimpl
    def register_templates(self) -> list[object]:
        return list(self._folders)


class OtherPages(Pages):
    """Another one."""


def folder(path: Path, **templates: str) -> Path:
    path.mkdir(parents=True)
    for name, text in templates.items():
        (path / f"{name}.html").write_text(text, "utf-8")
    return path


def refusal(*folders: object) -> str:
    with pytest.raises(PluginError) as caught:
        Margins(config("sqlite:///never-made.db", "http://127.0.0.1:9"), plugins=[Pages(*folders)])
    return caught.value.message


async def test_a_template_takes_the_place_of_ours_and_builds_upon_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    mine = folder(
        tmp_path / "mine",
        base='{% extends "default/base.html" %}{% block foot %}Call Ada, {{ product_name }}'
        "{% include 'parts/small.html' %}{% include '_own.html' %}{% endblock %}",
        _own=" Own part.",
    )
    folder(mine / "parts", small=" Small print.")
    async with world(sqlite_url, plugins=[Pages(mine)]) as here:
        page = await here.call("GET", "/margins")
    assert page.status_code == 200
    assert "Call Ada, Margins Small print. Own part." in page.text
    assert "<h1>Margins</h1>" in page.text
    assert "Months are calendar months" not in page.text


async def test_the_folder_of_the_plugin_that_is_asked_first_wins(
    sqlite_url: str, tmp_path: Path
) -> None:
    first = folder(tmp_path / "first", matching="The first's.")
    second = folder(tmp_path / "second", matching="The second's.", connect="The second's own.")
    async with world(sqlite_url, plugins=[Pages(first, str(second))]) as here:
        assert (await here.call("GET", "/margins/matching")).text == "The first's."
        assert (await here.call("GET", "/margins/connect")).text == "The second's own."
        assert next(each.provides for each in here.margins.registry.loaded) == (
            "template folder first",
            "template folder second",
        )


async def test_what_a_template_shows_is_escaped_and_an_unknown_name_is_an_error(
    sqlite_url: str, tmp_path: Path
) -> None:
    mine = folder(
        tmp_path / "mine",
        matching="{{ '<b>' + principal.user_id }}",
        connect="{{ principle.user_id }}",
    )
    async with world(sqlite_url, plugins=[Pages(mine)]) as here:
        assert (await here.call("GET", "/margins/matching")).text == "&lt;b&gt;u1"
        failed = await here.call("GET", "/margins/connect")
    assert failed.status_code == 500
    assert "Something went wrong" in failed.text
    assert "principle" not in failed.text


async def test_a_frame_of_pages_that_fails_is_told_of_on_a_page_of_ours(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mine = folder(tmp_path / "mine", base="{{ nothing_of_this_name }}")
    async with world(sqlite_url, plugins=[Pages(mine)]) as here:
        failed = await here.call("GET", "/margins")
    assert failed.status_code == 500
    assert "<h1>Something went wrong</h1>" in failed.text
    assert "default-src 'none'" in failed.headers["content-security-policy"]
    assert "the page that says so failed too" in caplog.text
    assert "nothing_of_this_name" in caplog.text


def test_every_mistake_stops_the_start_by_plugin_and_hook(tmp_path: Path) -> None:
    mine = folder(
        tmp_path / "mine",
        margin="a name that is nearly one",
        matching="first line\n{% if %}",
    )
    folder(mine / "default", base="")
    first, second, third = refusal(mine).splitlines()
    assert first == (
        f"{LABEL}: {mine}/default: default/ stands for the product's own templates; rename it"
    )
    assert second == (
        f"{LABEL}: {mine}/margin.html: there is no template of this name to take the place of. "
        "Did you mean margins.html?"
    )
    assert third.startswith(f"{LABEL}: {mine}/matching.html: line 2: Expected an expression")


@pytest.mark.parametrize(
    ("template", "text", "told"),
    [
        ("plan", "{{ 1|monye }}", "there is no filter monye."),
        ("plan", "{{ 1|uper }}", "there is no filter uper. Did you mean upper?"),
        ("plan", "{% if now %}{{ now|uper }}{% endif %}", "there is no filter uper. Did you mean"),
        ("plan", "{% if now is evn %}{% endif %}", "there is no test evn. Did you mean even?"),
        ("plan", '{% include "_mine.html" %}', "there is no template _mine.html."),
        ("plan", '{% extends "defualt/plan.html" %}', "Did you mean default/plan.html?"),
        (
            "base",
            '{% extends "base.html" %}',
            "base.html is this template itself. Did you mean default/base.html?",
        ),
        (
            "plan",
            '{% from "parts.html" import bagde with context %}',
            "parts.html has no bagde to import. Did you mean badge?",
        ),
        (
            "plan",
            '{% import "parts.html" as parts with context %}{{ parts.bagde("healthy") }}',
            "parts.html has no bagde to import. Did you mean badge?",
        ),
        (
            "plan",
            '{% extends "default/plan.html" %}{% block fot %}{% endblock %}',
            "default/plan.html has no block fot to show this in. Did you mean foot?",
        ),
        (
            "parts",
            '{% extends "default/parts.html" %}{% macro badge(tier) %}{{ tier }}{% endmacro %}',
            "default/parts.html has a macro badge too, which wins over this one.",
        ),
        ("plan", "{% block a %}{% endblock %}{% block a %}{% endblock %}", "block 'a' defined twi"),
    ],
)
def test_what_a_template_can_never_do_stops_the_start_by_file_and_line(
    tmp_path: Path, template: str, text: str, told: str
) -> None:
    mine = folder(tmp_path / "mine", **{template: f"{{# first line #}}\n{text}"})
    [found] = refusal(mine).splitlines()
    assert found.startswith(f"{LABEL}: {mine}/{template}.html: line 2: ")
    assert told in found


@pytest.mark.parametrize(
    "text",
    [
        '{% if "money" is filter %}{{ 1|money }}{% endif %}',
        '{% include "_mine.html" ignore missing %}',
        '{% include ["_mine.html", "default/plan.html"] %}',
        '{% extends kind ~ ".html" %}{% block anything %}{% endblock %}',
        '{% extends "default/plan.html" %}{% block own %}{% endblock %}{{ self.own() }}',
        '{% import "parts.html" as parts %}{% set parts = {"own": 1} %}{{ parts.own }}',
        "{{ what_only_the_page_knows }}",
    ],
)
def test_what_only_the_rendering_can_tell_is_left_to_it(tmp_path: Path, text: str) -> None:
    mine = folder(tmp_path / "mine", plan=text)
    Margins(config("sqlite:///never-made.db", "http://127.0.0.1:9"), plugins=[Pages(mine)])


def test_templates_may_build_upon_those_of_another_plugin(tmp_path: Path) -> None:
    first = folder(tmp_path / "first", plan='{% from "_second.html" import mine %}{{ mine() }}')
    second = folder(tmp_path / "second", _second="{% macro mine() %}{% endmacro %}")
    one, other = Pages(first), OtherPages(second)
    Margins(config("sqlite:///never-made.db", "http://127.0.0.1:9"), plugins=[one, other])


async def test_a_macro_of_ours_is_changed_and_the_others_are_kept_as_the_error_says(
    sqlite_url: str, tmp_path: Path
) -> None:
    badge = "{% macro badge(tier) %}!{{ tier }}!{% endmacro %}"
    told = refusal(folder(tmp_path / "wrong", parts=badge))
    assert told.startswith(f"{LABEL}: {tmp_path}/wrong/parts.html: has no notice_banner, ")
    assert "margins.html" in told
    kept = told.partition("To keep ours: ")[2]
    mine = folder(
        tmp_path / "mine",
        parts=kept + badge,
        plan='{% from "parts.html" import badge %}'
        '{{ badge("healthy") }}{% include "default/plan.html" %}',
    )
    async with world(sqlite_url, plugins=[Pages(mine)]) as here:
        assert (await here.call("GET", "/margins")).status_code == 200
        plan = await here.call("GET", "/margins", org="org_free")
    assert plan.text.startswith("!healthy!<!doctype html>")


def test_what_is_no_folder_is_refused_with_a_guess(tmp_path: Path) -> None:
    file = folder(tmp_path / "mine", base="") / "base.html"
    missing = tmp_path / "missing"
    for wrong, told in (
        (file, f"{file} is a file; return the folder that it is in"),
        (missing, f"{missing} does not exist; is it left out of the package?"),
        ("pages", "pages is not absolute; begin it with Path(__file__).parent"),
        (folder, "folder is no folder; return its path"),
        (None, "None is no folder; return paths, for example Path(__file__).parent / 'pages'"),
    ):
        assert refusal(wrong) == f"{LABEL}: {told}"


def test_a_folder_that_is_not_in_a_list_is_refused(tmp_path: Path) -> None:
    class One:
        @hookimpl
        def register_templates(self) -> Path:
            return tmp_path

    with pytest.raises(PluginError, match=r"returned a PosixPath, not a list; did you mean"):
        Margins(config("sqlite:///never-made.db", "http://127.0.0.1:9"), plugins=[One()])


def test_a_logo_that_cannot_be_read_stops_the_start_by_its_key(tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bytes(512 * 1024 + 1))
    for logo, told in (
        (tmp_path / "missing.svg", "missing.svg cannot be read: No such file or directory"),
        (large, "large.png is larger than 524288 bytes"),
    ):
        settings = {"dashboard": {"logo": str(logo)}}
        with pytest.raises(ConfigurationError, match=r"^dashboard.logo: ") as caught:
            Margins(config("sqlite:///never-made.db", "http://127.0.0.1:9", **settings))
        assert told in caught.value.message
