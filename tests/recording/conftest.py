"""A computer for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recording.fakes import Computer


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """With an empty folder; the folder of the journal is not made yet."""
    return Computer(tmp_path / "margins.journal")
