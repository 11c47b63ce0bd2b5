"""HTTP/1.1 over a socket: what is written is what is sent, byte for byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        """What a successful answer carries."""
        assert self.status in {200, 201}, (self.status, self.body)
        return self.json()["data"]


class Wire:
    """One connection, kept alive. Raises ``ConnectionError`` when the server went away."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def request(
        self,
        method: str,
        target: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send ``target`` as it is, and ``body`` (if any) as JSON."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = {"Host": "host.example", "Content-Length": str(len(content)), **(headers or {})}
        if body is not None:
            lines.setdefault("Content-Type", "application/json")
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in lines.items()
        )
        self._writer.write(head.encode() + b"\r\n" + content)
        await self._writer.drain()
        return await self._answer()

    async def _answer(self) -> Answer:
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            status, *lines = head.decode().rstrip().split("\r\n")
            pairs = (line.partition(": ") for line in lines)
            headers = {name.lower(): value for name, _, value in pairs}
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        except asyncio.IncompleteReadError as problem:
            raise ConnectionError("the server closed the connection") from problem
        return Answer(int(status.split(" ")[1]), headers, body)


@asynccontextmanager
async def wire(url: str) -> AsyncIterator[Wire]:
    """A connection to the server at ``url``."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def ask(
    url: str,
    method: str,
    target: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request on a connection of its own."""
    async with wire(url) as connection:
        return await connection.request(method, target, body, headers)
