"""``sync`` as a process, against a Stripe-shaped server."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nullspend_margins import Margins, RevenueWindow
from nullspend_margins.app.serving import listen, serving
from nullspend_margins.cli.sync import _sync
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from tests.cli.conftest import COMMAND, Outcome, Run

GOOD_KEY, BAD_KEY = "rk_live_goodgoodgoodgood", "rk_live_badbadbadbadbad0"


@pytest.fixture
async def stripe(config: Path) -> AsyncIterator[StripeServer]:
    """Two orgs, each connected to an account with one paid invoice."""
    server = StripeServer()
    now = int(datetime.now(UTC).timestamp())
    for key in (GOOD_KEY, BAD_KEY):
        account = server.add_account(key)
        account.add_invoice(account.add_customer(name="Ada"), 4900, created=now)
        account.add_invoice(account.add_customer(name="Bob"), 900, created=now, currency="eur")
    async with serving(server, listen("127.0.0.1", 0)) as url:
        with config.open("a") as file:
            file.write(f'[plugins.stripe]\napi_base = "{url}"\nretry_seconds = 0\n')
        margins = Margins.from_toml(config)
        async with margins.lifespan():
            connections = (await margins.services()).connections
            await connections.connect("org_1", "stripe", {"stripeKey": GOOD_KEY})
            await connections.connect("org_2", "stripe", {"stripeKey": BAD_KEY})
        yield server


async def synced(config: Path, *arguments: str) -> Outcome:
    running = await asyncio.create_subprocess_exec(
        *COMMAND, "sync", "--config", str(config), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await running.communicate()
    return Outcome(running.returncode or 0, out.decode(), err.decode())


def end_plan_of_second_org(config: Path) -> None:
    config.write_text(config.read_text().replace('org_2 = "pro"', 'org_2 = "free"'))


def end_every_plan(config: Path) -> None:
    config.write_text(config.read_text().replace('= "pro"', '= "free"'))


async def test_sync_tells_a_line_for_each_org(config: Path, stripe: StripeServer) -> None:
    outcome = await synced(config)
    assert outcome.status == 0, outcome.err
    lines = sorted(outcome.out.splitlines())
    assert [line.split(":")[0] for line in lines] == ["org_1 stripe", "org_2 stripe"]
    assert all("2 invoices (1 skipped: 1 eur), 1 customers" in line for line in lines)


async def test_one_org_that_fails_stops_no_other_and_makes_the_status_1(
    config: Path, stripe: StripeServer
) -> None:
    stripe.revoke(BAD_KEY)
    outcome = await synced(config)
    assert outcome.status == 1
    assert outcome.out.startswith("org_1 stripe: 2 invoices")
    assert "org_2 stripe: failed: " in outcome.err
    assert "Traceback" not in outcome.err
    assert (await synced(config)).status == 0  # a revoked connection waits for a new key


async def test_sync_of_one_org_leaves_the_others_alone(config: Path, stripe: StripeServer) -> None:
    stripe.revoke(BAD_KEY)
    outcome = await synced(config, "--org", "org_1")
    assert outcome.status == 0
    assert [line.split(":")[0] for line in outcome.out.splitlines()] == ["org_1 stripe"]
    for _ in range(2):
        assert (await synced(config, "--org", "org_2")).status == 1


async def test_an_org_whose_plan_ended_is_left_out_or_refused(
    config: Path, stripe: StripeServer
) -> None:
    end_plan_of_second_org(config)
    outcome = await synced(config)
    assert outcome.status == 0
    assert "org_2" not in outcome.out
    refused = await synced(config, "--org", "org_2")
    assert (refused.status, refused.out) == (1, "")
    assert "pro plan" in refused.err


async def test_without_an_org_whose_plan_includes_it_sync_says_so(
    config: Path, stripe: StripeServer
) -> None:
    end_every_plan(config)
    outcome = await synced(config)
    assert (outcome.status, outcome.err) == (0, "")
    assert "no org with a connection has a plan" in outcome.out


def test_without_connections_sync_says_so(run: Run, config: Path) -> None:
    everywhere = run("sync", "--config", config)
    assert (everywhere.status, everywhere.err) == (0, "")
    assert "no connections" in everywhere.out
    one = run("sync", "--config", config, "--org", "org_9")
    assert one.status == 0
    assert "org_9 has no connections" in one.out


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
async def test_a_terminal_gets_a_progress_bar_on_stderr_alone(
    config: Path, stripe: StripeServer
) -> None:
    ours, theirs = os.openpty()
    running = await asyncio.create_subprocess_exec(
        *COMMAND, "sync", "--config", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=theirs, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    drawn, (out, _) = await asyncio.gather(asyncio.to_thread(_read, ours), running.communicate())
    assert running.returncode == 0
    assert "Syncing revenue" in drawn
    assert len(out.decode().splitlines()) == 2
    assert "Syncing" not in out.decode()


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


class Forgetful:
    """A plan checker that breaks on one org."""

    name = "forgetful"

    async def plan(self, org_id: str) -> str:
        if org_id == "org_2":
            raise RuntimeError("the billing system fell over")
        return "pro"


async def test_a_plan_that_cannot_be_asked_for_stops_no_other_org(
    config: Path,
    stripe: StripeServer,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failed = await _sync(Margins.from_toml(config, plugins=[Forgetful()]), None, None)
    assert failed == 1
    told = capsys.readouterr()
    assert [line.split(":")[0] for line in told.out.splitlines()] == ["org_1 stripe"]
    assert "org_2 stripe: failed: the log says how" in told.err
    assert "the billing system fell over" in caplog.text


async def test_a_defect_of_a_provider_is_in_the_log_and_stops_no_other_org(
    config: Path,
    stripe: StripeServer,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetch = StripeProvider.fetch_revenue

    def broken(self: StripeProvider, secret: str, window: RevenueWindow) -> Any:
        if secret == BAD_KEY:
            raise ZeroDivisionError("a defect")
        return fetch(self, secret, window)

    monkeypatch.setattr(StripeProvider, "fetch_revenue", broken)
    assert await _sync(Margins.from_toml(config), None, None) == 1
    told = capsys.readouterr()
    assert told.out.startswith("org_1 stripe: 2 invoices")
    assert "org_2 stripe: failed: " in told.err
    assert "a defect" not in told.err
    [record] = [each for each in caplog.records if each.exc_info]
    assert "org_2" in record.getMessage()
    assert "ZeroDivisionError: a defect" in caplog.text
