"""Processes of a benchmark's own: one that answers once, and servers that end with their parent."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_REPOSITORY = Path(__file__).resolve().parents[1]


def ask(module: str, environment: Mapping[str, str] | None = None, /, **arguments: object) -> Any:
    """Run ``module`` in a fresh interpreter with ``arguments``; what it passes to ``answer``.

    ``environment`` is in place of this process's own.
    """
    done = subprocess.run(
        [*_command(module), json.dumps(arguments)],
        cwd=_REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
    )
    if done.returncode:
        raise RuntimeError(f"{module} ended with status {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def server(module: str, **arguments: object) -> Iterator[dict[str, Any]]:
    """Run ``module`` as a server while the block runs; yields what it passes to ``answer``."""
    process = subprocess.Popen(
        [*_command(module), json.dumps(arguments)],
        cwd=_REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{module} ended before it was ready")
        yield json.loads(line)
    finally:
        process.stdin.close()  # its end; it also comes when this process is killed
        process.stdout.close()
        process.wait(30)


def arguments() -> dict[str, Any]:
    """In a child: what its parent gave it."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    return given


def answer(value: object) -> None:
    """In a child: tell the parent, in one line."""
    print(json.dumps(value), flush=True)


async def until_parent_ends() -> None:
    """In a server: return when the parent has closed our standard input."""
    await asyncio.to_thread(sys.stdin.buffer.read)


def _command(module: str) -> Sequence[str]:
    return [sys.executable, "-m", module]
