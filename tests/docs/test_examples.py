"""The examples in the README and the docs are run."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
import pytest
from starlette.requests import Request

from nullspend_margins import Margins, MarginsMiddleware, hookimpl
from nullspend_margins.web.routes import ROUTES
from nullspend_margins.web.wire.errors import ErrorEnvelope
from tests.docs.pages import DOCS, Block, blocks, sections
from tests.docs.sandbox import module_of, plugin_modules, settings

USER = SimpleNamespace(org_id="org_1", id="ada", role="viewer", is_suspended=False)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the README's configuration."""
    monkeypatch.chdir(tmp_path)
    [block] = blocks("toml", page="README.md")
    (tmp_path / "margins.toml").write_text(block.text)
    return tmp_path


class SignedIn:
    """The host's own middleware: it knows who is asking."""

    def __init__(self, app: Any, user: object) -> None:
        self._app, self._user = app, user

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "state": {"user": self._user}}, receive, send)


async def get(app: Any, path: str, **options: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://host.test") as client:
        return await client.get(path, **options)


async def test_the_readme_mounts_and_wraps_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    mount, wrap, *_ = blocks("python", page="README.md")
    mounted = module_of(mount, "mounted", monkeypatch)
    wrapped = module_of(wrap, "wrapped", monkeypatch, vars(mounted))
    async with mounted.app.router.lifespan_context(mounted.app):
        for app in (mounted.app, wrapped.app):
            assert (await get(app, "/billing/api/openapi.json")).status_code == 200
            assert (await get(app, "/billing/api/margins")).status_code == 401
        assert (await get(wrapped.app, "/api/margins")).status_code == 401
        assert (await get(wrapped.app, "/api/elsewhere")).json() == {"detail": "Not Found"}


async def test_the_readmes_session_and_plan_classes_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    *_, sessions, plans = blocks("python", page="README.md")
    billing = module_of(plans, "plans", monkeypatch)
    host = [module_of(sessions, "sessions", monkeypatch).MySessions(), billing.MyPlans()]
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


def _mounting(containing: str) -> Block:
    [block] = [each for each in blocks("python", page="mounting.md") if containing in each.text]
    return block


async def test_mounting_works_with_the_products_lifespan_and_with_the_hosts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for containing in ("FastAPI(lifespan=margins.lifespan)\napp.mount(", "margins.lifespan():"):
        found = [each for each in blocks("python", page="mounting.md") if containing in each.text]
        host = module_of(found[0], "host", monkeypatch)
        async with host.app.router.lifespan_context(host.app):
            answer = await get(host.app, "/billing/api/margins")
            assert answer.json()["error"]["code"] == "authentication_required"
            unknown = await get(host.app, "/billing/nothing")
            assert unknown.json()["error"]["code"] == "not_found"


async def test_a_wrapped_host_keeps_its_own_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped = module_of(_mounting("MarginsMiddleware(host"), "wrapped", monkeypatch).app
    assert (await get(wrapped, "/api/margins")).status_code == 401
    assert (await get(wrapped, "/api/other")).text == "the host's own page"
    await wrapped.margins.close()


async def test_a_session_of_the_hosts_middleware_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    host = module_of(_mounting("ScopeSessionAuthenticator("), "host", monkeypatch)
    person = {"org_id": "org_1", "user_id": 7, "role": "viewer"}

    async def sign_in(request: Request) -> None:
        request.session.update(person)

    host.app.add_api_route("/sign-in", sign_in)
    async with host.app.router.lifespan_context(host.app):
        cookies = (await get(host.app, "/sign-in")).cookies
        header = {"Cookie": f"session={cookies['session']}"}
        assert (await get(host.app, "/billing/api/margins", headers=header)).status_code == 200


async def test_a_function_of_the_host_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    margins = module_of(_mounting("CallableAuthenticator(who)"), "host", monkeypatch).margins
    async with margins.lifespan():
        assert (await get(margins.app, "/api/margins")).status_code == 401
        assert (await get(SignedIn(margins.app, USER), "/api/margins")).status_code == 200


async def test_a_middleware_added_by_its_class_reads_the_environments_configuration(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NULLSPEND_MARGINS_CONFIG", str(folder / "margins.toml"))
    app = MarginsMiddleware(SignedIn)  # type: ignore[arg-type]
    assert app.margins.config.plans.orgs == {"org_1": "pro"}


@pytest.mark.parametrize("block", blocks("toml"), ids=lambda block: block.label)
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
    "block", blocks("json", page="api.md"), ids=lambda block: f"line {block.line}"
)
def test_every_json_example_of_the_api_has_the_form_of_its_route(block: Block) -> None:
    example = json.loads(block.text)
    has_envelope = example.keys() == {"data"}
    inner = example["data"] if has_envelope else example
    assert any(
        _fits(inner, kind) for kind, wrapped in _kinds_near(block) if wrapped == has_envelope
    )


def _kinds_near(block: Block) -> list[tuple[Any, bool]]:
    """What the routes of the block's section take and give, and whether ``data`` is around it."""
    headings = [
        heading for heading, text in sections(DOCS / "api.md").items() if block.text in text
    ]
    found: list[tuple[Any, bool]] = [(ErrorEnvelope, False)] if "Errors" in headings else []
    for route in ROUTES:
        if f"`{route.method} {route.path.replace(':path}', '}')}`" in headings:
            found += [(route.request, False)] if route.request else []
            found += [(kind, reply.wrapped) for reply in route.replies for kind in reply.kinds]
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
