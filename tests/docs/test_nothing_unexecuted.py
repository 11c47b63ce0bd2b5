"""No example stands in the docs that nobody runs, but for a short list with reasons."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, Block, blocks, read

RUN = {
    ("README.md", "python"): "tests/docs/test_examples.py",
    ("README.md", "sh"): ".ci/run",
    ("README.md", "toml"): "tests/docs/test_examples.py",
    ("alerts.md", "json"): "tests/docs/test_examples.py",
    ("alerts.md", "python"): "tests/webhook/test_docs.py",
    ("alerts.md", "toml"): "tests/docs/test_examples.py",
    ("api.md", "json"): "tests/docs/test_examples.py",
    ("configuration.md", "toml"): "tests/docs/test_examples.py",
    ("csv-provider.md", "json"): "tests/docs/test_csv_provider.py",
    ("csv-provider.md", "sh"): "tests/docs/test_csv_provider.py",
    ("csv-provider.md", "text"): "tests/docs/test_csv_provider.py",
    ("csv-provider.md", "toml"): "tests/docs/test_examples.py",
    ("litellm.md", "json"): "tests/litellm/test_page.py",
    ("litellm.md", "sh"): "tests/litellm/test_page.py",
    ("litellm.md", "sql"): "tests/litellm_plugin/test_reading.py",
    ("litellm.md", "text"): "tests/litellm/test_page.py",
    ("litellm.md", "toml"): "tests/docs/test_examples.py",
    ("dashboard.md", "jinja"): "tests/docs/test_dashboard.py",
    ("dashboard.md", "toml"): "tests/docs/test_dashboard.py",
    ("import-costs.md", "sh"): "tests/docs/test_import_examples.py",
    ("import-costs.md", "text"): "tests/docs/test_import_examples.py",
    ("metering.md", "python"): "tests/docs/test_metering_examples.py",
    ("metering.md", "text"): "tests/docs/test_metering_examples.py",
    ("metering.md", "toml"): "tests/docs/test_examples.py",
    ("mounting.md", "python"): "tests/docs/test_mounting_examples.py",
    ("mounting.md", "sh"): "tests/docs/test_mounting_examples.py",
    ("mounting.md", "text"): "tests/docs/test_mounting_examples.py",
    ("mounting.md", "toml"): "tests/docs/test_examples.py",
    ("operations.md", "crontab"): "tests/docs/test_operations_examples.py",
    ("operations.md", "sh"): "tests/docs/test_backup_examples.py",
    ("operations.md", "text"): "tests/docs/test_operations_examples.py",
    ("plugins.md", "json"): "tests/docs/test_examples.py",
    ("plugins.md", "python"): "tests/docs/test_plugin_examples.py",
    ("plugins.md", "toml"): "tests/docs/test_examples.py",
    ("recording.md", "python"): "tests/recording/test_docs.py",
    ("recording.md", "toml"): "tests/docs/test_examples.py",
    ("sql-source.md", "sql"): "tests/docs/test_sql_source.py",
    ("sql-source.md", "toml"): "tests/docs/test_sql_source.py",
    ("testing-plugins.md", "python"): "tests/docs/test_testing_plugins.py",
    ("testing-plugins.md", "sh"): "tests/docs/test_testing_plugins.py",
    ("testing-plugins.md", "text"): "tests/docs/test_testing_plugins.py",
    ("tutorial.md", "json"): "tests/docs/test_tutorial.py",
    ("tutorial.md", "sh"): "tests/docs/test_tutorial.py",
    ("tutorial.md", "text"): "tests/docs/test_tutorial.py",
    ("write-a-cost-source.md", "python"): "tests/docs/test_building_plugins.py",
    ("write-a-cost-source.md", "sh"): "tests/docs/test_building_plugins.py",
    ("write-a-cost-source.md", "text"): "tests/docs/test_building_plugins.py",
    ("write-a-revenue-provider.md", "python"): "tests/docs/test_building_plugins.py",
    ("write-a-revenue-provider.md", "sh"): "tests/docs/test_building_plugins.py",
    ("write-a-revenue-provider.md", "text"): "tests/docs/test_building_plugins.py",
}
"""Page and language, and what runs every such block of the page."""

NOT_RUN = {
    ("operations.md", "ini"): "needs a machine with systemd; parsed and compared with the crontab",
    ("operations.md", "yaml"): "needs a Kubernetes cluster; parsed and compared with the crontab",
    ("performance.md", "sh"): "takes from minutes to a quarter of an hour; its options are checked",
}
"""Page and language, and why such blocks are not run."""

BUILT = {"{toctree}", "{include}", "{eval-rst}"}
"""Not examples: what Sphinx builds the site with."""

EXAMPLES = [block for block in blocks() if block.language not in BUILT]


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.label)
def test_every_example_is_run_or_has_a_reason_why_not(block: Block) -> None:
    assert (block.page.name, block.language) in RUN.keys() | NOT_RUN.keys()


def test_the_lists_name_nothing_that_is_not_there() -> None:
    found = {(block.page.name, block.language) for block in EXAMPLES}
    assert RUN.keys() | NOT_RUN.keys() == found
    assert not RUN.keys() & NOT_RUN.keys()
    assert [path for path in set(RUN.values()) if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_example_hides_from_these_tests(page: Path) -> None:
    """Code is in fences of three backticks at the start of a line: what the tests look for."""
    lines = [line for line in read(page).splitlines() if line.lstrip().startswith(("```", "~~~"))]
    assert [line for line in lines if not line.startswith("```") or line.startswith("````")] == []
    assert len(lines) == 2 * len(blocks(page=page.name))
