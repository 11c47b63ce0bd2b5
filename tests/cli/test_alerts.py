"""``alerts list`` and ``alerts resend``, on both databases, with the webhook plugin."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from nullspend_margins.domain.period import Period
from nullspend_margins.storage import alert_outbox, alerts
from nullspend_margins.storage.database import Database, Transaction
from tests.cli.conftest import Run
from tests.storage.alerting import CROSSING

MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"


class Receiver(ThreadingHTTPServer):
    """Answers with ``status`` and counts."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.ids: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.ids.append(self.headers["webhook-id"])
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def config(tmp_path: Path, database_url: str, receiver: Receiver) -> Path:
    """Three alerts: org_1's is dead for the webhook, org_2's for one that is gone too."""
    path = tmp_path / "margins.toml"
    path.write_text(
        f'[database]\nurl = "{database_url}"\n[plugins.webhook]\n'
        f'url = "http://127.0.0.1:{receiver.server_port}/hook"\n'
        'secrets = ["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]\n'
    )
    write(database_url, _seed)
    return path


def write(url: str, work: Callable[[Transaction], object]) -> None:
    async def written() -> None:
        database = Database(url)
        await database.start()
        await database.write(work)
        await database.close()

    with ThreadPoolExecutor(1) as thread:  # a loop of its own
        thread.submit(asyncio.run, written()).result()


def _seed(tx: Transaction) -> None:
    now = datetime.now(UTC)
    for number, (org_id, notifiers) in enumerate(
        [("org_1", ["log", "webhook"]), ("org_2", ["webhook", "gone"]), ("org_3", ["gone"])], 1
    ):
        crossing = replace(CROSSING, customer_id=f"cus_{number}", tag_value=f"tag {number}")
        crossing = replace(crossing, period=Period.parse("2026-11"))
        created = now - timedelta(hours=5 - number)
        alerts.enqueue(tx, org_id, {f"evt_{number}": crossing}, created, notifiers)
    later = now + timedelta(hours=1)
    for _ in range(2):
        webhook = alert_outbox.claim_due(tx, "webhook", now, lambda attempt: timedelta(hours=1))
        reason = "127.0.0.1 answered with 500."
        alert_outbox.give_up(tx, webhook, "webhook", now, reason, attempts=1)
    alert_outbox.claim_due(tx, "log", now, lambda attempt: timedelta(hours=1))
    alert_outbox.mark_delivered(tx, "evt_1", "log", now)
    gone = alert_outbox.claim_due(tx, "gone", now, lambda attempt: timedelta(hours=1))
    alert_outbox.mark_failed(tx, gone, "gone", now, later, "ConnectError")


def test_every_delivery_is_listed_with_its_state(run: Run, config: Path) -> None:
    outcome = run("alerts", "list", "--config", config)
    assert (outcome.status, outcome.err) == (0, "")
    rows = [line.split("\t") for line in outcome.out.splitlines()]
    kind = "margin.threshold_crossed"
    shown = [re.sub(MOMENT, "MOMENT", "|".join(row)) for row in rows]
    down = "127.0.0.1 answered with 500."
    assert shown == [
        f"evt_3|org_3|tag 3|{kind}|2026-11 critical|gone|dead|0|no such notifier is loaded here",
        f"evt_2|org_2|tag 2|{kind}|2026-11 critical|gone|waiting until MOMENT|1|ConnectError",
        f"evt_2|org_2|tag 2|{kind}|2026-11 critical|webhook|dead since MOMENT|1|{down}",
        f"evt_1|org_1|tag 1|{kind}|2026-11 critical|log|delivered since MOMENT|1|-",
        f"evt_1|org_1|tag 1|{kind}|2026-11 critical|webhook|dead since MOMENT|1|{down}",
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--org", "org_1"], ["evt_1 log", "evt_1 webhook"]),
        (["--dead"], ["evt_3 gone", "evt_2 webhook", "evt_1 webhook"]),
        (["--org", "org_1", "--dead"], ["evt_1 webhook"]),
        (["--limit", "1"], ["evt_3 gone"]),
        (["--org", "nobody"], []),
    ],
    ids=" ".join,
)
def test_the_list_can_be_narrowed_down(
    run: Run, config: Path, options: list[str], expected: list[str]
) -> None:
    outcome = run("alerts", "list", "--config", config, *options)
    rows = [line.split("\t") for line in outcome.out.splitlines()]
    assert [f"{row[0]} {row[5]}" for row in rows] == expected


