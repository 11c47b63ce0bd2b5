"""No example stands in the docs that nobody runs.

Test modules take the examples that they run (`tests.docs.taken`). All of those modules are imported
here, and what they took is compared with what is there, block by block and line by line.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, Block, blocks, prose, read
from tests.docs.taken import TAKEN, TAKEN_INLINE, inline_examples

NOT_RUN = {
    ("operations.md", "ini"): "needs a machine with systemd; parsed and compared with the crontab",
    ("operations.md", "yaml"): "needs a Kubernetes cluster; parsed and compared with the crontab",
    ("performance.md", "sh"): "takes from minutes to a quarter of an hour; its options are checked",
    ("README.md", "sh"): "run by .ci/run, each in an environment of its own; its order is checked",
}
"""Page and language of blocks that a test takes, and why it does not run them."""

BUILT = {"{toctree}", "{include}", "{eval-rst}"}
"""Not examples: what Sphinx builds the site with."""

FOR_A_READER = {
    ("operations.md", "python -m nullspend_margins COMMAND"),
    ("testing-plugins.md", 'return PLANS.get(org_id, "basic")'),
}
"""Looks like an example within a line, and is a form, or a part of one that is run."""

EXAMPLES = [block for block in blocks() if block.language not in BUILT]


@pytest.fixture(scope="module", autouse=True)
def modules() -> list[str]:
    """Every module that takes examples, imported."""
    found = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in sorted((ROOT / "tests").rglob("*.py"))
        if re.search(r"^from tests\.docs\.taken import", file.read_text("utf-8"), re.MULTILINE)
    ]
    for name in found:
        import_module(name)
    return found


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.label)
def test_every_example_is_taken_by_a_test(block: Block) -> None:
    assert block in TAKEN


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_within_a_line_is_taken_by_a_test(page: Path) -> None:
    found = {(page.name, text) for text in inline_examples(prose(page))}
    assert found - TAKEN_INLINE - FOR_A_READER == set()


def test_the_lists_name_nothing_that_is_not_there() -> None:
    assert NOT_RUN.keys() <= {(block.page.name, block.language) for block in EXAMPLES}
    assert {
        (page.name, text) for page in PAGES for text in inline_examples(prose(page))
    } >= FOR_A_READER


def test_commands_and_calls_with_arguments_count_as_examples_within_a_line() -> None:
    assert inline_examples('`print("hello")`, `Margins(...)`, `openssl rand 8`') == [
        'print("hello")',
        "openssl rand 8",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_example_hides_from_these_tests(page: Path) -> None:
    """Code is in fences of three backticks at the start of a line: what the tests look for."""
    lines = [line for line in read(page).splitlines() if line.lstrip().startswith(("```", "~~~"))]
    assert [line for line in lines if not line.startswith("```") or line.startswith("````")] == []
    assert len(lines) == 2 * len(blocks(page=page.name))
