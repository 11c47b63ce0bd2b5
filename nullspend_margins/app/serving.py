"""Serves an ASGI app on uvicorn (the extra ``server``) inside the running event loop."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.types import ASGIApp

from nullspend_margins.errors import ConfigurationError

if TYPE_CHECKING:
    import uvicorn

T = TypeVar("T")

_BACKLOG = 2048
_GRACEFUL_SHUTDOWN_SECONDS = 8
_SAME_WISH_SECONDS = 1.0
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


def require_server() -> None:
    """Raise ``ConfigurationError`` saying what to install unless uvicorn is there."""
    try:
        import uvicorn  # noqa: F401 - is it there?
    except ImportError:
        raise ConfigurationError(
            'This command needs uvicorn: pip install "nullspend-margins[server]"'
        ) from None


def run(work: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` on the event loop that uvicorn would choose: uvloop where it is installed.

    The loop is ours and not uvicorn's, since it also runs what starts before the server.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(work)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises ``ConfigurationError``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise ConfigurationError(f"Cannot listen on {host}, port {port}: {reason}.") from problem
    # asyncio does it only for sockets it made: without, an answer on a kept connection takes 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """Where a client on this machine reaches ``listener``."""
    host, port = listener.getsockname()[:2]
    host = _ANY_ADDRESS.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


@asynccontextmanager
async def serving(
    app: ASGIApp, listener: socket.socket, certificate: str | None = None
) -> AsyncIterator[str]:
    """Serve ``app`` on ``listener`` while the block runs; yields the URL once it answers.

    Over TLS with a ``certificate``: a PEM file that holds its key, too. ``app`` sees no lifespan:
    start it before, close it after. At the end new connections are refused and running requests
    get eight seconds to finish.
    """
    url = url_of(listener, "http" if certificate is None else "https")
    ready = asyncio.Event()
    server = _server(app, ready, certificate)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="margins-server")
    task.add_done_callback(lambda _task: ready.set())
    try:
        await ready.wait()
        if task.done():
            await task  # raises what went wrong
        yield url
    finally:
        server.should_exit = True
        await task


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT, SIGTERM or the closing of the terminal (SIGHUP) sets.

    Supervisors often send one signal twice, to the process and to its group: what comes within
    a second of the first is the same wish. Later ones act as they did before, so that a person
    can force the end. A process under ``nohup`` goes on ignoring SIGHUP.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _stop_signals()}
    first: float | None = None

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal first
        if first is None:
            first = time.monotonic()
            loop.call_soon_threadsafe(stop.set)
        elif time.monotonic() - first > _SAME_WISH_SECONDS:
            restore()
            signal.raise_signal(number)

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        restore()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows, say: there is none for it
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _stop_signals() -> list[signal.Signals]:
    found = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        found.append(signal.SIGHUP)
    return found


def _server(app: ASGIApp, ready: asyncio.Event, certificate: str | None) -> uvicorn.Server:
    import uvicorn

    class Server(uvicorn.Server):
        """Leaves signals to the caller: uvicorn would raise them again after its shutdown."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready.set()

    return Server(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_certfile=certificate,
            timeout_graceful_shutdown=_GRACEFUL_SHUTDOWN_SECONDS,
        )
    )
