"""What is the host's stays the host's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, MutableMapping
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from nullspend_margins import Margins, MarginsMiddleware
from tests.hosts.hosts import MOUNTED, WRAPPED
from tests.hosts.server import hosted

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of httpx, which this client wants
    from starlette.testclient import TestClient

pytestmark = pytest.mark.filterwarnings("ignore:.*httpx.*")
EVERY_FORM = pytest.mark.parametrize("form", [*MOUNTED, *WRAPPED], ids=lambda form: form.__name__)
Form = Callable[[Margins], ASGIApp]


@EVERY_FORM
async def test_bodies_and_streams_of_the_host_pass_unchanged(margins: Margins, form: Form) -> None:
    body = bytes(range(256)) * 20_000
    async with hosted(form(margins)) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.post("/api/echo", content=body)).content == body
        streamed = await client.get("/api/stream")
        assert streamed.text == "part 0\npart 1\npart 2\n"
        assert streamed.headers["transfer-encoding"] == "chunked"
        assert (await client.get("/api/nothing")).text in {"Not Found", '{"detail":"Not Found"}'}
        assert (await client.get("/api/echo")).status_code == 405
    await margins.close()


@EVERY_FORM
def test_websockets_and_lifespan_state_are_the_hosts(margins: Margins, form: Form) -> None:
    with TestClient(form(margins)) as client:
        with client.websocket_connect("/api/talk") as talk:
            talk.send_text("you")
            assert talk.receive_text() == "heard you"
        assert client.get("/api/state").json() == {"greeting": "hello"}


@EVERY_FORM
async def test_the_hosts_exceptions_pass_unchanged(margins: Margins, form: Form) -> None:
    app = form(margins)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://host.example") as client:
        with pytest.raises(LookupError, match="the host's own mistake"):
            await client.get("/api/fail")
    await margins.close()


@pytest.mark.parametrize("path", ["/", "/api", "/api/margin", "/api/stripe", "/docs", "/api/other"])
@pytest.mark.parametrize("kind", ["http", "websocket", "something-new"])
async def test_the_host_gets_the_very_scope_and_channels(
    margins: Margins, kind: str, path: str
) -> None:
    seen: list[object] = []

    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([scope, receive, send])

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("nobody but the host may read this")

    async def send(message: MutableMapping[str, Any]) -> None:
        raise AssertionError("nobody but the host may answer this")

    scope = {"type": kind, "method": "GET", "path": path, "headers": [], "query_string": b""}
    before = dict(scope)
    await MarginsMiddleware(host, margins)(scope, receive, send)
    assert len(seen) == 3
    assert seen[0] is scope
    assert seen[1:] == [receive, send]
    assert scope == before


async def test_a_path_of_the_product_is_the_products_whatever_the_method(margins: Margins) -> None:
    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("not the host's")

    transport = httpx.ASGITransport(MarginsMiddleware(host, margins))
    async with httpx.AsyncClient(transport=transport, base_url="http://host.example") as client:
        for method in ("PATCH", "OPTIONS", "DELETE"):
            answer = await client.request(method, "/api/margins")
            assert answer.status_code == 405
            assert answer.json()["error"]["code"] == "method_not_allowed"


async def test_below_a_mount_every_path_is_the_products(margins: Margins) -> None:
    async with hosted(MOUNTED[0](margins)) as url, httpx.AsyncClient() as client:
        for path in ("/billing/api/other", "/billing/", "/billing/api/margins/"):
            answer = await client.get(f"{url}{path}", headers={"Cookie": "host_session=x"})
            assert answer.json()["error"]["code"] in {"not_found", "authentication_required"}, path


async def test_a_websocket_below_a_mount_is_closed_politely(margins: Margins) -> None:
    sent: list[Any] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    scope = {"type": "websocket", "path": "/api/margins", "headers": [], "query_string": b""}
    await margins.app(scope, receive, send)
    assert sent == ["websocket.close"]


@EVERY_FORM
def test_a_test_client_without_a_with_block_works(margins: Margins, form: Form) -> None:
    """Each request then has an event loop of its own."""
    client = TestClient(form(margins), headers={"Cookie": "host_session=session-of-admin"})
    base = "/billing" if form in MOUNTED else ""
    body = {"stripeCustomerId": "cus_1", "tagValue": "acme"}
    assert client.post(f"{base}/api/customer-mappings", json=body).status_code == 201
    for _ in range(3):
        listed = client.get(f"{base}/api/customer-mappings").json()["data"]
        assert [each["tagValue"] for each in listed] == ["acme"]
    assert client.get("/api/other").json()["page"] == "the host's own"
