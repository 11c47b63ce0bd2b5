"""The page about recording says what happens."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from nullspend_margins import Margins, RecordingCounters
from tests.docs.pages import DOCS, sections
from tests.docs.taken import taken
from tests.world import ORG, config

[EXAMPLE] = taken("python", page="recording.md")
SECTIONS = sections(DOCS / "recording.md")


async def test_the_example_records(
    database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    (tmp_path / "margins.toml").write_text("")
    exec(compile(EXAMPLE.text, "recording.md", "exec"), names)  # noqa: S102
    margins = Margins(config(database_url, "http://127.0.0.1:9"))
    names["margins"] = margins
    for number in range(3):
        names["charge"](f"call-{number}", "acme", 1_000)  # type: ignore[operator]
    assert ORG == "org_1"
    await margins.close()
    assert margins.recording.written == 3


def test_every_counter_is_in_its_table() -> None:
    told = re.findall(r"^\| `(\w+)` \|", SECTIONS["Counters"], re.MULTILINE)
    assert told == [each.name for each in fields(RecordingCounters)]
