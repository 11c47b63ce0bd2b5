"""docs/csv-provider.md: its commands in two terminals, its tables, and the file that it adds up."""

from __future__ import annotations

import io
import json
import socket
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from nullspend_margins import Period, RevenueFact
from nullspend_margins.domain.recognition import month_cells
from nullspend_margins.domain.revenue_part import BASES
from nullspend_margins_csv.columns import NAMES
from nullspend_margins_csv.kinds import KINDS
from nullspend_margins_csv.rows import read_rows
from tests.docs.pages import DOCS, sections
from tests.docs.taken import steps, taken
from tests.docs.terminal import Terminal
from tests.docs.test_tutorial import matches

PAGE = "csv-provider.md"
[YEAR] = taken("sh", page=PAGE, having="> year.csv")
STEPS = steps(PAGE)
CENTS = 10_000
MINUS = "\u2212"
SIGNS = {1: "+", -1: MINUS, 0: ""}


def test_the_commands_print_what_the_page_says(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    with ExitStack() as closing:
        terminals = [closing.enter_context(Terminal(tmp_path, tmp_path)) for _ in range(2)]
        for command, *shown in STEPS:
            text = command.text.replace("8000", port)
            if "margins serve" in text:
                [ready] = [block.text.replace("8000", port) for block in shown]
                terminals[1].start(text, ready.strip())
                continue
            printed = terminals[0].run(text)
            for block in shown:
                if block.language == "json":
                    assert matches(json.loads(block.text), json.loads(printed)), printed
                else:
                    assert block.text == printed.replace("\r\n", "\n"), block.label
        terminals[1].interrupt()


def table(section: str) -> list[list[str]]:
    """The cells of a section's last table, without its head."""
    lines = sections(DOCS / PAGE)[section].split("\n\n")
    [*_, found] = [each for each in lines if each.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in found.splitlines()]
    return rows[2:]


def facts(text: str) -> list[RevenueFact]:
    found = list(read_rows(io.BytesIO(text.encode())))
    assert all(isinstance(row, RevenueFact) for row in found), found
    return [row for row in found if isinstance(row, RevenueFact)]


def test_every_column_is_listed_with_its_names() -> None:
    listed = "".join(f"{first} {second}" for first, second, *_ in table("Columns"))
    assert [name for names in NAMES.values() for name in names if f"`{name}`" not in listed] == []


def test_the_kinds_count_as_their_table_says() -> None:
    tables = sections(DOCS / PAGE)["Kinds"].split("\n\n")
    [first, *_] = [each for each in tables if each.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in first.splitlines()[2:]]
    assert {kind.split("`")[1] for kind, *_ in rows} == KINDS.keys()
    for kind, _, *signs in rows:
        word = kind.split("`")[1]
        [fact] = facts(f"customer,date,amount,kind\nacme,2026-01-01,1,{word}\n")
        [amounts] = month_cells(fact.all_parts, fact.digits).values()
        assert signs == [SIGNS[amount // 1_000_000] for amount in amounts], word


def test_the_example_adds_up_to_its_table() -> None:
    totals: Counter[tuple[str, str]] = Counter()
    for fact in facts("".join(YEAR.text.splitlines(keepends=True)[1:-1])):
        for month, amounts in month_cells(fact.all_parts, fact.digits).items():
            for basis, amount in zip(BASES, amounts, strict=True):
                totals[str(Period(month)), basis] += amount // CENTS
    for month, *shown in table("Kinds"):
        cents = [int(each.replace(MINUS, "-").replace(".", "")) for each in shown]
        assert cents == [totals[month, basis] for basis in BASES], month
