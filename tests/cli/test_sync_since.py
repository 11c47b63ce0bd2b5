"""``sync --since`` as a process: killed in the middle, and started again."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nullspend_margins import Period
from nullspend_margins.demo.stripe_server import StripeServer
from tests.cli.conftest import COMMAND, Run
from tests.cli.test_sync import GOOD_KEY, stripe, synced

__all__ = ["stripe"]


def add_months(server: StripeServer, count: int) -> Period:
    """An invoice in each of the months before the last four; the first of them."""
    window = Period.containing(datetime.now(UTC)).shift(-3)
    account = server.keys[GOOD_KEY].account
    customer = account.add_customer(name="Cleo")
    for back in range(1, count + 1):
        account.add_invoice(customer, 100, created=int(window.shift(-back).start.timestamp()))
    return window.shift(-count)


async def test_it_tells_what_it_brought_before_the_sync(config: Path, stripe: StripeServer) -> None:
    since = add_months(stripe, 3)
    outcome = await synced(config, "--org", "org_1", "--since", str(since))
    assert outcome.status == 0, outcome.err
    first, second = outcome.out.splitlines()
    assert first == f"org_1 stripe: 3 invoices (0 skipped) of 3 months since {since}"
    assert second.startswith("org_1 stripe: 2 invoices")


async def test_one_that_is_killed_goes_on_where_it_was(config: Path, stripe: StripeServer) -> None:
    with config.open("a") as file:
        file.write("[sync]\nlease_seconds = 5\n")
    since = add_months(stripe, 6)
    arguments = ("sync", "--config", str(config), "--org", "org_1", "--since", str(since))
    fourth = int(since.shift(3).start.timestamp())
    running = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    hold = stripe.faults.hold("/v1/invoices")
    while not any(request.param("created[gte]") == str(fourth) for request in stripe.requests):
        await asyncio.wait_for(hold.entered.wait(), 60)
        hold.entered.clear()
        stripe.faults.clear()
        hold = stripe.faults.hold("/v1/invoices")
    running.kill()
    await running.communicate()
    stripe.faults.clear()
    outcome = await synced(config, "--org", "org_1", "--since", str(since))
    assert outcome.status == 0, outcome.err
    found = re.search(
        r"(\d) invoices \(0 skipped\) of (\d) months since .*, resumed at", outcome.out
    )
    assert found is not None, outcome.out
    assert found[1] == found[2]
    assert int(found[2]) < 6


@pytest.mark.parametrize("since", ["2026", "2026-13", "yesterday", ""])
def test_what_is_no_month_is_refused(run: Run, config: Path, since: str) -> None:
    outcome = run("sync", "--config", config, "--since", since)
    assert outcome.status == 2
    assert "must be a month" in outcome.err
