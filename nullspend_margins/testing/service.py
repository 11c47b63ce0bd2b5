"""An HTTP service that a plugin asks, without a network."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias
from weakref import WeakKeyDictionary

import httpx

from nullspend_margins.errors import ServiceUnavailable
from nullspend_margins.hookspecs import PluginContext
from nullspend_margins.outbound.contract import MAX_BODY, OutboundAnswer, Receive
from nullspend_margins.protocols import Clock
from nullspend_margins.testing.samples import FixedClock

Answers: TypeAlias = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]

_NO_ANSWER = "<!doctype html><title>Sorry</title><p>This service is being repaired.</p>"


class FakeService:
    """``answers`` says what the service answers to a request; ``requests`` are those it got.

    ``context`` makes what a plugin is given: its ``http`` and its ``outbound`` lead here, whatever
    the URL. ``answers`` may be asynchronous, so an ASGI app can be the service:
    ``FakeService(httpx.ASGITransport(app).handle_async_request)``. The other methods make a
    service that answers the same, and has a bad day.
    """

    def __init__(
        self, answers: Answers, *, good_requests: int | None = None, is_stalled: bool = False
    ) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = answers
        self._good_requests = good_requests
        self._is_stalled = is_stalled
        # A client belongs to one event loop, as the product's own does.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = (
            WeakKeyDictionary()
        )

    def context(
        self,
        name: str,
        table: Mapping[str, object] = MappingProxyType({}),
        *,
        clock: Clock | None = None,
    ) -> PluginContext:
        """The context of the plugin ``name`` with the settings ``table``."""
        return PluginContext(
            name=name,
            table=table,
            clock=clock or FixedClock(),
            http=self.client,
            outbound=_Outbound(self._answer),
        )

    def unreachable(self) -> FakeService:
        """One that cannot be connected to."""
        return self.failing_after(0)

    def failing_after(self, requests: int) -> FakeService:
        """One that goes away after so many ``requests``: connecting fails from then on."""
        return FakeService(self._answers, good_requests=requests)

    def garbled(self, status: int = 200) -> FakeService:
        """One in whose place something else answers: a page of HTML, with this HTTP status."""
        return FakeService(lambda _: httpx.Response(status, html=_NO_ANSWER))

    def answering(self, body: object) -> FakeService:
        """One that answers everything with HTTP 200 and ``body`` as JSON."""
        return FakeService(lambda _: httpx.Response(200, json=body))

    def stalled(self) -> FakeService:
        """One that takes requests and never answers."""
        return FakeService(self._answers, is_stalled=True)

    def client(self) -> httpx.AsyncClient:
        """The client of the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            transport = httpx.MockTransport(self._answer)
            self._clients[loop] = httpx.AsyncClient(transport=transport, trust_env=False)
        return self._clients[loop]

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self._is_stalled:
            await asyncio.get_running_loop().create_future()
        if self._good_requests is not None and len(self.requests) > self._good_requests:
            raise httpx.ConnectError("All connection attempts failed", request=request)
        answer = self._answers(request)
        return await answer if inspect.isawaitable(answer) else answer


class _Outbound:
    """An ``Outbound`` that allows every URL and asks the service."""

    def __init__(self, send: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> None:
        self._send = send  # not a client: httpx logs URLs, the product's outbound does not

    def url_problem(self, url: str) -> str | None:  # noqa: ARG002 - the protocol's
        """Every URL can be used."""
        return None

    async def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str] | None = None,
        max_body: int = MAX_BODY,
    ) -> OutboundAnswer:
        """The service's answer. Raises ``ServiceUnavailable`` when there is none."""
        answer = await self._ask(httpx.Request("POST", url, content=content, headers=headers))
        return replace(answer, body=answer.body[:max_body])

    async def get(
        self,
        url: str,
        *,
        receive: Receive,
        max_body: int,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float = 10,  # noqa: ARG002 - the protocol's
    ) -> OutboundAnswer:
        """The service's answer, its body handed on. Raises ``ServiceUnavailable`` as ``post``."""
        answer = await self._ask(httpx.Request("GET", url, headers=headers))
        if answer.is_success:
            if len(answer.body) > max_body:
                raise ServiceUnavailable(f"{answer.host} answered with more than {max_body} bytes.")
            for start in range(0, len(answer.body), MAX_BODY):
                await receive(answer.body[start : start + MAX_BODY])
        return replace(answer, body=b"")

    async def _ask(self, request: httpx.Request) -> OutboundAnswer:
        host = request.url.host
        try:
            answer = await self._send(request)
            body = await answer.aread()
        except httpx.HTTPError:
            raise ServiceUnavailable(f"{host} does not answer.") from None
        return OutboundAnswer(
            host=host, status=answer.status_code, headers=dict(answer.headers), body=body
        )
