"""A client that costs next to nothing: requests rendered beforehand, over kept connections.

    python -m benchmarks.http_load '{"port": 1234, ...}'

Anything that parses HTTP properly would be the slower side of the pair that is measured.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Sequence

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_GOOD = (b"HTTP/1.1 200", b"HTTP/1.1 201")


async def load(port: int, requests: Sequence[bytes], connections: int) -> float:
    """Send all ``requests``, so many at a time; the seconds it took.

    Raises ``RuntimeError`` for an answer that is no success.
    """
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    protocols = [
        (await loop.create_connection(_Connection, "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    started = time.perf_counter()
    await asyncio.gather(*(protocol.run(waiting) for protocol in protocols))
    seconds = time.perf_counter() - started
    for protocol in protocols:
        protocol.close()
    return seconds


class _Connection(asyncio.Protocol):
    """One connection: the next request goes out as soon as the answer is whole."""

    def __init__(self) -> None:
        self._received = b""
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting: Iterator[bytes] = iter(())
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        found = _LENGTH.search(head)
        if not head.startswith(_GOOD) or found is None:
            self._end(RuntimeError(f"an answer that is no success: {self._received[:500]!r}"))
        elif len(body) >= int(found[1]):
            self._received = b""
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(RuntimeError(f"the server closed the connection: {exc}"))

    async def run(self, waiting: Iterator[bytes]) -> None:
        """Send requests until there are no more."""
        self._waiting = waiting
        self._next()
        await self._done

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _next(self) -> None:
        request = next(self._waiting, None)
        if request is None:
            self._end(None)
        elif self._transport is not None:
            self._transport.write(request)

    def _end(self, problem: Exception | None) -> None:
        if self._done.done():
            return
        if problem is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(problem)


def rendered(path: str, key: str, body: bytes) -> bytes:
    """A POST request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-NullSpend-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
