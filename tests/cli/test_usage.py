"""How commands are written, and what is said when they are written wrongly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Run

WITH_CONFIG = (
    ("serve",),
    ("migrate",),
    ("session", "--org", "o", "--user", "u", "--role", "admin"),
    ("keys", "create", "--org", "o"),
    ("keys", "list", "--org", "o"),
    ("keys", "revoke", "--org", "o", "x"),
    ("sync",),
    ("import-costs", "costs.csv"),
    ("alerts", "list"),
    ("alerts", "resend", "--all-dead"),
    ("rebuild",),
    ("plugins",),
)


def test_help_names_every_command(run: Run) -> None:
    outcome = run("--help")
    assert outcome.status == 0
    listed = [line.split()[0] for line in outcome.out.partition("Commands:")[2].split("\n  ")[1:]]
    assert [name for name in listed if name] == [
        "demo", "demo-stripe", "serve", "migrate", "session", "sync", "import-costs",
        "rebuild", "plugins", "new-plugin", "check-config", "openapi", "keys", "alerts",
    ]  # fmt: skip


def test_help_loads_neither_the_database_nor_stripe_nor_the_server() -> None:
    script = (
        "import sys\n"
        "from nullspend_margins.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'stripe', 'uvicorn', 'httpx', 'starlette', 'cryptography',"
        " 'pyarrow'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", WITH_CONFIG, ids=" ".join)
def test_without_a_configuration_a_command_says_how_to_name_one(
    run: Run, arguments: tuple[str, ...]
) -> None:
    outcome = run(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert "--config" in outcome.err
    assert "NULLSPEND_MARGINS_CONFIG" in outcome.err


def test_the_environment_names_the_configuration(
    run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NULLSPEND_MARGINS_CONFIG", str(config))
    assert run("plugins").status == 0


def test_a_file_that_is_not_there_is_one_line_without_a_traceback(run: Run, tmp_path: Path) -> None:
    outcome = run("sync", "--config", tmp_path / "none.toml")
    assert (outcome.status, outcome.out) == (1, "")
    assert "none.toml" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_the_package_is_the_same_command() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert "Usage: nullspend-margins" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create"),
        ("keys", "list"),
        ("keys", "revoke", "x"),
        ("session", "--user", "u", "--role", "admin"),
        ("sync",),
        ("alerts", "list"),
        ("alerts", "resend", "--all-dead"),
        ("rebuild",),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("org", ["", "a\nb", "x" * 257], ids=["empty", "lines", "long"])
def test_what_can_be_no_org_is_refused(
    run: Run, config: Path, arguments: tuple[str, ...], org: str
) -> None:
    outcome = run(*arguments, "--config", config, "--org", org)
    assert (outcome.status, outcome.out) == (2, "")
    assert "Invalid value for '--org': must " in outcome.err
    assert [each.name for each in config.parent.iterdir()] == [config.name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [("openapi",), ("plugins",)], ids=" ".join)
def test_a_result_that_nobody_takes_is_one_line_without_a_traceback(
    config: Path, arguments: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "NULLSPEND_MARGINS_CONFIG": str(config)},
        )
    assert (done.returncode, done.stderr) == (
        1,
        "Error: The result cannot be written: No space left on device.\n",
    )


def test_a_command_without_an_output_does_its_work(config: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "plugins", "--config", str(config)],
        stderr=subprocess.PIPE,
        preexec_fn=lambda: os.close(1),
    )
    assert (done.returncode, done.stderr) == (0, b"")
