"""``demo`` as a process: from the command to a signed-in table, and to its end."""

from __future__ import annotations

import csv
import io
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.cli.conftest import ended, process

TIERS = {"healthy", "moderate", "at_risk", "critical"}


@dataclass(frozen=True, slots=True)
class RunningDemo:
    process: subprocess.Popen[str]
    lines: list[str]
    folder: Path

    @property
    def link(self) -> str:
        [line] = [line for line in self.lines if "/demo/sign-in?token=" in line]
        return line.split()[-1]

    @property
    def url(self) -> str:
        return self.link.partition("/demo/")[0]

    def visitor(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, follow_redirects=True)


def started(folder: Path, *arguments: object) -> Iterator[RunningDemo]:
    """A demo that is ready, in an environment whose proxy leads nowhere."""
    proxy = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    environment = {"TMPDIR": str(folder), **proxy}
    with process("demo", "--no-browser", *arguments, **environment) as running:
        assert running.stdout is not None
        lines = []
        for line in running.stdout:
            lines.append(line.rstrip("\n"))
            if "Ctrl-C" in line:
                break
        else:
            pytest.fail(f"the demo ended: {ended(running).err}")
        yield RunningDemo(running, lines, folder)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    yield from started(tmp_path_factory.mktemp("demo"), "--port", 0)


def test_the_link_signs_in_with_a_guarded_cookie_and_leads_to_the_pages(demo: RunningDemo) -> None:
    answer = httpx.get(demo.link, trust_env=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/margins"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("nullspend_session=")
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()


def test_the_page_that_it_leads_to_shows_the_customers(demo: RunningDemo) -> None:
    with demo.visitor() as visitor:
        page = visitor.get(demo.link)
    assert page.headers["content-type"].startswith("text/html")
    for name in ("Acme Robotics", "株式会社あおぞら", "O&#39;Reilly &amp; Sons"):
        assert name in page.text


def test_signed_out_the_pages_and_the_hosts_own_lead_to_each_other(demo: RunningDemo) -> None:
    with demo.visitor() as visitor:
        refused = visitor.get("/margins")
        home = visitor.get("/")
    assert refused.status_code == 401
    assert 'href="/"' in refused.text
    assert "link in the terminal" in home.text
    assert 'href="/margins"' in home.text


def test_the_table_has_customers_of_every_tier(demo: RunningDemo) -> None:
    with demo.visitor() as visitor:
        visitor.get(demo.link)
        table = visitor.get("/api/margins").json()["data"]
    rows, summary = table["customers"], table["summary"]
    assert len(rows) >= 30
    assert {row["healthTier"] for row in rows} == TIERS
    assert summary["syncStatus"] == "active"
    assert summary["skippedCurrencies"]["eur"] >= 3
    assert 0 < summary["totalCostMicrodollars"] < summary["totalRevenueMicrodollars"]
    names = {row["customerName"] for row in rows}
    assert {"株式会社あおぞら", "O'Reilly & Sons"} <= names
    without_revenue = [row for row in rows if row["revenueMicrodollars"] == 0]
    assert len(without_revenue) >= 3
    assert any(len(row["sparkline"]) == 4 for row in rows)
    assert any(row["projectedTierWorsening"] for row in rows)


def test_something_is_left_to_map(demo: RunningDemo) -> None:
    with demo.visitor() as visitor:
        visitor.get(demo.link)
        unmatched = visitor.get("/api/margins/unmatched").json()["data"]
    assert len(unmatched["unmatchedStripeCustomers"]) >= 3
    assert len(unmatched["unmappedTagValues"]) >= 3
    confidences = Counter(match["confidence"] for match in unmatched["pendingAutoMatches"])
    assert confidences[1.0] >= 2
    assert confidences[0.9] >= 2


def test_every_customer_of_the_table_can_be_opened(demo: RunningDemo) -> None:
    with demo.visitor() as visitor:
        visitor.get(demo.link)
        rows = visitor.get("/api/margins").json()["data"]["customers"]
        for row in rows:
            answer = visitor.get(f"/api/margins/{quote(row['tagValue'], safe='')}")
            assert answer.status_code == 200, row["tagValue"]
            detail = answer.json()["data"]
            models = detail["modelBreakdown"]
            assert sum(model["cost"] for model in models) == row["costMicrodollars"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_printed_commands_work_when_pasted(demo: RunningDemo) -> None:
    commands = [line.strip() for line in demo.lines if line.strip().startswith("curl ")]
    answers = [
        subprocess.run(shlex.split(command), capture_output=True, text=True, check=True).stdout
        for command in commands
    ]
    assert len(answers) == 3
    assert '"customers"' in answers[0]
    rows = list(csv.reader(io.StringIO(answers[1])))
    assert rows[0][0] == "Customer"
    assert len(rows) > 30
    assert '"modelBreakdown"' in answers[2]


def test_without_the_link_nobody_gets_in(demo: RunningDemo) -> None:
    with demo.visitor() as visitor:
        assert visitor.get("/api/margins").status_code == 401
        refused = visitor.get("/demo/sign-in", params={"token": "guess"})
        assert refused.status_code == 403
        assert "set-cookie" not in refused.headers
        assert visitor.get("/").status_code == 200
        assert visitor.get("/api/margins").status_code == 401


def test_it_says_what_it_did(demo: RunningDemo) -> None:
    told = "\n".join(demo.lines)
    for expected in ("Cost events: ", "paid invoices", "in EUR", "unmatched", "auto-matches"):
        assert expected in told
    assert all(re.search(rf"[1-9]\d* {tier}", told) for tier in TIERS)
    assert "\x1b" not in told


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_taken_port_is_replaced_and_a_signal_ends_the_demo_without_a_trace(
    tmp_path: Path, stop: signal.Signals
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for running in started(tmp_path, "--port", port):
            assert urlsplit(running.link).port != port
            assert f"port {port}" in running.lines[0]
            assert running.url in running.lines[0]
            assert list(tmp_path.iterdir())
            for _ in range(2):  # as supervisors do: to the process and to its group
                running.process.send_signal(stop)
            outcome = ended(running.process)
    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_a_signal_while_it_is_being_set_up_ends_it_just_as_well(tmp_path: Path) -> None:
    with process("demo", "--no-browser", "--port", 0, TMPDIR=str(tmp_path)) as running:
        assert running.stdout is not None
        assert "Sending" in running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        outcome = ended(running)
    assert (outcome.status, outcome.err) == (0, "")
    assert "sign-in" not in outcome.out
    assert list(tmp_path.iterdir()) == []
