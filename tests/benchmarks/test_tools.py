"""What the benchmarks measure with."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from pathlib import Path

import httpx
import msgspec
import pytest
from starlette.types import Receive, Scope, Send

from benchmarks.children import ask, server
from benchmarks.http_load import load, rendered
from benchmarks.loop_gaps import LoopGaps
from benchmarks.memory import forget_peak, peak_bytes, resident_bytes
from benchmarks.stripe_pages import CENTS, WINDOW
from benchmarks.stripe_pages import rendered as rendered_pages
from nullspend_margins.app.serving import listen, serving
from tests.outbound.receivers import Authority

_BLOCK_SECONDS = 0.05


async def test_a_blocked_loop_shows_as_its_longest_gap() -> None:
    async with LoopGaps() as gaps:
        await asyncio.sleep(0)
        time.sleep(_BLOCK_SECONDS)  # noqa: ASYNC251 - this is the block
    assert gaps.longest >= _BLOCK_SECONDS - 0.001
    assert gaps.quantile(0) <= gaps.quantile(0.999) <= gaps.longest


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be forgotten on Linux alone")
def test_a_peak_is_noticed_after_it_has_gone_and_can_be_forgotten() -> None:
    size = 50_000_000
    forget_peak()
    before = resident_bytes()
    held = bytearray(b"x") * size
    del held
    assert peak_bytes() - before >= size * 0.9
    forget_peak()
    assert peak_bytes() - before < size * 0.1


def test_the_pages_hold_each_invoice_once_in_its_month_newest_first() -> None:
    pages = rendered_pages(850).bodies
    seen: list[str] = []
    for period in WINDOW.periods:
        first, after, more = int(period.start.timestamp()), None, True
        while more:
            page = json.loads(pages[first, after])
            created = [invoice["created"] for invoice in page["data"]]
            assert created == sorted(created, reverse=True)
            assert first <= created[-1] <= created[0] < period.end.timestamp()
            assert {invoice["amount_paid"] for invoice in page["data"]} == {CENTS}
            seen += [invoice["id"] for invoice in page["data"]]
            after, more = seen[-1], page["has_more"]
    assert len(seen) == len(set(seen)) == 850
    assert sum(map(len, pages.values())) / 850 == pytest.approx(5_500, rel=0.1)


async def test_a_server_ends_when_its_parent_is_done_with_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.server("127.0.0.1")
    certificate = str(tmp_path / "server.pem")
    with server("benchmarks.stripe_pages", invoices=4, certificate=certificate) as its:
        urls = [httpx.URL(its[name]) for name in ("url", "plain")]
        assert [url.scheme for url in urls] == ["https", "http"]
        for url in urls:
            async with httpx.AsyncClient(verify=authority.trusted()) as client:
                answer = await client.get(url.join("/v1/customers"))
            assert answer.json()["data"] == []
        assert (its["pages"], its["bytes"]) == (4, pytest.approx(22_000, rel=0.1))
    for url in urls:
        assert url.port is not None
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", url.port))


def test_a_child_that_fails_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="ended with status"):
        ask("benchmarks.sync_side", side="nobody's")
    broken = server("benchmarks.stripe_pages", invoices="many")
    with pytest.raises(RuntimeError, match="ended before it was ready"), broken:
        pass


async def test_the_load_sends_every_request_once_over_kept_connections() -> None:
    bodies: list[bytes] = []
    connections = set()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        connections.add(scope["client"])
        bodies.append((await receive())["body"])
        body = msgspec.json.encode({"id": "x" * len(bodies)})
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": body[:4], "more_body": True})
        await send({"type": "http.response.body", "body": body[4:]})

    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    sent = [rendered("/", "key", str(number).encode()) for number in range(20)]
    async with serving(app, listener):
        assert await load(port, sent, 3) > 0
    assert sorted(map(int, bodies)) == list(range(20))
    assert len(connections) == 3


async def test_an_answer_that_is_no_success_ends_the_load() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 500, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    listener = listen("127.0.0.1", 0)
    async with serving(app, listener):
        with pytest.raises(RuntimeError, match="no success"):
            await load(listener.getsockname()[1], [rendered("/", "", b"")], 1)
