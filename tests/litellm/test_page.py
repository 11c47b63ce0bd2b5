"""The documentation's page, done as it says: from a running proxy to a margin."""

from __future__ import annotations

import shlex
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.docs.taken import steps
from tests.docs.terminal import Terminal, installed_here
from tests.docs.test_tutorial import seen, substituted

STEPS = steps("litellm.md")
INSTALL = "pip install '.' 'litellm[proxy]'"
SERVERS = ("nullspend-margins demo-stripe", "litellm --config")
PORTS = ("4000", "8379")


@pytest.fixture
def substitutes(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """All that is not run as it stands on the page: the installation, and two port numbers."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # no network
    with ExitStack() as probes:
        sockets = [probes.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in PORTS]
        free = [str(each.getsockname()[1]) for each in sockets]
    litellm = shlex.quote(str(Path(sys.executable).with_name("litellm")))
    install = f'{installed_here()}\nln -s {litellm} "$VIRTUAL_ENV"/bin/litellm'
    return {INSTALL: install, **dict(zip(PORTS, free, strict=True))}


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[list[Terminal]]:
    """The first one; those that are opened on the way are appended."""
    opened = [Terminal(ROOT, tmp_path)]
    with ExitStack() as closing:
        closing.callback(lambda: [each.__exit__() for each in opened])
        yield opened


def test_the_page_can_be_followed(
    terminals: list[Terminal], substitutes: dict[str, str], tmp_path: Path
) -> None:
    for command, *shown in STEPS:
        text = substituted(command.text, substitutes)
        if any(server in text for server in SERVERS):
            [ready] = [substituted(block.text, substitutes) for block in shown]
            terminals.append(Terminal(ROOT, tmp_path))
            terminals[-1].start(text, ready.strip())
            continue
        printed = terminals[0].run(text)
        for block in shown:
            assert seen(block, printed), f"{block.label}:\n{printed}"