@pytest.mark.parametrize("of", ["\u202e", "\u2028", "\u200b", "\x1b"])
def test_what_steers_a_terminal_is_not_printed(
    run: Run, config: Path, database_url: str, of: str
) -> None:
    async def spoil() -> None:
        database = Database(database_url)
        await database.start()
        crossing = replace(CROSSING, customer_id="cus_9", tag_value=f"a{of}b")
        now = datetime.now(UTC) - timedelta(hours=9)
        await database.write(
            lambda tx: alerts.enqueue(tx, f"or{of}g", {"evt_9": crossing}, now, ["webhook"])
        )
        await database.write(_give_up)
        await database.close()

    def _give_up(tx: Transaction) -> None:
        now = datetime.now(UTC)
        found = alert_outbox.claim_due(tx, "webhook", now, lambda attempt: timedelta(hours=1))
        reason = f"of{of}f"
        alert_outbox.give_up(tx, found, "webhook", now, reason, attempts=1)  # type: ignore[arg-type]

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, spoil()).result()
    listed = run("alerts", "list", "--config", config).out
    assert "or g" in listed
    assert "a b" in listed
    assert "of f" in listed
    resent = run("alerts", "resend", "--config", config, "evt_9").out
    assert resent == "evt_9 or g webhook: delivered\n"
    assert of not in listed + resent


def test_a_dead_alert_is_sent_again(run: Run, config: Path, receiver: Receiver) -> None:
    outcome = run("alerts", "resend", "--config", config, "evt_1")
    assert (outcome.status, outcome.out) == (0, "evt_1 org_1 webhook: delivered\n")
    assert receiver.ids == ["evt_1"]
    again = run("alerts", "resend", "--config", config, "evt_1")
    assert (again.status, again.out) == (1, "")
    assert again.err == (
        "Error: No delivery of evt_1 is dead; `alerts list` shows how each of them is.\n"
    )


def test_the_sync_command_delivers_what_is_due_before_it_ends(
    run: Run, config: Path, database_url: str, receiver: Receiver
) -> None:
    now = datetime.now(UTC)
    for number in (1, 2):
        write(
            database_url,
            lambda tx, number=number: alert_outbox.revive(
                tx, f"org_{number}", f"evt_{number}", "webhook", now
            ),
        )
    outcome = run("sync", "--config", config)
    assert (outcome.status, outcome.out) == (0, "There are no connections to sync.\n")
    assert sorted(receiver.ids) == ["evt_1", "evt_2"]


def test_all_dead_alerts_are_sent_again_and_the_status_says_that_one_failed(
    run: Run, config: Path, receiver: Receiver
) -> None:
    receiver.status = 503
    outcome = run("alerts", "resend", "--config", config, "--all-dead")
    assert outcome.status == 1
    lines = outcome.out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "evt_1 org_1 webhook", "evt_2 org_2 webhook", "evt_3 org_3 gone",
    ]  # fmt: skip
    assert [line.partition(": ")[2].split()[0] for line in lines] == ["failed:", "failed:", "put"]
    assert "503" in lines[0]
    assert "no such notifier is loaded here" in lines[2]
    listed = run("alerts", "list", "--config", config, "--org", "org_1").out
    assert "waiting until" in listed.splitlines()[1]


def test_what_is_sent_again_can_be_narrowed_down(
    run: Run, config: Path, receiver: Receiver
) -> None:
    command = ["alerts", "resend", "--config", config, "--all-dead"]
    nothing = run(*command, "--notifier", "log")
    assert (nothing.status, nothing.out) == (0, "No delivery to log is dead.\n")
    nobody = run(*command, "--org", "org_9", "--notifier", "webhook")
    assert (nobody.status, nobody.out) == (0, "No delivery of org_9 to webhook is dead.\n")
    outcome = run(*command, "--org", "org_2", "--notifier", "webhook")
    assert (outcome.status, outcome.out) == (0, "evt_2 org_2 webhook: delivered\n")
    assert receiver.ids == ["evt_2"]


@pytest.mark.parametrize("arguments", [[], ["evt_1", "--all-dead"]], ids=["neither", "both"])
def test_sending_again_wants_one_alert_or_all(
    run: Run, tmp_path: Path, arguments: list[str]
) -> None:
    outcome = run("alerts", "resend", "--config", tmp_path / "margins.toml", *arguments)
    assert outcome.status == 2
    assert "--all-dead" in outcome.err


@pytest.mark.parametrize("limit", ["0", "1001"])
def test_the_list_has_an_end(run: Run, tmp_path: Path, limit: str) -> None:
    outcome = run("alerts", "list", "--config", tmp_path / "margins.toml", "--limit", limit)
    assert outcome.status == 2
    assert "1000" in outcome.err
