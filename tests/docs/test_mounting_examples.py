"""Every example of docs/mounting.md is run."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import quart
from fastapi import FastAPI
from starlette.requests import Request

from tests.docs.hosts import USER, SignedIn, code_of, get
from tests.docs.pages import Block, blocks
from tests.docs.sandbox import module_of
from tests.docs.terminal import Terminal

PAGE = "mounting.md"
Check = Callable[[Any], Awaitable[None]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "margins.toml").write_text('[plans.orgs]\norg_1 = "pro"\n')
    return tmp_path


def is_started() -> bool:
    """The database is there."""
    return Path("margins.db").exists()


async def mounted(host: Any) -> None:
    """The product starts with the host, and answers below the mount point."""
    async with host.app.router.lifespan_context(host.app):
        assert is_started()
        assert await code_of(host.app, "/billing/api/margins") == "authentication_required"
        assert await code_of(host.app, "/billing/nothing") == "not_found"
        assert (await get(host.app, "/api/margins")).status_code == 404


async def wrapped(host: Any) -> None:
    """The product answers on its paths, and the host on all others."""
    assert await code_of(host.app, "/api/margins") == "authentication_required"
    assert (await get(host.app, "/api/other")).text == "the host's own page"
    await host.app.margins.close()


async def with_a_session(host: Any) -> None:
    """Whoever is signed in with the host's session middleware is signed in here."""
    person = {"org_id": "org_1", "user_id": 7, "role": "viewer"}

    async def sign_in(request: Request) -> None:
        request.session.update(person)

    host.app.add_api_route("/sign-in", sign_in)
    async with host.app.router.lifespan_context(host.app):
        cookies = (await get(host.app, "/sign-in")).cookies
        header = {"Cookie": f"session={cookies['session']}"}
        assert (await get(host.app, "/billing/api/margins", headers=header)).status_code == 200


async def with_a_function(host: Any) -> None:
    """Whoever the function finds is signed in."""
    async with host.margins.lifespan():
        assert (await get(host.margins.app, "/api/margins")).status_code == 401
        app = SignedIn(host.margins.app, USER)
        assert (await get(app, "/api/margins")).status_code == 200


async def wrapped_inside_of_quart(host: Any) -> None:
    """The product starts with the host, answers on its paths, and the host on all others."""

    @host.app.get("/api/other")
    async def other() -> str:
        return "the host's own page"

    async with host.app.test_app():  # with its lifespan
        assert is_started()
        await wrapped(SimpleNamespace(app=host.app.asgi_app))


async def with_quarts_session(host: Any) -> None:
    """Whoever is signed in with Quart's own session is signed in here."""

    async def sign_in(user: str) -> str:
        quart.session.update({"org": "org_1", "user": user} if user != "visitor" else {"seen": 1})
        return "welcome"

    host.app.add_url_rule("/sign-in/<user>", view_func=sign_in)
    async with host.margins.lifespan():
        ada = (await get(host.app, "/sign-in/ada")).cookies["session"]
        visitor = (await get(host.app, "/sign-in/visitor")).cookies["session"]
        for value, status in ((ada, 200), (ada[:-2], 401), (visitor, 401), ("", 401)):
            header = {"Cookie": f"session={value}"}
            answer = await get(host.app, "/api/margins", headers=header)
            assert answer.status_code == status


CHECKS: dict[str, Check] = {
    "FastAPI(lifespan=margins.lifespan)\napp.mount(": mounted,
    "FastAPI(lifespan=lifespan)": mounted,
    "Starlette(routes=": mounted,
    "MarginsMiddleware(host": wrapped,
    "ScopeSessionAuthenticator(": with_a_session,
    "app.secret_key =": with_quarts_session,
    "CallableAuthenticator(who)": with_a_function,
    "app.asgi_app = MarginsMiddleware": wrapped_inside_of_quart,
}
"""What is in a block, and what must be true of it."""


@pytest.mark.parametrize("block", blocks("python", page=PAGE), ids=lambda block: block.label)
async def test_every_host_shown_does_what_the_page_says(
    block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [check for text, check in CHECKS.items() if text in block.text]
    assert found, f"{block.label} has no check here"
    await found[0](module_of(block, "host", monkeypatch))


async def test_a_server_that_adds_a_middleware_by_its_name_serves_the_product(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NULLSPEND_MARGINS_CONFIG", str(folder / "margins.toml"))
    [option] = blocks("text", page=PAGE)
    module, _, name = option.text.split()[1].rpartition(".")
    app = FastAPI()  # what vLLM does with the option's value
    app.add_middleware(getattr(import_module(module), name))
    assert await code_of(app, "/api/margins") == "authentication_required"
    assert (await get(app, "/api/other")).json() == {"detail": "Not Found"}


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_several_workers_serve_the_first_example(folder: Path) -> None:
    [command] = blocks("sh", page=PAGE)
    (folder / "host.py").write_text(blocks("python", page=PAGE)[0].text)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    with Terminal(folder, folder) as terminal:
        terminal.start(command.text.replace("8000", port), "Application startup complete.")
        url = f"http://127.0.0.1:{port}/billing/api/margins"
        assert httpx.get(url, trust_env=False).status_code == 401
        terminal.interrupt()
