"""What pages claim in tables of their own is what the code says."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from fractions import Fraction

from nullspend_margins.config import HealthSettings
from nullspend_margins.domain.access import PLANS, ROLES
from nullspend_margins.domain.margin import health_tier
from nullspend_margins.storage import tables
from nullspend_margins.storage.columns import VERSION_TABLE
from tests.docs.pages import DOCS, ROOT, read, sections
from tests.docs.taken import taken


def test_the_sample_rows_of_the_index_are_computed_as_the_product_does() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in read(DOCS / "index.md").splitlines()
        if "$" in line
    ]
    percents = []
    for _, revenue, cost, percent, tier in rows:
        paid, spent = (int(Decimal(text.lstrip("$")) * 1_000_000) for text in (revenue, cost))
        percents.append(Decimal(percent.replace("\N{MINUS SIGN}", "-").removesuffix(" %")))
        assert round(Fraction(paid - spent, paid) * 100, 2) == percents[-1]
        found = health_tier(paid, spent, HealthSettings().thresholds)
        assert found.wire_name.replace("_", " ") == tier
    assert len(rows) == 4
    assert percents == sorted(percents)


def test_the_security_page_says_what_is_in_every_table() -> None:
    section = sections(DOCS / "security.md")["What is in the database"]
    named = set(re.findall(r"`(margins_\w+)`", section))
    assert named == {*tables.cost_events.metadata.tables, VERSION_TABLE}


def test_the_glossary_knows_every_role_plan_and_health_tier() -> None:
    words = set(re.findall(r"`(\w+)`", read(DOCS / "glossary.md")))
    assert {*ROLES, *PLANS, "healthy", "moderate", "at_risk", "critical"} <= words


def test_the_commands_of_the_performance_page_are_ones_that_the_benchmarks_take() -> None:
    from benchmarks.__main__ import _options as read_options  # with all that it compares with

    [commands] = taken("sh", page="performance.md")
    for line in commands.text.splitlines():
        command, *arguments = line.split(" -m benchmarks ")
        assert command == ".venv/bin/python"
        assert read_options(arguments[0].split())


def test_the_rooms_of_the_house_are_the_layers_that_imports_keep() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["tool"]["importlinter"]
    [layers] = [each["layers"] for each in project["contracts"] if each["type"] == "layers"]
    section = sections(DOCS / "decisions.md")["The house"]
    first = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    rooms = [set(re.findall(r"`(\w+)`", cell)) for cell in first]
    assert rooms == [set(layer.split(" | ")) for layer in reversed(layers)]
