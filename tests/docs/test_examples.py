"""The examples in the README and the docs are run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from nullspend_margins import Margins, hookimpl
from nullspend_margins.web.routes import ROUTES
from nullspend_margins.web.wire.errors import ErrorEnvelope
from tests.docs.hosts import USER, SignedIn, get
from tests.docs.pages import DOCS, ROOT, Block, blocks, read, sections
from tests.docs.sandbox import module_of, plugin_modules, settings
from tests.docs.taken import taken

DEMO, TESTS, SITE = taken("sh", page="README.md")
MOUNT, WRAP, SESSIONS, PLANS = taken("python", page="README.md")
[README_TABLE] = taken("toml", page="README.md")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the README's configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "margins.toml").write_text(README_TABLE.text)
    return tmp_path


def test_the_commands_of_the_readme_are_run_by_what_every_change_must_pass() -> None:
    script = read(ROOT / ".ci/run")
    run = {int(number) for number in re.findall(r"\$\(readme_command (\d)\)", script)}
    commands = [DEMO, TESTS, SITE]
    assert run == {*range(1, 1 + len(commands))}
    for command, has in zip(commands, ("demo", ".[test]", "sphinx-build"), strict=True):
        assert has in command.text


async def test_the_readme_mounts_and_wraps_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = module_of(MOUNT, "mounted", monkeypatch)
    wrapped = module_of(WRAP, "wrapped", monkeypatch, vars(mounted))
    async with mounted.app.router.lifespan_context(mounted.app):
        for app in (mounted.app, wrapped.app):
            assert (await get(app, "/billing/api/openapi.json")).status_code == 200
            assert (await get(app, "/billing/api/margins")).status_code == 401
        assert (await get(wrapped.app, "/api/margins")).status_code == 401
        assert (await get(wrapped.app, "/api/elsewhere")).json() == {"detail": "Not Found"}


async def test_the_readmes_session_and_plan_classes_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    billing = module_of(PLANS, "plans", monkeypatch)
    host = [module_of(SESSIONS, "sessions", monkeypatch).MySessions(), billing.MyPlans()]
    margins = Margins({}, plugins=host)
    async with margins.lifespan():
        assert (await get(margins.app, "/api/margins")).status_code == 401
        app = SignedIn(margins.app, USER)
        assert (await get(app, "/api/margins")).status_code == 200
        billing.PLANS["org_1"] = "free"
        assert (await get(app, "/api/margins")).json()["error"]["code"] == "forbidden"
        suspended = SignedIn(margins.app, SimpleNamespace(is_suspended=True))
        refused = (await get(suspended, "/api/margins")).json()["error"]
        assert refused["message"] == "This account is suspended."


@pytest.mark.parametrize("block", taken("toml"), ids=lambda block: block.label)
def test_every_toml_example_is_a_good_configuration(
    block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table: dict[str, Any] = settings(block, folder, monkeypatch)
    if "project" in table:
        assert table["project"]["entry-points"]["nullspend_margins"]
        return
    shown = plugin_modules()
    host: list[object] = [
        module_of(shown[name], name, monkeypatch)
        for name in table.get("plugins", {})
        if name in shown
    ]
    Margins(table, plugins=[*host, _Acme()])


class _Acme:
    """The plugin that the example of an order speaks of."""

    plugin_name = "acme"

    @hookimpl
    def register_notifiers(self) -> list[object]:
        return []


@pytest.mark.parametrize("block", blocks("json"), ids=lambda block: block.label)
def test_every_json_example_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize(
    "block", taken("json", page="api.md"), ids=lambda block: f"line {block.line}"
)
def test_every_json_example_of_the_api_has_the_form_of_its_route(block: Block) -> None:
    example = json.loads(block.text)
    assert any(_fits(example, kind) for kind in _kinds_near(block))


def _kinds_near(block: Block) -> list[Any]:
    """What the routes of the block's section take and give."""
    headings = [
        heading for heading, text in sections(DOCS / "api.md").items() if block.text in text
    ]
    found: list[Any] = [ErrorEnvelope] if "Errors" in headings else []
    for route in ROUTES:
        if f"`{route.method} {route.template}`" in headings:
            found += [route.request] if route.request else []
            found += [kind for reply in route.replies for kind in reply.kinds]
    return found


def _fits(example: object, kind: Any) -> bool:
    """``example`` is read as ``kind`` and comes back with nothing lost."""
    try:
        read = msgspec.convert(example, kind)
    except msgspec.ValidationError:
        return False
    return _is_within(example, msgspec.to_builtins(read))


def _is_within(example: Any, whole: Any) -> bool:
    if isinstance(example, dict) and isinstance(whole, dict):
        return all(key in whole and _is_within(example[key], whole[key]) for key in example)
    if isinstance(example, list) and isinstance(whole, list | tuple):
        return len(example) == len(whole) and all(map(_is_within, example, whole))
    return bool(example == whole)
