"""Servers as processes of their own, on free ports, that end with the test."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nullspend_margins import Margins
from nullspend_margins.builtin.sessions import sign_session
from tests.world import ORG

PATIENCE_SECONDS = 60
COMMAND = (sys.executable, "-m", "nullspend_margins")
_REPOSITORY = Path(__file__).parents[2]
_TIED = (sys.executable, str(Path(__file__).with_name("tied.py")))
_ADDRESS = re.compile(r"http://127\.0\.0\.1:[1-9]\d*")

T = TypeVar("T")


@dataclass
class Server:
    """A running server. ``log`` is what it printed so far."""

    url: str
    log: list[str]
    process: asyncio.subprocess.Process

    async def kill(self) -> None:
        """End it and its children with SIGKILL: no goodbye, nothing written any more."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def serve(config: Path, **variables: str) -> AsyncIterator[Server]:
    """``nullspend-margins serve``, as an operator runs it."""
    async with _running(
        [*COMMAND, "serve", "--config", str(config), "--port", "0"], variables
    ) as it:
        yield it


@asynccontextmanager
async def uvicorn_workers(
    config: Path, workers: int, factory: str = "tests.processes.factory:make_app"
) -> AsyncIterator[Server]:
    """``uvicorn --workers`` on the host of ``factory``: processes on one port."""
    command = [sys.executable, "-m", "uvicorn", "--factory", factory]
    command += ["--workers", str(workers), "--port", "0", "--no-access-log"]
    async with _running(command, {"NULLSPEND_MARGINS_CONFIG": str(config)}) as it:
        yield it


async def run(*command: str, **variables: str) -> str:
    """What a command that must succeed prints."""
    process = await asyncio.create_subprocess_exec(
        *_TIED,
        *command,
        cwd=_REPOSITORY,
        env=_environment(variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_SECONDS)
    assert process.returncode == 0, err.decode()
    return out.decode().strip()


@asynccontextmanager
async def _running(command: Sequence[str], variables: Mapping[str, str]) -> AsyncIterator[Server]:
    process = await asyncio.create_subprocess_exec(
        *_TIED,
        *command,
        cwd=_REPOSITORY,
        env=_environment(variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    server = Server("", [], process)
    assert process.stdout is not None
    drain = None
    try:
        server.url = await asyncio.wait_for(_address(server, process.stdout), PATIENCE_SECONDS)
        drain = asyncio.create_task(_drain(server, process.stdout))
        yield server
    finally:
        await server.kill()
        if drain is not None:
            await drain
        print("".join(server.log))  # shown when the test fails


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("NULLSPEND_")
    }
    return {**inherited, **variables}


async def _address(server: Server, output: asyncio.StreamReader) -> str:
    while line := (await output.readline()).decode():
        server.log.append(line)
        if found := _ADDRESS.search(line):
            return found[0]
    raise AssertionError("the server ended before it was ready:\n" + "".join(server.log))


async def _drain(server: Server, output: asyncio.StreamReader) -> None:
    while line := (await output.readline()).decode():
        server.log.append(line)


async def eventually(ask: Callable[[], Awaitable[T | None]], what: str) -> T:
    """The first answer that is not ``None``; fails when there is none in a minute."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (answer := await ask()) is None:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.05)
            return answer
    except TimeoutError:
        raise AssertionError(f"not within {PATIENCE_SECONDS} s: {what}") from None


def write_config(path: Path, tables: Mapping[str, object]) -> Path:
    """Write ``tables`` as TOML, whose strings, numbers and lists look as they do in JSON."""
    path.write_text("".join(_toml("", tables)))
    return path


def _toml(name: str, table: Mapping[str, object]) -> list[str]:
    tables = {key: each for key, each in table.items() if isinstance(each, Mapping)}
    lines = [f"[{name}]\n"] if name else []
    lines += [f"{key} = {json.dumps(each)}\n" for key, each in table.items() if key not in tables]
    for key, each in tables.items():
        lines += _toml(f"{name}.{key}" if name else key, each)
    return lines


def signed_in(margins: Margins, role: str = "admin", org: str = ORG) -> dict[str, str]:
    """The Cookie header of a person."""
    value = sign_session(margins.config, org_id=org, user_id="u1", role=role)
    return {"Cookie": f"{margins.config.session.cookie_name}={value}"}


async def new_key(margins: Margins, org: str = ORG) -> dict[str, str]:
    """The header with a fresh cost-event key, made as the ``keys`` command makes it."""
    async with margins.lifespan():
        key, _ = await (await margins.services()).keys.create(org)
    return {"X-NullSpend-Key": key}
