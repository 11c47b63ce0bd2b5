"""A gateway as vLLM's server is one: FastAPI, OpenAI's routes, middlewares by class name."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from tests.metering.bodies import (
    ANTHROPIC_STREAM,
    CHAT,
    OPENAI_USAGE,
    RESPONSE_USAGE,
    RESPONSES_STREAM,
    chat_chunk,
    encoded,
)

USAGE = OPENAI_USAGE
EMBEDDING_USAGE = {"prompt_tokens": 8, "total_tokens": 8}


def gateway(*middlewares: str) -> FastAPI:
    """The server; ``middlewares`` are dotted names, as after ``--middleware``."""
    app = FastAPI()
    app.state.seen = []
    app.state.cancelled = asyncio.Event()
    app.add_api_route("/v1/chat/completions", chat, methods=["POST"])
    app.add_api_route("/v1/embeddings", embeddings, methods=["POST"])
    app.add_api_route("/v1/responses", responses, methods=["POST"])
    app.add_api_route("/v1/messages", messages, methods=["POST"])
    app.add_api_route("/v1/completions", priced, methods=["POST"])
    for middleware in middlewares:
        module, _, name = middleware.rpartition(".")
        imported = getattr(import_module(module), name)
        assert inspect.isclass(imported)
        app.add_middleware(imported)
    return app


async def chat(request: Request) -> Response:
    request.app.state.seen.append(request.headers)
    asked = await request.json()
    if asked["model"] == "broken":
        return JSONResponse({"error": {"message": "out of memory"}, "usage": USAGE}, 500)
    if not asked.get("stream"):
        return JSONResponse({**CHAT, "model": asked["model"]})
    stream = _endless(request.app) if asked["model"] == "endless" else _chunks(asked)
    return StreamingResponse(stream, media_type="text/event-stream")


async def _chunks(asked: dict[str, Any]) -> AsyncIterator[bytes]:
    for word in ("a ", "secret"):
        yield b"data: " + encoded({**chat_chunk(word), "model": asked["model"]}) + b"\n\n"
    if asked.get("stream_options", {}).get("include_usage"):
        yield b"data: " + encoded({**chat_chunk(usage=USAGE), "model": asked["model"]}) + b"\n\n"
    yield b"data: [DONE]\n\n"


async def _endless(app: FastAPI) -> AsyncIterator[bytes]:
    """Tells usage with every chunk, and goes on until the client is gone."""
    try:
        while True:
            chunk = {**chat_chunk("word ", usage=USAGE), "model": "endless"}
            yield b"data: " + encoded(chunk) + b"\n\n"
            await asyncio.sleep(0)
    finally:
        app.state.cancelled.set()


async def embeddings(request: Request) -> Response:
    asked = await request.json()
    vectors = [{"object": "embedding", "index": 0, "embedding": [0.25] * 20_000}]
    body = {"object": "list", "data": vectors, "model": asked["model"], "usage": EMBEDDING_USAGE}
    return JSONResponse(body)


async def responses(request: Request) -> Response:
    asked = await request.json()
    if asked.get("stream"):
        return StreamingResponse(iter([RESPONSES_STREAM]), media_type="text/event-stream")
    content = {"type": "output_text", "text": "a secret", "annotations": []}
    output = {"type": "message", "id": "m", "role": "assistant", "content": [content]}
    body = {"id": "r", "object": "response", "created_at": 1, "output": [output]}
    return JSONResponse({**body, "model": asked["model"], "usage": RESPONSE_USAGE})


async def messages() -> Response:
    return StreamingResponse(iter([ANTHROPIC_STREAM]), media_type="text/event-stream")


async def priced() -> Response:
    headers = {"x-litellm-response-cost": "0.000012345", "x-litellm-response-cost-original": "9"}
    body = {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": []}
    return JSONResponse(body, headers=headers)
