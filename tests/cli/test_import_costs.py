"""``import-costs``: what it says, what it stores, and what a kill leaves of it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Outcome, Run, ended, process
from tests.importing.importing import sums
from tests.importing.test_focus import SAMPLE
from tests.storage.rebuilding import check, opened

CSV = """\
customer_id,day,model,cost_usd,requests
acme,2026-10-30,gpt-4o,1.25,3
acme,2026-10-30,gpt-4o,-0.25,0
zeta,2026-11-01,gpt-4o,2,1
,2026-11-01,gpt-4o,0.5,1
"""
TAKEN_FOR = """\
costs.csv: CSV (comma)
  customer  customer_id
  cost      cost_usd, in usd
  date      day
  provider  none, "unknown"
  model     model
  requests  requests
  id        none: one fact for each day, customer, provider and model
"""
READ = """\
costs.csv: 4 rows, 3 facts of import:costs
  1 row without a customer: unattributed
"""
KILLED_ROWS = 90_000


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Path:
    path = tmp_path / "margins.toml"
    path.write_text(f'[database]\nurl = "{database_url}"\n[sync]\nlease_seconds = 5\n')
    return path


@pytest.fixture
def costs(tmp_path: Path) -> Path:
    path = tmp_path / "costs.csv"
    path.write_text(CSV)
    return path


def stored(url: str, org_id: str = "org_1") -> dict[tuple[str, str, str, str], tuple[int, int]]:
    """What is in the database; its sums are right."""

    async def run() -> dict[tuple[str, str, str, str], tuple[int, int]]:
        async with opened(url) as database:
            assert (await check(database, org_id)).wrong == 0
            return await sums(database, org_id)

    return asyncio.run(run())


def test_a_file_is_imported_once_however_often(
    run: Run, config: Path, costs: Path, database_url: str
) -> None:
    for said in ("3 new, 0 changed, 0 unchanged\n", "0 new, 0 changed, 3 unchanged\n"):
        outcome = run("import-costs", costs, "--config", config, "--org", "org_1")
        assert outcome == Outcome(0, TAKEN_FOR + READ + said, "")
    assert stored(database_url) == {
        ("2026-10-30", "acme", "unknown", "gpt-4o"): (10**9, 3),
        ("2026-11-01", "zeta", "unknown", "gpt-4o"): (2 * 10**9, 1),
        ("2026-11-01", "", "unknown", "gpt-4o"): (5 * 10**8, 1),
    }


def test_a_dry_run_tells_sums_and_changes_and_stores_nothing(
    run: Run, config: Path, costs: Path, database_url: str
) -> None:
    outcome = run("import-costs", costs, "--config", config, "--org", "org_1", "--dry-run")
    assert outcome == Outcome(
        0,
        f"{TAKEN_FOR}{READ}By month, USD:\norg_1\t2026-10\t1.00\norg_1\t2026-11\t2.50\n"
        "Customers that cost most, USD:\norg_1\tzeta\t2.00\norg_1\tacme\t1.00\n"
        "org_1\t(none)\t0.50\nDry run: 3 new, 0 changed, 0 unchanged\n",
        "",
    )
    assert stored(database_url) == {}


def test_an_org_that_is_much_like_a_known_one_is_guessed(
    run: Run, config: Path, costs: Path
) -> None:
    config.write_text(config.read_text() + '[plans.orgs]\norg_1 = "pro"\n')
    for org, said in (
        ("org1", "--org org1: [plans.orgs] has no such org. Did you mean org_1?\n"),
        ("org_1", ""),
        ("elsewhere", ""),
    ):
        outcome = run("import-costs", costs, "--config", config, "--org", org, "--dry-run")
        assert (outcome.status, outcome.err) == (0, said)


def test_a_corrected_file_changes_what_it_corrects(
    run: Run, config: Path, costs: Path, database_url: str
) -> None:
    command = ("import-costs", costs, "--config", config, "--org", "org_1")
    run(*command)
    costs.write_text(CSV.replace("zeta,2026-11-01,gpt-4o,2,1\n", "").replace("1.25", "1.5"))
    assert run(*command).out.endswith("\n0 new, 1 changed, 1 unchanged\n")
    assert len(stored(database_url)) == 3
    dry = run(*command, "--replace", "--dry-run")
    assert dry.out.endswith("\nDry run: 0 new, 0 changed, 2 unchanged, 1 removed\n")
    assert run(*command, "--replace").out.endswith("\n0 new, 0 changed, 2 unchanged, 1 removed\n")
    assert sum(cost for cost, _ in stored(database_url).values()) == 175 * 10**7


def test_problems_are_told_by_line_and_nothing_is_imported(
    run: Run, config: Path, costs: Path, database_url: str
) -> None:
    bad = "".join(f'a,2026-11-01,m,"{n},00",1\n' for n in range(25))
    costs.write_text(CSV + bad)
    command = ("import-costs", costs, "--config", config, "--org", "org_1")
    outcome = run(*command)
    assert (outcome.status, outcome.out) == (1, TAKEN_FOR)
    first, *others = outcome.err.splitlines()
    assert first == (
        "costs.csv:6: cost_usd: '0,00' may be read in two ways: "
        "write 1234.5, with a point for decimals alone"
    )
    assert len(others) == 21
    assert others[-2:] == [
        "and 5 more",
        "25 problems; nothing is imported. Mend the file, or leave such rows out with --skip-bad.",
    ]
    assert stored(database_url) == {}
    dry = run(*command, "--dry-run")
    assert (dry.status, dry.err) == (1, outcome.err)
    assert dry.out.endswith("Dry run: 3 new, 0 changed, 0 unchanged\n")


def test_bad_rows_are_left_out_when_that_is_said(
    run: Run, config: Path, costs: Path, database_url: str
) -> None:
    costs.write_text(CSV + "a,2026-11-01,m,x\x1b[31m\n")
    command = ("import-costs", costs, "--config", config, "--org", "org_1", "--skip-bad")
    outcome = run(*command)
    assert outcome.status == 0
    assert outcome.err == (
        "costs.csv:6: has 4 fields, the header has 5\n1 row with problems left out.\n"
    )
    assert len(stored(database_url)) == 3


def test_what_is_quoted_from_a_file_does_not_steer_a_terminal(
    run: Run, config: Path, costs: Path
) -> None:
    costs.write_text("customer,day,cost\na,2026-11-01,x\x1b[31m\u202e\n")
    outcome = run("import-costs", costs, "--config", config, "--org", "org_1")
    assert outcome.err.replace("\n", "").isprintable()


def test_a_cloud_bill_tells_what_it_leaves_out(run: Run, config: Path, database_url: str) -> None:
    command = ("import-costs", SAMPLE, "--config", config, "--org", "org_1", "--without", "Tax")
    outcome = run(*command)
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0] == "focus-1.2.csv: CSV (comma), FOCUS"
    assert "  customer  Tags, its 'customer'" in lines
    assert lines[-5:] == [
        "focus-1.2.csv: 10 rows, 6 facts of import:focus",
        "  2 rows left out: 1 Tax, 1 EUR",
        "  3 rows without a customer: unattributed",
        "  1 row for more than a day: counted on the first",
        "6 new, 0 changed, 0 unchanged",
    ]
    assert len(stored(database_url)) == 5


def test_a_tag_that_no_row_has_is_told_with_those_that_there_are(run: Run, config: Path) -> None:
    command = ("import-costs", SAMPLE, "--config", config, "--org", "o", "--customer-tag", "tenant")
    outcome = run(*command, "--dry-run")
    assert outcome.status == 0
    assert outcome.err == "No row has the tag 'tenant'; the tags are: customer, env, spot, team.\n"


def test_nothing_is_said_of_tags_when_no_row_got_as_far(
    run: Run, config: Path, tmp_path: Path
) -> None:
    bill = tmp_path / "bill.csv"
    bill.write_text(
        "BilledCost,BillingCurrency,ChargePeriodStart,Tags\n"
        '1,EUR,2026-10-01T00:00:00Z,"{""customer"": ""acme""}"\n'
    )
    outcome = run("import-costs", bill, "--config", config, "--org", "o", "--dry-run")
    assert "1 row left out: 1 EUR" in outcome.out
    assert outcome.err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--column", "costs=x"), "did you mean cost?"),
        (("--column", "x"), "write FIELD=COLUMN"),
        (("--column", "cost=a", "--column", "cost=b"), "is given twice"),
        (("--replace", "--skip-bad"), "--skip-bad"),
        (("--source", ""), "--source must not be empty"),
        (("--org", "a\nb"), "for '--org': must not contain control characters"),
        (("--format", "xlsx"), "'xlsx' is not one of"),
        (("--unit", "eur"), "'eur' is not one of"),
    ],
)  # fmt: skip
def test_a_command_that_is_written_wrongly_is_said_to(
    run: Run, costs: Path, arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    outcome = run("import-costs", costs, "--config", tmp_path / "none.toml", *arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert said in " ".join(outcome.err.replace("│", " ").split())


def test_an_org_may_have_as_long_a_name_as_anywhere(run: Run, config: Path, costs: Path) -> None:
    outcome = run("import-costs", costs, "--config", config, "--org", "o" * 256, "--dry-run")
    assert (outcome.status, outcome.err) == (0, "")


def test_what_a_file_leaves_open_is_one_message(run: Run, config: Path, costs: Path) -> None:
    outcome = run("import-costs", costs, "--config", config)
    assert outcome == Outcome(
        1, "", "Error: Whose costs are these? Say --org ORG, or --column org=COLUMN.\n"
    )


def test_an_import_that_is_killed_is_done_by_the_next(
    run: Run, config: Path, tmp_path: Path, database_url: str
) -> None:
    path = tmp_path / "many.csv"
    expected: dict[tuple[str, str, str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    with path.open("w") as file:
        file.write("id,customer,day,model,cost\n")
        for n in range(KILLED_ROWS):
            customer, day = f"c{n % 97}", f"2026-{n % 3 + 9:02d}-{n % 28 + 1:02d}"
            file.write(f"{n},{customer},{day},m,0.{n:09d}\n")
            cell = (day, customer, "unknown", "m")
            expected[cell] = (expected[cell][0] + n, 0)
    command = ("import-costs", path, "--config", config, "--org", "org_1")
    with process(*command) as running:
        deadline = time.monotonic() + 60
        while not (part := stored(database_url)):
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)  # whom it waits for needs the processor
        running.kill()
        assert ended(running).status == -9
    assert part != expected
    outcome = run(*command)
    assert outcome.status == 0, outcome.err
    new, changed, unchanged = (int(each.split()[0].replace(",", "")) for each in
                               outcome.out.splitlines()[-1].split(", "))  # fmt: skip
    assert changed == 0
    assert unchanged > 0
    assert new + unchanged == KILLED_ROWS
    assert stored(database_url) == {cell: amount for cell, amount in expected.items() if amount[0]}


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
async def test_a_terminal_gets_a_progress_bar_on_stderr_alone(costs: Path, tmp_path: Path) -> None:
    (tmp_path / "margins.toml").write_text("")
    ours, theirs = os.openpty()
    running = await asyncio.create_subprocess_exec(
        *COMMAND, "import-costs", str(costs), "--config", str(tmp_path / "margins.toml"),
        "--org", "org_1", stdout=subprocess.PIPE, stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    drawn, (out, _) = await asyncio.gather(asyncio.to_thread(_read, ours), running.communicate())
    assert running.returncode == 0
    assert "Storing" in drawn
    assert out.decode() == TAKEN_FOR + READ + "3 new, 0 changed, 0 unchanged\n"


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
