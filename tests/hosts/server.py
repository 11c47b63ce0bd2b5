"""A host on uvicorn, in this process, on a free port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from nullspend_margins.app.serving import listen, url_of


class StartFailed(Exception):
    """The host did not start; its log says why."""


class _Server(uvicorn.Server):
    """Leaves the signals to pytest, and tells when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit as end:
            raise StartFailed from end
        if self.should_exit:  # older releases of uvicorn say it so
            raise StartFailed
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def hosted(
    app: ASGIApp, *, root_path: str = "", lifespan: str = "auto"
) -> AsyncIterator[str]:
    """Serve ``app`` with its lifespan, as ``uvicorn host:app`` does; yields the URL."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, lifespan=lifespan, root_path=root_path, log_config=None, ws="none")  # type: ignore[arg-type]
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    task.add_done_callback(lambda _task: server.ready.set())
    try:
        await server.ready.wait()
        if task.done():
            await task  # raises why
        yield url_of(listener)
    finally:
        server.should_exit = True
        try:
            await task
        finally:
            listener.close()
