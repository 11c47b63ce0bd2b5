"""The command line in this process, and as a process of its own."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from nullspend_margins.cli import main

COMMAND = [sys.executable, "-m", "nullspend_margins"]
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    status: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs a command in this process; the log is set up as it was afterwards."""
    names = (None, "nullspend_margins", "uvicorn")
    levels = {name: logging.getLogger(name).level for name in names}

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    yield run
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A small configuration; its SQLite file would be beside it."""
    path = tmp_path / "margins.toml"
    path.write_text('[plans.orgs]\norg_1 = "pro"\norg_2 = "pro"\n')
    return path


@contextmanager
def process(*arguments: object, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A command as a process, killed at the end if it still runs."""
    with subprocess.Popen(
        [*COMMAND, *(str(each) for each in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    ) as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                running.kill()


def ended(running: subprocess.Popen[str]) -> Outcome:
    """What a process that is about to end has still written."""
    out, err = running.communicate(timeout=PATIENCE_SECONDS)
    return Outcome(running.returncode, out, err)
