"""What a request of the host's own costs more when the product is wrapped around the host."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.products import product, scope
from benchmarks.results import Measure, Say, Scale, at_most
from nullspend_margins import MarginsMiddleware

_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Calls in a repetition, and repetitions."""

    calls: int = 20_000
    rounds: int = 31


SIZES = {
    Scale.FULL: Size(),
    Scale.QUICK: Size(rounds=7),
    Scale.SMOKE: Size(calls=10, rounds=1),
}


def described(scale: Scale) -> str:
    """The sizes in words."""
    size = SIZES[scale]
    return f"{size.rounds} times {size.calls:,} calls of each, in turns, in CPU time."


class Nothing:
    """The least that a middleware can be."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on."""
        await self._app(scope, receive, send)


async def host(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """An app that does nothing: what is left is what stands before it."""


async def receive() -> Any:
    """Never called."""
    raise RuntimeError("nobody reads here")


async def send(_message: Any) -> None:
    """Never called."""
    raise RuntimeError("nobody answers here")


def run(scale: Scale, say: Say) -> list[Measure]:
    """Each kind of request that is the host's."""
    size = SIZES[scale]
    found: list[Measure] = []
    with tempfile.TemporaryDirectory() as folder:
        margins = product(f"sqlite:///{Path(folder) / 'margins.db'}")
        apps: dict[str, ASGIApp] = {
            "bare": host,
            "nothing": Nothing(host),
            "product": MarginsMiddleware(host, margins),
        }
        for kind, asked in _scopes().items():
            say(kind)
            taken = asyncio.run(_microseconds(apps, asked, size))
            bare = taken["bare"]
            for name, goal in (("product", at_most(1)), ("nothing", None)):
                added = [each - its for each, its in zip(taken[name], bare, strict=True)]
                wrapped = "MarginsMiddleware" if name == "product" else "an empty middleware"
                found.append(Measure(f"{kind}: {wrapped} adds", "µs", added, goal))
    return found


def _scopes() -> dict[str, Scope]:
    return {
        "a path of the host": scope("GET", "/orders/17/lines", []),
        "a path of the host under /api": scope("GET", "/api/orders/17/lines", []),
        "a WebSocket": {**scope("GET", "/live", []), "type": "websocket"},
    }


async def _microseconds(
    apps: dict[str, ASGIApp], asked: Scope, size: Size
) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {name: [] for name in apps}
    for _ in range(size.rounds):
        for name, app in apps.items():
            started = time.thread_time()
            for _ in range(size.calls):
                await app(asked, receive, send)
            found[name].append((time.thread_time() - started) / size.calls * _MICROSECONDS)
    return found
