"""The example plugin's own tests, against what its users install."""

from __future__ import annotations

import re
from pathlib import Path

from tests.testing.packages import install, run_tests

SOURCE = Path(__file__).parents[1] / "example_plugin"


def test_the_example_plugin_keeps_the_rules_of_every_kind(tmp_path: Path) -> None:
    site = install(SOURCE, tmp_path)
    found = run_tests(tmp_path / "source", "-W", "error", site=site)
    assert found.returncode == 0, found.stdout
    counted = re.search(r"^(\d+) passed, 10 skipped", found.stdout, re.MULTILINE)
    assert counted is not None, found.stdout
    assert int(counted[1]) >= 100
