"""A host that only starts does not load what it may never use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_HEAVY = ("alembic", "cryptography", "httpx", "psycopg", "rich", "sqlalchemy", "stripe", "typer")
_BUILD = """
import sys
from nullspend_margins import Margins, MarginsMiddleware
margins = Margins({{"database": {{"url": "sqlite:///{folder}/margins.db"}}}})
MarginsMiddleware(margins.app, margins)
"""
_START = """
import asyncio
asyncio.run(margins.start())
"""
_TELL = """
print(*[name for name in {heavy} if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        (_BUILD, set()),
        # A file that is there already needs no migrations.
        (_BUILD + _START, {"cryptography", "sqlalchemy"}),
    ],
    ids=["built", "started"],
)
def test_heavy_packages_are_loaded_with_their_first_use(
    code: str, allowed: set[str], sqlite_url: str, tmp_path: Path
) -> None:
    program = (code + _TELL).format(folder=tmp_path, heavy=_HEAVY)
    assert Path(sqlite_url.removeprefix("sqlite:///")).parent == tmp_path
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert set(found.stdout.split()) <= allowed
