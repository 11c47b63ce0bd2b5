"""A vendor of models, as far as these tests need one: it streams, and stops half way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

WORDS = [" one", " two", " three", " four", " five"]


class StallingVendor:
    """Answers every chat with five words, and never ends the answer. ``app`` is its server."""

    def __init__(self) -> None:
        self.was_left = asyncio.Event()
        self.app = Starlette(routes=[Route("/v1/chat/completions", self._chat, methods=["POST"])])

    async def _chat(self, _request: object) -> StreamingResponse:
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[str]:
        for word in WORDS:
            yield f"data: {json.dumps(_chunk(word))}\n\n"
        try:
            await asyncio.Event().wait()
        finally:
            self.was_left.set()


def _chunk(word: str) -> dict[str, object]:
    choice = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_775_383_200,
        "model": "gpt-4o",
        "choices": [choice],
    }
