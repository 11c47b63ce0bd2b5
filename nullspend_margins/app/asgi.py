"""The sub-application as a server or a router calls it."""

from __future__ import annotations

import logging
from typing import Protocol

from starlette.types import Receive, Scope, Send

from nullspend_margins.errors import MarginsError
from nullspend_margins.web import WebApp

_log = logging.getLogger("nullspend_margins")


class Startable(Protocol):
    """What a server's lifespan starts and closes."""

    async def start(self) -> None:
        """Begin. Raises ``MarginsError`` saying why it can't."""
        ...

    async def close(self) -> None:
        """Stop what runs and let go of everything."""
        ...


class SubApplication:
    """Pure ASGI. Served alone it sees the server's lifespan; mounted it starts on first use."""

    def __init__(self, web: WebApp, margins: Startable) -> None:
        self._web = web
        self._margins = margins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] == "http":
            await self._web(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._serve_lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "no WebSocket here"})

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._margins.start()
        except MarginsError as problem:
            _log.error("cannot start: %s", problem.message)
            await send({"type": "lifespan.startup.failed", "message": problem.message})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._margins.close()
        await send({"type": "lifespan.shutdown.complete"})
