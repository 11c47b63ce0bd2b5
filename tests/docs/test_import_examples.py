"""docs/import-costs.md: its commands, one after the other, print what stands below them."""

from __future__ import annotations

from pathlib import Path

from nullspend_margins.importing.names import CATEGORY, END, FIELDS, USUAL
from tests.docs.pages import DOCS, sections
from tests.docs.taken import taken
from tests.docs.terminal import Terminal

PAGE = "import-costs.md"
EXAMPLES = taken("sh", "text", page=PAGE)


def test_the_commands_print_what_the_page_says(tmp_path: Path) -> None:
    printed = None
    with Terminal(tmp_path, tmp_path) as terminal:
        for block in EXAMPLES:
            if block.language == "sh":
                printed = terminal.run(block.text)
            else:
                assert block.text == printed, block.label
    assert printed


def test_every_field_is_listed_with_every_usual_name() -> None:
    rows = [
        [cell.strip() for cell in line.split("|")[1:3]]
        for line in sections(DOCS / PAGE)["Columns"].splitlines()
        if line.startswith("| `")
    ]
    listed = {field.strip("`"): names for field, names in rows}
    assert listed.keys() == set(FIELDS) - {CATEGORY, END}
    for field, names in USUAL.items():
        shown = listed[field]
        stems = {name for name in names if f"`{name}`" in shown}
        suffixes = {name[1:-1] for name in shown.replace(",", " ").split() if name[1] == "_"}
        derived = {f"{stem}{suffix}" for stem in stems for suffix in suffixes}
        assert stems | derived == names
