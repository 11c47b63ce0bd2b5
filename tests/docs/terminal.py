"""A reader's terminal: the shell blocks of a page, one after the other, as they stand there."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.processes.tied import end_with_parent

PATIENCE_SECONDS = 180
_DONE = "the-block-is-done"


def installed_here() -> str:
    """In a new virtual environment: what the tests' environment has, instead of a download."""
    packages = sysconfig.get_path("purelib")
    commands = {"pip": "pip", "pytest": "pytest", "nullspend-margins": "nullspend_margins"}
    lines = [
        'packages="$VIRTUAL_ENV"/lib/python*/site-packages',
        f"echo 'import site; site.addsitedir(\"{packages}\")' > $(echo $packages)/tests.pth",
    ]
    for command, module in commands.items():
        script = f'#!/bin/sh\\nexec "$VIRTUAL_ENV"/bin/python -m {module} "$@"\\n'
        lines.append(f"printf '{script}' > \"$VIRTUAL_ENV\"/bin/{command}")
        lines.append(f'chmod +x "$VIRTUAL_ENV"/bin/{command}')
    return "\n".join(lines)


class Terminal:
    """A shell that stops at the first command that fails. Close it by ``with``.

    What it runs reaches this machine alone: a proxy that leads nowhere stands before the rest.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self.process = subprocess.Popen(
            ["bash", "-e", "-u", "-o", "pipefail"],
            cwd=folder,
            env=_environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def run(self, text: str) -> str:
        """Run a block to its end; returns what it printed. Fails when a command does."""
        self._write(f"{text}\necho {_DONE}")
        printed = []
        while True:
            line = self._next()
            assert line is not None, f"the shell ended:\n{text}\n{''.join(printed)}"
            before, done, _ = line.partition(_DONE)
            printed.append(before)
            if done:
                return "".join(printed)

    def start(self, text: str, ready: str) -> None:
        """Run a block that goes on until Ctrl-C; returns when a line ends with ``ready``."""
        self._write(text)
        printed = []
        while not (line := self._next() or "").rstrip("\n").endswith(ready):
            assert line, f"the shell ended:\n{text}\n{''.join(printed)}"
            printed.append(line)

    def sees(self, text: str) -> None:
        """Returns when a line has ``text`` in it, which what was started prints."""
        while text not in (line := self._next() or ""):
            assert line, f"the shell ended before {text!r}"

    def interrupt(self) -> None:
        """Ctrl-C, and the end of the terminal."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()

    def _write(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n")
        self.process.stdin.flush()

    def _next(self) -> str | None:
        return self._lines.get(timeout=PATIENCE_SECONDS)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put(None)


def _environment(home: Path) -> Mapping[str, str]:
    """The tests' environment, as a newcomer has it: an empty home, and this Python by its name."""
    nowhere = "http://127.0.0.1:9"
    return {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "HOME": str(home),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # a newcomer has no others
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip means: none
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), nowhere),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
    }
