"""Every example of docs/mounting.md is run; Django's, which need a project, in a file beside."""

from __future__ import annotations

import logging
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import quart
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from tests.docs.hosts import USER, SignedIn, code_of, get
from tests.docs.pages import Block
from tests.docs.sandbox import module_of
from tests.docs.taken import taken
from tests.docs.terminal import Terminal

PAGE = "mounting.md"
[OPTION] = taken("text", page=PAGE)
SERVED_ALONE, WORKERS, BEHIND_A_PROXY = taken("sh", page=PAGE, having="uvicorn")
Check = Callable[[Any], Awaitable[None]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "margins.toml").write_text('[plans.orgs]\norg_1 = "pro"\n')
    return tmp_path


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A host may set up its whole process's logging, as Litestar does: not that of other tests."""
    root = logging.getLogger()
    level, handlers = root.level, [*root.handlers]
    yield
    root.setLevel(level)
    for handler in [each for each in root.handlers if each not in handlers]:
        root.removeHandler(handler)


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


async def answering(app: Any) -> None:
    """The product answers on its paths, and the host on all others."""
    assert await code_of(app, "/api/margins") == "authentication_required"
    assert (await get(app, "/api/other")).text == "the host's own page"


async def wrapped(host: Any) -> None:
    """So it is with the middleware around the host."""
    await answering(host.app)
    await host.app.margins.close()


async def added(host: Any) -> None:
    """So it is with a middleware of the host's own."""

    @host.app.get("/api/other", response_class=PlainTextResponse)
    async def other() -> str:
        return "the host's own page"

    await answering(host.app)
    [its_own] = host.app.user_middleware
    await its_own.kwargs["margins"].close()


async def wrapped_inside_of_quart(host: Any) -> None:
    """The product starts with the host, which stays what it is."""

    @host.app.get("/api/other")
    async def other() -> str:
        return "the host's own page"

    async with host.app.test_app():  # with its lifespan
        assert is_started()
        await wrapped(SimpleNamespace(app=host.app.asgi_app))


async def by_a_header(host: Any) -> None:
    """Whoever the proxy names is signed in, in the role of the table or as a viewer."""
    async with host.margins.lifespan():
        assert await code_of(host.app, "/api/margins") == "authentication_required"
        for user, status in (("ada@example.com", 200), ("eve@example.com", 403)):
            name = {"X-Auth-Request-Email": user}
            assert (await get(host.app, "/api/margins", headers=name)).status_code == 200
            upload = await get(host.app, "/margins/matching/upload", headers=name)
            assert upload.status_code == status


async def with_a_session(host: Any) -> None:
    """Whoever is signed in with the host's session middleware is signed in here."""
    await signed_in_by_a_session(host.app, host.app, host.margins, "/billing/api/margins")


async def with_a_session_around(host: Any) -> None:
    """So it is with the session middleware around host and product."""
    await signed_in_by_a_session(host.app, host.host, host.product.margins, "/api/margins")


async def signed_in_by_a_session(app: Any, host: FastAPI, margins: Any, path: str) -> None:
    person = {"org_id": "org_1", "user_id": 7, "role": "viewer"}

    async def sign_in(request: Request) -> None:
        request.session.update(person)

    host.add_api_route("/sign-in", sign_in)
    async with margins.lifespan():
        assert (await get(app, path)).status_code == 401
        cookies = (await get(app, "/sign-in")).cookies
        header = {"Cookie": f"session={cookies['session']}"}
        assert (await get(app, path, headers=header)).status_code == 200


async def with_a_function(host: Any) -> None:
    """Whoever the function finds is signed in."""
    async with host.margins.lifespan():
        assert (await get(host.margins.app, "/api/margins")).status_code == 401
        app = SignedIn(host.margins.app, USER)
        assert (await get(app, "/api/margins")).status_code == 200


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


DJANGOS = taken("python", page=PAGE, having="get_asgi_application")
HOSTS = [each for each in taken("python", page=PAGE) if each not in DJANGOS]
CHECKS: Sequence[Check] = (
    mounted,  # FastAPI
    mounted,  # FastAPI with a lifespan of its own
    mounted,  # Starlette
    wrapped,  # any
    added,
    wrapped_inside_of_quart,
    wrapped,  # Litestar
    by_a_header,
    with_a_session,
    with_a_session_around,
    with_a_function,
    with_quarts_session,
)
"""What must be true of each example, in the order of the page."""


@pytest.mark.parametrize(
    ("block", "check"), [*zip(HOSTS, CHECKS, strict=True)], ids=[each.label for each in HOSTS]
)
async def test_every_host_shown_does_what_the_page_says(
    block: Block, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    await check(module_of(block, "host", monkeypatch))


async def test_a_server_that_adds_a_middleware_by_its_name_serves_the_product(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NULLSPEND_MARGINS_CONFIG", str(folder / "margins.toml"))
    module, _, name = OPTION.text.split()[1].rpartition(".")
    app = FastAPI()  # what vLLM does with the option's value
    app.add_middleware(getattr(import_module(module), name))
    assert await code_of(app, "/api/margins") == "authentication_required"
    assert (await get(app, "/api/other")).json() == {"detail": "Not Found"}


@contextmanager
def running(command: Block, module: str, text: str) -> Iterator[httpx.Client]:
    """The command of the page on a free port, with the example as the module that it names."""
    Path(f"{module}.py").write_text(text)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    here = Path.cwd()
    with Terminal(here, here) as terminal:
        assert f"uvicorn {module}:app" in command.text
        terminal.start(command.text.replace("8000", port), "Application startup complete.")
        # uvicorn says so before it listens.
        patient = httpx.HTTPTransport(retries=5)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=patient) as client:
            yield client
        terminal.interrupt()


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_several_workers_serve_the_first_example() -> None:
    with running(WORKERS, "host", HOSTS[0].text) as client:
        assert client.get("/billing/api/margins").status_code == 401


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_product_is_served_alone() -> None:
    with running(SERVED_ALONE, "alone", HOSTS[CHECKS.index(by_a_header)].text) as client:
        assert client.get("/api/margins").status_code == 401
        name = {"X-Auth-Request-Email": "ada@example.com"}
        assert client.get("/api/margins", headers=name).status_code == 200


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_the_server_is_told_of_the_path_that_the_proxy_takes_away() -> None:
    with running(BEHIND_A_PROXY, "host", HOSTS[CHECKS.index(wrapped)].text) as client:
        document = client.get("/api/openapi.json").json()
        assert [each["url"] for each in document["servers"]] == ["/billing"]
        assert client.get("/api/other").text == "the host's own page"
