"""Syncs as people see them: begun by a button, by somebody else or by cron, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from nullspend_margins.services.leasing import sync_lease
from nullspend_margins.storage import connections, leases, syncs
from tests.dashboard.visiting import CONNECT, STRIPE, followed, look, send, words
from tests.processes.servers import eventually
from tests.world import KEY, ORG, World, unix, world

SYNC = f"{STRIPE}/sync"


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    async with world(database_url) as made:
        for number in (1, 2):
            customer = made.account.add_customer(f"cus_{number}")
            made.account.add_invoice(customer, 4_200, created=unix(2026, 11, 5))
        made.account.add_invoice("cus_1", 900, created=unix(2026, 11, 6), currency="eur")
        assert (await made.connect()).status_code == 201
        yield made


async def when_done(here: World) -> str:
    """The page once nothing runs any more."""

    async def done() -> str | None:
        page = await look(here)
        return None if "<progress" in page else page

    return await eventually(done, "the sync is done")


async def test_the_button_does_not_wait_for_the_end(here: World) -> None:
    hold = here.stripe.faults.hold("/v1/invoices")
    page = await followed(here, await send(here, SYNC, role="member"), role="member")
    assert "Stripe Syncing" in words(page)
    assert "Reading from Stripe." in words(page)
    assert 'hx-trigger="every 2s"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert 'id="sync-now"' not in page
    assert "<progress" in await look(here, role="viewer")
    assert "Syncing" in await look(here, CONNECT, role="viewer")
    hold.release()
    page = await when_done(here)
    assert 'hx-trigger="every 20s"' in page
    assert "<noscript><meta" not in page


async def test_the_report_stays_after_the_end(here: World) -> None:
    await here.spend("acme", 5_000_000)
    here.account.add_customer("cus_3", metadata={"nullspend_customer": "acme"})
    here.account.add_invoice("cus_3", 100, created=unix(2026, 11, 7))
    await send(here, SYNC)
    text = words(await when_done(here))
    assert "Invoices read 4" in text
    assert "Customers 3" in text
    assert "Skipped 1" in text
    assert "Skipped for their currency: 1 in EUR." in text
    assert "See the margins" in text
    assert "Stripe Connected" in text


async def test_a_second_click_shows_the_sync_that_runs(here: World) -> None:
    hold = here.stripe.faults.hold("/v1/invoices")
    await send(here, SYNC)
    page = await followed(here, await send(here, SYNC))
    assert "Stripe Syncing" in words(page)
    hold.release()
    await when_done(here)


async def test_a_sync_that_cron_began_is_seen_too(here: World) -> None:
    hold = here.stripe.faults.hold("/v1/invoices")
    cron = asyncio.create_task(here.cron())
    await hold.entered.wait()
    assert "Stripe Syncing" in words(await look(here))
    hold.release()
    assert (await cron).json()["data"] == {"synced": 1, "errors": 0}
    assert "Invoices read 3" in words(await look(here))


async def test_a_sync_whose_process_died_broke_off(here: World) -> None:
    services = await here.margins.services()
    database, now = services.connections._database, here.clock.now()

    def begin(tx: object) -> None:
        lease = leases.acquire(tx, ORG, sync_lease("stripe"), "dead", now, timedelta(minutes=1))
        assert lease is not None
        syncs.begin(tx, ORG, "stripe", lease.fence, now, stage="reading", month=None)
        syncs.tell(tx, ORG, "stripe", lease.fence, now, stage="reading", invoices_fetched=700)

    await database.write(begin)
    page = await look(here)
    assert "700 invoices so far." in words(page)
    here.clock.advance(seconds=30)
    assert "Nothing new for a while" in words(await look(here))
    here.clock.advance(seconds=31)
    text = words(await look(here))
    assert "Stripe Sync broke off" in text
    assert "the process that ran it is gone" in text
    await send(here, SYNC)
    assert "Stripe Connected" in words(await when_done(here))


async def test_a_backfill_is_seen_with_its_month_also_between_two(here: World) -> None:
    services = await here.margins.services()
    database, now = services.connections._database, here.clock.now()
    month = 2026 * 12 + 1

    def between(tx: object) -> None:
        connections.mark_backfilled(tx, ORG, "stripe", month, month + 1)
        syncs.begin(tx, ORG, "stripe", 1, now, stage="reading", month=month)
        syncs.end(tx, ORG, "stripe", 1, now, report={})

    await database.write(between)
    assert "Reading from Stripe, February 2026 (months of long ago" in words(await look(here))
    here.clock.advance(seconds=11)
    assert "Older months are not all brought yet" in words(await look(here))


FAULTS = {
    "no answer": (500, "Stripe No answer", "says nothing about the restricted key"),
    "too many requests": (429, "Stripe Slowed down", "limits how often it may be asked"),
    "refused": (401, "Stripe Restricted key refused", "does not accept the stored"),
}


@pytest.mark.parametrize(("status", "word", "text"), FAULTS.values(), ids=list(FAULTS))
async def test_a_failure_says_what_it_means(
    here: World, status: int, word: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    await here.sync()
    if status == 401:
        here.stripe.revoke(KEY)
    else:
        here.stripe.faults.fail(status, times=10_000)
    await send(here, SYNC)
    page = await when_done(here)
    assert word in words(page)
    assert text in words(page)
    assert "The figures stay those of the last good sync." in words(page)
    await _logged(caplog, "sync of org org_1 (stripe) failed")
    assert KEY not in page + caplog.text


async def test_a_permission_that_was_taken_away_is_named(here: World) -> None:
    here.stripe.forbid(KEY, "rak_invoice_read")
    await send(here, SYNC)
    page = await when_done(here)
    assert "Stripe Permission missing" in words(page)
    assert "lacks the permission Invoices: Read" in words(page)
    assert "Add it in Stripe, or replace the restricted key" in words(page)
    assert 'id="replace-now"' in page
    member = words(await look(here, role="member"))
    assert "Ask an admin of your organisation to add it in Stripe, or to replace" in member
    assert "Then sync again" not in member


async def test_a_key_that_was_refused_is_not_synced_again(here: World) -> None:
    here.stripe.revoke(KEY)
    await send(here, SYNC)
    await when_done(here)
    page = await followed(here, await send(here, SYNC))
    assert "Stripe refuses the stored key; replace it" in words(page)
    answer = await send(here, SYNC, role="member")
    page = words(await followed(here, answer, role="member"))
    assert "Nothing was synced. Ask an admin of your organisation to replace the restricted" in page
    assert "replace it" not in page


async def test_a_key_that_was_replaced_clears_what_was_wrong_with_the_old_one(here: World) -> None:
    here.stripe.forbid(KEY, "rak_invoice_read")
    await send(here, SYNC)
    await when_done(here)
    other = "rk_live_zyxwvutsrqponmlkjihgfedcba"
    here.stripe.grant(other, here.account)
    await send(here, f"{STRIPE}/replace", {"field.stripeKey": other})
    assert "Permission missing" not in words(await look(here))


async def test_viewers_do_not_sync(here: World) -> None:
    answer = await send(here, SYNC, role="viewer")
    assert answer.status_code == 403
    assert not [each for each in here.stripe.requests if "created" in str(each)]


async def test_what_is_not_connected_is_not_synced(here: World) -> None:
    answer = await send(here, f"{CONNECT}/csv/sync")
    assert answer.status_code == 404


async def test_a_defect_is_told_to_the_log_alone(
    here: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    services = await here.margins.services()
    source = services.connections._providers["stripe"]

    def broken(*_: object) -> None:
        raise RuntimeError("secret internals")

    monkeypatch.setattr(type(source), "fetch_revenue", broken)
    await send(here, SYNC)
    page = await when_done(here)
    assert "Stripe Sync failed" in words(page)
    assert "secret internals" not in page
    await _logged(caplog, "secret internals")


async def _logged(caplog: pytest.LogCaptureFixture, text: str) -> None:
    """The log tells of it once the lease is given back."""

    async def told() -> bool | None:
        return text in caplog.text or None

    await eventually(told, f"the log says {text}")
