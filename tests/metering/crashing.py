"""For the crash test: a metered gateway, its clients, and a PostgreSQL that can be stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from starlette.types import ASGIApp, Receive, Scope, Send

from nullspend_margins import MarginsMiddleware
from tests.metering.bodies import chat_chunk, encoded
from tests.postgres import PostgresForTests, _end_with_parent, _unprivileged, running_postgres
from tests.processes.tied import end_with_parent

PATH = "/v1/chat/completions"
_DONE = b"data: [DONE]\n\n"
_PATIENCE_SECONDS = 30


async def gateway(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers with the number in the query as tokens, and in a header which process it is."""
    number = int(scope["query_string"])
    usage = {"prompt_tokens": number, "completion_tokens": 0, "total_tokens": number}
    is_stream = number % 2
    kind = b"text/event-stream" if is_stream else b"application/json"
    headers = [(b"content-type", kind), (b"x-worker", str(os.getpid()).encode())]
    answer = encoded(chat_chunk(usage=usage))
    if not is_stream:
        headers.append((b"content-length", str(len(answer)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if is_stream:
        for event in (chat_chunk("a"), chat_chunk("b"), chat_chunk(usage=usage)):
            data = b"data: " + encoded(event) + b"\n\n"
            await send({"type": "http.response.body", "body": data, "more_body": True})
        answer = _DONE
    await send({"type": "http.response.body", "body": answer, "more_body": bool(is_stream)})
    if is_stream:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def make_app() -> ASGIApp:
    """The host of ``uvicorn --factory --workers``."""
    end_with_parent()
    return MarginsMiddleware(gateway)


@dataclass
class Clients:
    """Call with numbers, each once; ``complete`` are those whose whole answer came."""

    calls: int
    begun: int = 0
    complete: set[int] = field(default_factory=set)
    workers: set[int] = field(default_factory=set)
    server_is_dead: bool = False
    _progress: asyncio.Event = field(default_factory=asyncio.Event)

    async def reached(self, complete: int) -> None:
        """Wait until so many are complete, or all have begun."""
        while len(self.complete) < min(complete, self.calls) and self.begun < self.calls:
            self._progress.clear()
            await self._progress.wait()

    async def call_until_dead(self, url: str) -> None:
        """One client: it comes again when its connection breaks."""
        while self.begun < self.calls and not self.server_is_dead:
            try:
                async with _connected(url) as (reader, writer):
                    while self.begun < self.calls:
                        await self._call(reader, writer)
            except (OSError, EOFError):
                await asyncio.sleep(0.02)  # a worker is gone: it is somebody else's turn

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.begun += 1
        number = self.begun
        writer.write(f"POST {PATH}?{number} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n".encode())
        writer.write(b"X-NullSpend-Customer: hot\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ") for line in head.lower().splitlines()[1:] if line)
        self.workers.add(int(fields[b"x-worker"]))
        if b"content-length" in fields:
            await reader.readexactly(int(fields[b"content-length"]))
            self._completed(number)
        else:
            await reader.readuntil(_DONE)
            self._completed(number)
            await reader.readuntil(b"\r\n0\r\n\r\n")

    def _completed(self, number: int) -> None:
        self.complete.add(number)
        self._progress.set()


@asynccontextmanager
async def _connected(
    url: str,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield reader, writer
    finally:
        writer.close()


def _is_running(pid: int) -> bool:
    """Not when it waits to be collected alone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


class StoppablePostgres:
    """A server of its own, that goes down without a goodbye and comes again on its port."""

    def __init__(self, server: PostgresForTests, url: str) -> None:
        self.url = url
        with psycopg.connect(server.url("postgres")) as connection:
            [[folder]] = connection.execute("SHOW data_directory").fetchall()
        self._folder = Path(folder)
        self._command = shlex.split((self._folder / "postmaster.opts").read_text())
        self._again: subprocess.Popen[bytes] | None = None
        self._stopped: int | None = None

    def stop(self) -> None:
        """Every connection breaks; further ones are refused."""
        pid_file = self._folder / "postmaster.pid"
        self._stopped = int(pid_file.read_text().split()[0])
        os.kill(self._stopped, signal.SIGQUIT)

    def start(self) -> None:
        """It is there again a little later. Blocks until the one that was stopped is gone."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self._stopped is not None and _is_running(self._stopped):
            assert time.monotonic() < deadline, "PostgreSQL does not stop"
            time.sleep(0.01)
        run_as = _unprivileged(self._folder.parent)
        self._again = subprocess.Popen(
            self._command,
            cwd=self._folder.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,
            **run_as,
        )

    def close(self) -> None:
        if self._again is not None:
            self._again.send_signal(signal.SIGINT)
            self._again.wait(30)

    def counted(self) -> dict[int, int] | None:
        """How often each number is among the stored events; ``None`` while it does not answer."""
        query = "SELECT input_tokens, count(*) FROM margins_cost_events GROUP BY 1"
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url) as connection:
            return dict(connection.execute(query).fetchall())
        return None


@contextmanager
def stoppable_postgres() -> Iterator[StoppablePostgres]:
    """With a database at the current schema."""
    # What it says is committed must outlive it, as it does where people run one.
    with running_postgres(synchronous_commit="on") as server:
        server.execute("CREATE DATABASE crashes TEMPLATE margins_template STRATEGY file_copy")
        postgres = StoppablePostgres(server, server.url("crashes"))
        try:
            yield postgres
        finally:
            postgres.close()
