"""Links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, anchors, prose, read

_LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if re.match(r"\w+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = page.parent / target if target else page
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


def test_the_readme_leads_to_the_index_and_that_to_every_page() -> None:
    assert "docs/index.md" in _LINK.findall(prose(PAGES[0]))
    linked = set(_LINK.findall(prose(DOCS / "index.md")))
    wanted = {page.name for page in DOCS.glob("*.md")} - {"index.md"}
    assert wanted - linked == set()


def test_the_readme_begins_with_the_two_commands_that_continuous_integration_runs() -> None:
    fences = re.findall(r"^```sh\n(.*?)^```$", read(PAGES[0]), re.DOTALL | re.MULTILINE)
    install = "python3 -m venv .venv && .venv/bin/pip install -q"
    assert fences[:2] == [
        f"{install} '.[server]' && .venv/bin/nullspend-margins demo\n",
        f"{install} -e '.[test]' && .venv/bin/pytest -q\n",
    ]
