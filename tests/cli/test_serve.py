"""``serve`` as a process, as it is run."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from nullspend_margins.app.serving import run
from tests.cli.conftest import COMMAND, ended, process
from tests.postgres import PostgresForTests


@pytest.mark.parametrize("installed", [True, False])
def test_servers_run_on_the_loop_that_uvicorn_would_choose(
    installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("uvloop")
    if not installed:
        monkeypatch.setitem(sys.modules, "uvloop", None)

    async def kind_of_loop() -> str:
        return type(asyncio.get_running_loop()).__module__.partition(".")[0]

    assert run(kind_of_loop()) == ("uvloop" if installed else "asyncio")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_one_line_when_ready_and_ends_cleanly(
    config: Path, stop: signal.Signals
) -> None:
    with process("serve", "--config", config, "--port", 0) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        [url] = re.findall(r"http://127\.0\.0\.1:[1-9]\d*$", line.rstrip())
        answer = httpx.get(f"{url}/api/margins", trust_env=False)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "authentication_required"
        missing = httpx.get(f"{url}/elsewhere", trust_env=False)
        assert missing.json()["error"]["code"] == "not_found"
        server.send_signal(stop)
        outcome = ended(server)
    assert (outcome.status, outcome.out) == (0, "")
    assert "Traceback" not in outcome.err


def test_the_line_has_the_prefix_that_routes_are_under(config: Path) -> None:
    config.write_text('[server]\nprefix = "/billing"\n')
    with process("serve", "--port", 0, NULLSPEND_MARGINS_CONFIG=str(config)) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        assert httpx.get(f"{url}/api/openapi.json", trust_env=False).status_code == 200
        assert url.endswith("/billing")


def test_serve_says_when_the_port_is_taken(config: Path) -> None:
    with process("serve", "--config", config, "--port", 0) as first:
        assert first.stdout is not None
        port = first.stdout.readline().rsplit(":", 1)[1].strip()
        with process("serve", "--config", config, "--port", port) as second:
            outcome = ended(second)
    assert (outcome.status, outcome.out) == (1, "")
    assert f"port {port}" in outcome.err
    assert "Traceback" not in outcome.err


def test_serve_without_a_configuration_file_starts_nothing(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [*COMMAND, "serve", "--config", tmp_path / "none.toml"], capture_output=True, text=True
    )
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert list(tmp_path.iterdir()) == []


def test_a_postgresql_database_without_tables_is_not_served(
    config: Path, postgres_server: PostgresForTests
) -> None:
    with postgres_server.database(migrated=False) as url:
        config.write_text(f'[database]\nurl = "{url}"\n')
        with process("serve", "--config", config, "--port", 0) as server:
            refused = ended(server)
        assert (refused.status, refused.out) == (1, "")
        assert "nullspend-margins migrate" in refused.err
        assert "Traceback" not in refused.err
        with process("migrate", "--config", config) as migration:
            assert ended(migration).status == 0
        with process("serve", "--config", config, "--port", 0) as server:
            assert server.stdout is not None
            assert "http://127.0.0.1:" in server.stdout.readline()


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_without_uvicorn_the_extra_to_install_is_named(command: str, config: Path) -> None:
    script = (
        "import sys\n"
        "sys.modules['uvicorn'] = None\n"
        "from nullspend_margins.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    arguments = [command] if command == "demo" else [command, "--config", str(config)]
    outcome = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True
    )
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert 'pip install "nullspend-margins[server]"' in outcome.stderr
    assert "Traceback" not in outcome.stderr
