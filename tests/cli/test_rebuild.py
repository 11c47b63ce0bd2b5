"""``rebuild``: what it says, and what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from nullspend_margins.storage import revisions
from nullspend_margins.storage.events import insert_events
from nullspend_margins.storage.facts import replace_facts
from tests.cli.conftest import COMMAND, Outcome, Run
from tests.docs.pages import DOCS, read
from tests.storage.builders import NOW, event, fact, invoice, sync
from tests.storage.rebuilding import opened


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Path:
    """A configuration on a database with two orgs in it."""
    path = tmp_path / "margins.toml"
    path.write_text(f'[database]\nurl = "{database_url}"\n')
    change(database_url, fill)
    return path


def change(url: str, work: Callable[[Connection], object]) -> None:
    async def run() -> None:
        async with opened(url) as database:
            await database.write(work)

    asyncio.run(run())


def fill(tx: Connection) -> None:
    for org_id in ("org_1", "org_2"):
        insert_events(tx, org_id, "api", [event("1", 5), event("2", 7, model="m")], NOW)
        sync(tx, [invoice("1", customer_name="Ada")], org_id=org_id)
        revisions.advance(tx, org_id)


def sql(*statements: str) -> Callable[[Connection], object]:
    return lambda tx: [tx.execute(text(statement)) for statement in statements]


DAMAGE = sql(
    "UPDATE margins_cost_months SET cost_nanodollars = 11 WHERE org_id = 'org_1'",
    "DELETE FROM margins_cost_model_days WHERE org_id = 'org_1' AND model = 'm'",
    "INSERT INTO margins_cost_model_days VALUES ('org_2', 20000, 'it''s', 'api', 'p', 'm', 1, 2)",
    "UPDATE margins_customer_months SET customer_name = NULL WHERE org_id = 'org_2'",
)
TOLD = [
    ["org_1", "cost_months", "month=2026-11 tag_value='acme'",
     "cost_nanodollars=11", "cost_nanodollars=12"],
    ["org_1", "cost_model_days",
     "day=2026-11-20 tag_value='acme' source='api' provider='openai' model='m'",
     "missing", "cost_nanodollars=7 request_count=1"],
    ["org_2", "cost_model_days",
     "day=2024-10-04 tag_value=\"it's\" source='api' provider='p' model='m'",
     "cost_nanodollars=1 request_count=2", "none"],
    ["org_2", "customer_months",
     "month=2026-11 provider='stripe' customer_id='cus_1'",
     "customer_name=None", "customer_name='Ada'"],
]  # fmt: skip


def test_what_is_right_is_one_line(run: Run, config: Path) -> None:
    for arguments in ((), ("--check",)):
        outcome = run("rebuild", "--config", config, *arguments)
        assert outcome == Outcome(0, "2 orgs, 10 cells, all right\n", "")
    shown = re.search(r"it .* says `(.+ all right)`", read(DOCS / "operations.md"))
    assert shown is not None
    assert re.sub(r"\d+", "#", f"{shown[1]}\n") == re.sub(r"\d+", "#", outcome.out)
    one = run("rebuild", "--config", config, "--org", "org_2")
    assert one == Outcome(0, "1 org, 5 cells, all right\n", "")


def test_an_org_that_has_nothing_is_said_to(run: Run, config: Path) -> None:
    outcome = run("rebuild", "--config", config, "--org", "org_9", "--check")
    assert outcome == Outcome(0, "org_9 has no costs and no revenue.\n", "")


def test_a_check_tells_each_wrong_cell_and_changes_nothing(
    run: Run, config: Path, database_url: str
) -> None:
    change(database_url, DAMAGE)
    for _ in range(2):
        outcome = run("rebuild", "--config", config, "--check")
        assert outcome.status == 1
        *cells, summary = outcome.out.splitlines()
        assert [each.split("\t") for each in cells] == TOLD
        assert summary == "2 orgs, 11 cells, 4 in 2 orgs wrong"
        assert outcome.err == "To mend: the same command without --check.\n"


def test_mending_tells_what_it_mended_of_one_org_and_then_of_the_rest(
    run: Run, config: Path, database_url: str
) -> None:
    change(database_url, DAMAGE)
    first = run("rebuild", "--config", config, "--org", "org_1")
    assert (first.status, first.err) == (0, "")
    *cells, summary = first.out.splitlines()
    assert [each.split("\t") for each in cells] == TOLD[:2]
    assert summary == "1 org, 5 cells, 2 in 1 org mended"
    second = run("rebuild", "--config", config)
    assert [each.split("\t") for each in second.out.splitlines()[:-1]] == TOLD[2:]
    assert run("rebuild", "--config", config, "--check").status == 0


def test_only_so_many_cells_are_told(run: Run, config: Path, database_url: str) -> None:
    def damage(tx: Connection) -> None:
        for org_id in ("org_1", "org_2"):
            many = [event(f"n{n}", tag_value=f"t{n}") for n in range(30)]
            insert_events(tx, org_id, "api", many, NOW)
        sql("DELETE FROM margins_cost_months WHERE tag_value != 'acme'")(tx)

    change(database_url, damage)
    for arguments, word in ((("--check",), "wrong"), ((), "mended")):
        lines = run("rebuild", "--config", config, *arguments).out.splitlines()
        assert len(lines) == 52
        assert lines[-2:] == ["and 10 more", f"2 orgs, 130 cells, 60 in 2 orgs {word}"]


def test_an_org_that_cannot_be_mended_stops_no_other(
    run: Run, config: Path, database_url: str
) -> None:
    def damage(tx: Connection) -> None:
        for key in "abc":
            replace_facts(tx, "org_1", "bill", [fact(key, 2**62)], NOW)
            sql("UPDATE margins_cost_months SET cost_nanodollars = 0")(tx)
            sql("UPDATE margins_cost_model_days SET cost_nanodollars = 0")(tx)

    change(database_url, damage)
    outcome = run("rebuild", "--config", config)
    assert outcome.status == 1
    assert outcome.err.startswith("org_1: failed: What a cell of cost_months must hold is beyond")
    assert outcome.out.splitlines()[-1] == "1 org, 5 cells, 3 in 1 org mended"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
async def test_a_terminal_gets_a_progress_bar_on_stderr_alone(tmp_path: Path) -> None:
    path = tmp_path / "margins.toml"
    path.write_text("")
    async with opened(f"sqlite:///{tmp_path / 'margins.db'}") as database:
        await database.write(fill)
    ours, theirs = os.openpty()
    running = await asyncio.create_subprocess_exec(
        *COMMAND, "rebuild", "--check", "--config", str(path),
        stdout=asyncio.subprocess.PIPE, stderr=theirs, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    drawn, (out, _) = await asyncio.gather(asyncio.to_thread(_read, ours), running.communicate())
    assert running.returncode == 0
    assert "Adding up" in drawn
    assert "2/2" in drawn
    assert out.decode() == "2 orgs, 10 cells, all right\n"


def _read(terminal: int) -> str:
    """Everything until the other side is closed, which Linux tells as an error."""
    chunks = []
    try:
        while chunk := os.read(terminal, 4096):
            chunks.append(chunk)
    except OSError:
        pass
    finally:
        os.close(terminal)
    return b"".join(chunks).decode()
