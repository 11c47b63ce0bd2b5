"""The snippets of docs/operations.md, parsed, and run where this machine can."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from tests.docs.pages import DOCS, ROOT, Block, read
from tests.docs.taken import taken

PAGE = "operations.md"
[HEADER] = taken("text", page=PAGE)
[CRONTAB] = taken("crontab", page=PAGE)
SERVICE, TIMER = taken("ini", page=PAGE)
[JOB] = taken("yaml", page=PAGE)
[MONITORED] = taken("sh", page=PAGE, having='"errors":0')
SECRET = "cron-secret-of-this-test"
URL = "https://app.example.com/api/stripe/revenue-sync"


def _unit(block: Block) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(block.text)
    return parser


def cron_command() -> list[str]:
    """The command of the crontab line."""
    *schedule, command = CRONTAB.text.strip().split(maxsplit=5)
    assert len(schedule) == 5
    return shlex.split(command)


def test_the_crontab_line_shows_no_secret_on_the_command_line() -> None:
    header = cron_command()[cron_command().index("-H") + 1]
    assert header.startswith("@/")


def test_the_systemd_service_and_timer_run_the_same_command_as_cron() -> None:
    service, timer = _unit(SERVICE), _unit(TIMER)
    assert service["Service"]["Type"] == "oneshot"
    credential, _, file = service["Service"]["LoadCredential"].partition(":")
    command = shlex.split(service["Service"]["ExecStart"])
    expanded = [each.replace(f"${{CREDENTIALS_DIRECTORY}}/{credential}", file) for each in command]
    assert ["curl", *expanded[1:]] == cron_command()
    assert timer["Timer"]["OnCalendar"]
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_the_kubernetes_job_runs_the_same_command_as_cron() -> None:
    job = yaml.safe_load(JOB.text)
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    [mount] = container["volumeMounts"]
    assert [volume["name"] for volume in pod["volumes"]] == [mount["name"]]
    expected = [
        f"@{mount['mountPath']}/cron-header" if each.startswith("@") else each
        for each in cron_command()[1:]
    ]
    assert container["args"] == expected


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The product in a process of its own, on a free port; its URL."""
    (tmp_path / "margins.toml").write_text(f'[cron]\nsecret = "{SECRET}"\n')
    command = [sys.executable, "-m", "nullspend_margins", "serve", "--port", "0"]
    path = os.pathsep.join([str(ROOT), str(ROOT / "plugins"), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [*command, "--config", str(tmp_path / "margins.toml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdout is not None
    try:
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_crontab_line_syncs_and_fails_loudly_with_a_wrong_secret(
    served: str, tmp_path: Path
) -> None:
    header = tmp_path / "cron-header"
    command = [_of_this_test(each, served, header) for each in cron_command()]
    header.write_text(HEADER.text.replace("the-value-of-cron.secret", SECRET))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, '{"data":{"synced":0,"errors":0}}')
    header.write_text("Authorization: Bearer wrong\n")
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 22
    assert "401" in refused.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_monitored_call_succeeds_without_errors_and_fails_with_them(tmp_path: Path) -> None:
    header = tmp_path / "cron-header"
    header.write_text("Authorization: Bearer any\n")
    for errors, succeeds in ((0, True), (1, False), (10, False)):
        with _answering(f'{{"data":{{"synced":5,"errors":{errors}}}}}') as url:
            command = _of_this_test(MONITORED.text, url, header)
            done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60)
        assert (done.returncode == 0) is succeeds


def _of_this_test(command: str, url: str, header: Path) -> str:
    """The page's command with this test's server and header file."""
    return command.replace("https://app.example.com", url).replace(
        "/etc/nullspend-margins/cron-header", str(header)
    )


@contextmanager
def _answering(body: str) -> Iterator[str]:
    """A server that answers every GET with ``body``; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_the_loggers_that_are_named_are_those_of_the_product() -> None:
    package = ROOT / "nullspend_margins"
    used: set[str] = set()
    for source in package.rglob("*.py"):
        text = source.read_text("utf-8")
        used.update(re.findall(r'getLogger\("nullspend_margins(\.\w+)"\)', text))
        if "getLogger(__name__)" in text:
            used.add(f".{source.relative_to(package).parts[0]}")
    [paragraph] = [line for line in read(DOCS / "operations.md").splitlines() if "`.web`" in line]
    assert set(re.findall(r"`(\.\w+)`", paragraph)) == used
