"""Requests below any client, and what they send."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nullspend_margins.web import WebApp


@dataclass
class Answer:
    """What an ASGI app sent."""

    status_code: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def raw_request(
    app: WebApp,
    path: str,
    *,
    method: str = "GET",
    messages: Sequence[Mapping[str, Any]] = (),
    headers: Sequence[tuple[bytes, bytes]] = (),
    **scope: object,
) -> Answer | None:
    """Call ``app`` as a server would; ``None`` when it sent nothing."""
    waiting, sent = list(messages), []

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    full = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": headers,
        **scope,
    }
    await app(full, receive, send)
    if not sent:
        return None
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(sent[0]["status"], body)


def cost_event(**changes: object) -> dict[str, object]:
    """A cost event with what is required."""
    return {
        "provider": "openai",
        "model": "gpt-4o",
        "inputTokens": 1,
        "outputTokens": 2,
        "costMicrodollars": 3,
        **changes,
    }
