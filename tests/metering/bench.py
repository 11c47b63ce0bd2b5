"""An app that sends what a test says, metered in process; what was recorded, and when."""

from __future__ import annotations

import json
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from nullspend_margins.config import MeteringSettings
from nullspend_margins.metering import Meter
from nullspend_margins.metering.attribution import Header
from nullspend_margins.testing import http_scope
from tests.world import FixedClock

JSON = [(b"content-type", b"application/json")]
EVENTS = [(b"content-type", b"text/event-stream; charset=utf-8")]


def start(status: int = 200, headers: list[Header] | None = None) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers or JSON}


def body(chunk: bytes, *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": chunk, "more_body": more}


def asked(path: str = "/v1/chat/completions", method: str = "POST", *headers: Header) -> Scope:
    return {**http_scope(), "path": path, "method": method, "headers": list(headers)}


class Bench:
    """An app that sends ``messages``, metered; what came out, in which order."""

    def __init__(self, *messages: Message, **settings: Any) -> None:
        self.messages = messages
        self.settings = MeteringSettings(**{"org": "org_1", **settings})
        self.calls: list[dict[str, Any]] = []
        self.log: list[object] = []
        self.scopes: list[Scope] = []
        self.failure: BaseException | None = None

    async def app(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        for message in self.messages:
            await send(message)
        if self.failure is not None:
            raise self.failure

    def append(self, kind: str, line: bytes) -> bool:
        assert kind == "call"
        self.log.append("recorded")
        self.calls.append(json.loads(line))
        return True

    async def send(self, message: Message) -> None:
        self.log.append(message)

    async def receive(self) -> Message:
        raise AssertionError("the middleware never reads a request")

    def meter(self, app: Any = None, **more: Any) -> Meter:
        return Meter(app or self.app, self.settings, self.append, FixedClock(), **more)

    async def ask(self, scope: Scope | None = None, **more: Any) -> dict[str, Any] | None:
        """Send a request through; the one call that was recorded for it, if any."""
        before = len(self.calls)
        await self.meter(**more)(scope or asked(), self.receive, self.send)
        new = self.calls[before:]
        assert len(new) <= 1
        return new[0] if new else None

    @property
    def sent(self) -> list[object]:
        return [each for each in self.log if each != "recorded"]
