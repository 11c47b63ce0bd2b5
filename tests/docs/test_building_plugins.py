"""The pages that build a plugin step by step, followed step by step.

A Python block whose first line names a file is that file from then on; one that "goes on" is
added to its end, as it stands there. Every shell block must succeed on what is there by then.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import Block
from tests.docs.taken import taken
from tests.docs.terminal import Terminal, installed_here

STEPS = {
    page: taken("sh", "python", "text", page=page)
    for page in ("write-a-revenue-provider.md", "write-a-cost-source.md")
}
ENVIRONMENT = "python3 -m venv --without-pip .venv\n. .venv/bin/activate\n"
"""What the reader has: the first step of the tutorial."""
INSTALL = "pip install -q -e '.[test]'"
INSTALLED = """\
pip install -q --no-deps .
rm -r "$VIRTUAL_ENV"/lib/python*/site-packages/"$(basename "$PWD" | tr - _)"
echo "$PWD/src" > $(echo "$VIRTUAL_ENV"/lib/python*/site-packages)/editable.pth
"""
"""All that is not run as it stands on a page: `-e` would fetch a package that builds such
installations, and `[test]` linters. This is what they leave behind."""

_PLACE = re.compile(r" *# (\S+\.py)( goes on(?:, in the class)?)?")
SPACE = {None: "", " goes on": "\n\n", " goes on, in the class": "\n"}


@pytest.mark.parametrize("page", STEPS)
def test_a_plugin_can_be_built_as_the_page_says(
    page: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Terminal(tmp_path, tmp_path) as terminal:
        cache = tmp_path_factory.getbasetemp() / "mypy"
        terminal.run(f"export MYPY_CACHE_DIR='{cache}'\n{ENVIRONMENT}{installed_here()}")
        printed = ""
        for block in STEPS[page]:
            if block.language == "python":
                write(block, Path(terminal.run("pwd").strip()))
            elif block.language == "text":
                assert block.text == printed, block.label
            else:
                printed = terminal.run(block.text.replace(INSTALL, INSTALLED))


def write(block: Block, folder: Path) -> None:
    """Put the block where its first line says."""
    place = _PLACE.match(block.text)
    assert place is not None, f"{block.label} does not begin with its file's name"
    with (folder / place[1]).open("a" if place[2] else "w") as file:
        file.write(f"{SPACE[place[2]]}{block.text}")
