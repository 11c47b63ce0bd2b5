"""``demo-stripe`` as a process."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

import httpx

from nullspend_margins import RevenueWindow
from tests.cli.conftest import ended, process


def test_the_printed_key_reads_the_printed_account_and_no_other_key_does() -> None:
    with process("demo-stripe", "--port", 0) as running:
        assert running.stdout is not None
        words = running.stdout.readline().split()
        [url] = [word for word in words if word.startswith("http://127.0.0.1:")]
        month = RevenueWindow.ending(datetime.now(UTC), 1).first
        paid = {"status": "paid", "created[gte]": int(month.start.timestamp())}
        with httpx.Client(base_url=url, params=paid, trust_env=False) as stripe:
            refused = stripe.get("/v1/invoices", headers={"Authorization": "Bearer rk_test_other"})
            answer = stripe.get("/v1/invoices", headers={"Authorization": f"Bearer {words[-1]}"})
        running.send_signal(signal.SIGTERM)
        outcome = ended(running)
    assert refused.status_code == 401
    assert answer.json()["data"]
    assert (outcome.status, outcome.err) == (0, "")


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with process("demo-stripe", "--port", 0) as first:
        assert first.stdout is not None
        port = httpx.URL(first.stdout.readline().split()[7]).port
        with process("demo-stripe", "--port", port) as second:
            outcome = ended(second)
    assert (outcome.status, outcome.out) == (1, "")
    assert f"port {port}" in outcome.err
    assert "Traceback" not in outcome.err
