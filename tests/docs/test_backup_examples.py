"""The commands of docs/operations.md that back up and restore, run on databases in use."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import process
from tests.docs.taken import taken
from tests.docs.terminal import Terminal
from tests.postgres import binaries

[SAVE], [RESTORE], [PG_SAVE], [PG_RESTORE] = (
    taken("sh", page="operations.md", having=text)
    for text in ("VACUUM INTO", "cp margins-backup.db", "pg_dump", "pg_restore")
)
NEW_KEY = "nullspend-margins keys create --config margins.toml --org org_1"
LIST_KEYS = "nullspend-margins keys list --config margins.toml --org org_1 | cut -f 2"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path, tmp_path) as opened:
        yield opened


def test_a_sqlite_file_in_use_is_backed_up_and_restored(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "margins.toml").write_text("")
    with process("serve", "--config", tmp_path / "margins.toml", "--port", 0) as server:
        assert server.stdout is not None
        assert server.stdout.readline()
        before = terminal.run(NEW_KEY)
        terminal.run(SAVE.text)
        after = terminal.run(NEW_KEY)
    backup = tmp_path / "margins-backup.db"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    terminal.run(RESTORE.text)
    listed = terminal.run(LIST_KEYS).split()
    assert [before.startswith(prefix) for prefix in listed] == [True]
    assert not after.startswith(listed[0])


def test_a_postgresql_database_is_backed_up_and_restored(
    terminal: Terminal, tmp_path: Path, postgres_url: str
) -> None:
    folder = binaries()
    assert folder is not None  # or there would be no server
    (tmp_path / "margins.toml").write_text(f'[database]\nurl = "{postgres_url}"\n')
    terminal.run(f'PATH="{folder}{os.pathsep}$PATH"\nexport DATABASE_URL="{postgres_url}"')
    before = terminal.run(NEW_KEY)
    terminal.run(PG_SAVE.text)
    after = terminal.run(NEW_KEY)
    assert stat.S_IMODE((tmp_path / "margins.dump").stat().st_mode) == 0o600
    terminal.run(PG_RESTORE.text)
    listed = terminal.run(LIST_KEYS).split()
    assert [before.startswith(prefix) for prefix in listed] == [True]
    assert not after.startswith(listed[0])
