"""A FastAPI host that starts and answers, with or without the product mounted in it.

    python -m benchmarks.startup_side '{"config": "/tmp/margins.toml"}'

With an empty ``config`` it is the host alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.children import answer, arguments
from benchmarks.memory import resident_bytes

App = Callable[..., Awaitable[None]]


async def status_of(app: App, path: str) -> int:
    """Ask ``app`` by GET."""
    status = 0

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "headers": [(b"host", b"host.example")], "state": {},
        "client": ("127.0.0.1", 50_000), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    return status


class Steps:
    """Milliseconds and memory of each step."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}
        self._at = time.perf_counter()

    def done(self, name: str) -> None:
        """A step ends here, and the next one begins."""
        milliseconds = (time.perf_counter() - self._at) * 1000
        self.found[name] = {"ms": milliseconds, "resident_mb": resident_bytes() / 1e6}
        self._at = time.perf_counter()


async def main() -> dict[str, dict[str, float]]:
    """The steps."""
    config = arguments()["config"]
    steps = Steps()
    import fastapi

    host = fastapi.FastAPI()

    @host.get("/")
    def home() -> dict[str, str]:
        return {"hello": "world"}

    _require(await status_of(host, "/"), 200)
    steps.done("host")
    if config:
        from nullspend_margins import Margins

        steps.done("import")
        margins = Margins.from_toml(config)
        host.mount("/billing", margins.app)
        steps.done("build")
        _require(await status_of(host, "/billing/api/margins"), 401)
        steps.done("first")
        await margins.close()
    return steps.found


def _require(status: int, wanted: int) -> None:
    if status != wanted:
        raise RuntimeError(f"the host answered {status}, not {wanted}")


if __name__ == "__main__":
    answer(asyncio.run(main()))
