"""The tutorial, done as it says: its commands, in three terminals, in an empty home.

What stands between the commands, the answers that a reader should see, is compared too: ``"…"``
is whatever comes, numbers that depend on the day of the month are written so.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, Block, read
from tests.docs.taken import steps
from tests.docs.terminal import Terminal, installed_here

STEPS = steps("tutorial.md")
INSTALL = "pip install '.[server]' nullspend"
SERVERS = ("nullspend-margins demo-stripe", "nullspend-margins serve")
PORTS = ("8000", "8378")
[WARNED] = re.findall(r"a line that begins with `(WARNING [^`]+)`", read(DOCS / "tutorial.md"))


@pytest.fixture
def substitutes() -> dict[str, str]:
    """All that is not run as it stands on the page: the installation, and two port numbers."""
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in PORTS]
        free = [str(each.getsockname()[1]) for each in sockets]
    return {INSTALL: installed_here(), **dict(zip(PORTS, free, strict=True))}


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[list[Terminal]]:
    """The first one; those that are opened on the way are appended."""
    opened = [Terminal(ROOT, tmp_path)]
    with ExitStack() as closing:
        closing.callback(lambda: [each.__exit__() for each in opened])
        yield opened


def test_the_tutorial_can_be_followed(
    terminals: list[Terminal], substitutes: dict[str, str], tmp_path: Path
) -> None:
    for command, *shown in STEPS:
        text = substituted(command.text, substitutes)
        if any(server in text for server in SERVERS):
            [ready] = [substituted(block.text, substitutes) for block in shown]
            terminals.append(Terminal(ROOT, tmp_path))
            terminals[-1].start(text, ready.strip())
            continue
        if text.startswith("deactivate"):
            for terminal in terminals[1:]:
                terminal.interrupt()
        printed = terminals[0].run(text)
        if "/api/stripe/revenue-sync" in text:
            terminals[-1].sees(WARNED)
        for block in shown:
            assert seen(block, printed), f"{block.label}:\n{printed}"
    assert not any("margins" in left.name for left in tmp_path.iterdir())


def substituted(text: str, substitutes: dict[str, str]) -> str:
    for original, substitute in substitutes.items():
        text = text.replace(original, substitute)
    return text


def seen(block: Block, printed: str) -> bool:
    """Whether the block shows what was printed."""
    if block.language == "json":
        return matches(json.loads(block.text), json.loads(printed))
    return block.text == printed.replace("\r\n", "\n")


def matches(shown: object, actual: object) -> bool:
    """Equal, but for what the page leaves open."""
    if shown == "…":
        return actual is not None
    if isinstance(shown, dict) and isinstance(actual, dict):
        return shown.keys() == actual.keys() and all(
            matches(shown[key], actual[key]) for key in shown
        )
    if isinstance(shown, list) and isinstance(actual, list):
        return len(shown) == len(actual) and all(map(matches, shown, actual))
    return shown == actual
