"""What the examples of hosts are asked with, and whom they know."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import httpx

USER = SimpleNamespace(org_id="org_1", id="ada", role="viewer", is_suspended=False)


class SignedIn:
    """The host's own middleware: it knows who is asking."""

    def __init__(self, app: Any, user: object) -> None:
        self._app, self._user = app, user

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, "state": {"user": self._user}}, receive, send)


async def get(app: Any, path: str, **options: Any) -> httpx.Response:
    """What ``app`` answers."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://host.test") as client:
        return await client.get(path, **options)


async def code_of(app: Any, path: str) -> str:
    """The error code that ``app`` answers with."""
    return str((await get(app, path)).json()["error"]["code"])
