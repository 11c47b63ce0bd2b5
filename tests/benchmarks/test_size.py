"""The command that measures disk and memory runs, with fewer events than the page has."""

from __future__ import annotations

import re
import sys

import pytest

from benchmarks import size
from tests.docs.taken import taken

[COMMAND] = taken("sh", page="operations.md", having="benchmarks.size")


def test_the_command_tells_disk_and_memory(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    python, module, name, option, count = COMMAND.text.split()
    assert (python, module, name, int(count)) == ("python", "-m", "benchmarks.size", 100_000)
    monkeypatch.setattr(sys, "argv", [name, option, "2000"])
    monkeypatch.setattr(size, "REQUESTS", 1)
    size.main()
    told = capsys.readouterr().out
    assert re.search(r"^SQLite: \d+ MB for a million events$", told, re.MULTILINE)
    assert re.search(r"^SQLite: a worker has \d+ MB, after 3 requests$", told, re.MULTILINE)
