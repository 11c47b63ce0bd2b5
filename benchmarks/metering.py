"""What metering adds to a call, and what is left to do for it afterwards."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.middleware import Nothing
from benchmarks.products import ORG, product, scope
from benchmarks.results import Measure, Say, Scale, at_most
from nullspend_margins import Margins, MeteringMiddleware

_MICROSECONDS = 1e6
_EVENTS_OF_A_STREAM = 50
_LARGE_BYTES = 200_000
_CUSTOMER = (b"x-nullspend-customer", b"customer-17")
_SETTINGS = {
    "org": ORG,
    "trusted_headers": ["x-nullspend-customer"],
    "prices": {"small": {"input": 0.1, "output": 0.3}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Calls in a repetition, and repetitions. All of a repetition fit into the queue."""

    calls: int = 5_000
    rounds: int = 21


SIZES = {
    Scale.FULL: Size(),
    Scale.QUICK: Size(calls=2_000, rounds=7),
    Scale.SMOKE: Size(calls=10, rounds=1),
}


def described(scale: Scale) -> str:
    """The sizes in words."""
    size = SIZES[scale]
    return (
        f"{size.rounds} times {size.calls:,} calls of each (a tenth of BaseHTTPMiddleware), in "
        f"turns, in CPU time of the event loop's thread; a stream has {_EVENTS_OF_A_STREAM} "
        f"events, a large answer {_LARGE_BYTES // 1000} KB."
    )


class ByTheBook(BaseHTTPMiddleware):
    """What is written first: it does nothing."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Pass on."""
        return await call_next(request)


class Gateway:
    """An app that sends the same answer each time: what is left is what stands before it."""

    def __init__(self, kind: bytes, *bodies: bytes) -> None:
        headers = [(b"content-type", kind), (b"server", b"gateway")]
        self._start: Message = {"type": "http.response.start", "status": 200, "headers": headers}
        *first, last = bodies
        self._bodies: list[Message] = [
            *({"type": "http.response.body", "body": body, "more_body": True} for body in first),
            {"type": "http.response.body", "body": last, "more_body": False},
        ]

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer."""
        await send(self._start)
        for body in self._bodies:
            await send(body)


async def receive() -> Any:
    """A request without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(_message: Any) -> None:
    """The client takes everything."""


def run(scale: Scale, say: Say) -> list[Measure]:
    """Each kind of answer, then the work afterwards."""
    return asyncio.run(_run(SIZES[scale], say))


async def _run(size: Size, say: Say) -> list[Measure]:
    found: list[Measure] = []
    afterwards: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'margins.db'}"
        margins = product(url, metering=_SETTINGS)
        async with margins.lifespan():
            for kind, host in _gateways().items():
                say(kind)
                path = "/v1/models" if kind == _OTHER else "/v1/chat/completions"
                taken = await _microseconds(margins, host, path, size, afterwards)
                for name, values in taken.items():
                    goal = at_most(_GOALS[kind]) if name == _METERING and kind in _GOALS else None
                    found.append(Measure(f"{kind}: {name} adds", "µs", values, goal))
    found.append(Measure("afterwards, for each call: pricing and storing", "µs", afterwards))
    return found


_METERING = "metering"
_SMALL, _OTHER = "a small answer", "a path that is not metered"
_GOALS = {_SMALL: 10, _OTHER: 1}


def _gateways() -> dict[str, Gateway]:
    usage = {"prompt_tokens": 1200, "completion_tokens": 350, "total_tokens": 1550}
    facts = {"id": "chatcmpl-1", "object": "chat.completion", "model": "small"}
    choice = {"index": 0, "message": {"role": "assistant", "content": "word " * 60}}
    chunk = _json({**facts, "choices": [{"index": 0, "delta": {"content": " word"}}]})
    last = _json({**facts, "choices": [], "usage": usage})
    events = [b"data: " + each + b"\n\n" for each in (*[chunk] * _EVENTS_OF_A_STREAM, last)]
    large = {"model": "small", "data": ["x" * (_LARGE_BYTES // 4)] * 4, "usage": usage}
    return {
        _SMALL: Gateway(b"application/json", _json({**facts, "choices": [choice], "usage": usage})),
        "a stream": Gateway(b"text/event-stream", *events, b"data: [DONE]\n\n", b""),
        "a large answer": Gateway(b"application/json", _json(large)),
        _OTHER: Gateway(b"application/json", _json(large)),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


async def _microseconds(
    margins: Margins, host: Gateway, path: str, size: Size, afterwards: list[float]
) -> dict[str, list[float]]:
    """What each middleware adds to a call, by its name."""
    asked = scope("POST", path, [_CUSTOMER, *_HEADERS])
    apps: dict[str, ASGIApp] = {
        _METERING: MeteringMiddleware(host, margins),
        "an empty middleware": Nothing(host),
        "an empty BaseHTTPMiddleware": ByTheBook(host),
    }
    found: dict[str, list[float]] = {name: [] for name in apps}
    for _ in range(size.rounds):
        bare = await _of_a_call(host, asked, size.calls)
        for name, app in apps.items():
            calls = max(size.calls // 10, 1) if isinstance(app, ByTheBook) else size.calls
            found[name].append(await _of_a_call(app, asked, calls) - bare)
            if margins.recording.queued:
                afterwards.append(await _stored(margins, size.calls))
    return found


_HEADERS = [
    (b"accept", b"application/json"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"authorization", b"Bearer sk-benchmark"),
    (b"connection", b"keep-alive"),
    (b"content-length", b"154"),
    (b"content-type", b"application/json"),
    (b"user-agent", b"OpenAI/Python"),
]


async def _of_a_call(app: ASGIApp, asked: Scope, calls: int) -> float:
    started = time.thread_time()
    for _ in range(calls):
        await app(asked, receive, send)
    return (time.thread_time() - started) / calls * _MICROSECONDS


async def _stored(margins: Margins, calls: int) -> float:
    """CPU time of the process for each call, until all of them are in the database."""
    before = margins.recording.written
    started = time.process_time()
    while margins.recording.queued:  # noqa: ASYNC110 - nothing tells when it is done
        await asyncio.sleep(0.005)
    taken = time.process_time() - started
    stored = margins.recording
    if stored.written - before != calls or stored.refused or stored.dropped:
        raise RuntimeError(f"of {calls} calls {stored.written - before} were stored")
    return taken / calls * _MICROSECONDS
