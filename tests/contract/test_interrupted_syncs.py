"""Syncs that are cut off, overtaken or beside each other: no revenue is lost to them."""

import asyncio
from copy import copy

import pytest

from nullspend_margins import CostBatch
from nullspend_margins.storage import applying
from nullspend_margins.storage.tables import leases, revenue_staging
from tests.contract.test_alerts_of_providers import Invoices
from tests.contract.test_sync import company, everything
from tests.storage.builders import invoice, rows, stage
from tests.world import KEY, World, unix, world


async def test_a_sync_cut_off_while_it_applies_loses_nothing(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await company(here)
    await here.sync()
    before = await everything(here)
    here.account.add_invoice("cus_1", 100, created=unix(2026, 11, 5))
    here.clock.advance(seconds=1)
    sync = (await here.margins.services()).sync
    loop = asyncio.get_running_loop()
    original = applying.apply_staged

    def applied_while_stopped(*arguments: object, **options: object) -> bool:
        loop.call_soon_threadsafe(stop)
        return original(*arguments, **options)

    def stop() -> None:
        for task in sync._running:
            task.cancel()

    monkeypatch.setattr(applying, "apply_staged", applied_while_stopped)
    with pytest.raises(asyncio.CancelledError):
        await sync.sync("org_1", "stripe")
    monkeypatch.undo()
    shown = await here.get("/api/stripe/connect")
    assert (shown["lastSyncAt"], shown["lastError"]) == ("2026-11-20T00:00:01.000Z", None)
    after = await everything(here)
    for kept, now in zip(before[:4], after[:4], strict=True):
        assert now["customers"] == kept["customers"]
    report = await here.sync()
    assert report["invoicesFetched"] == 8


async def test_a_holder_that_slept_does_not_touch_its_successors_pages(
    database_url: str,
) -> None:
    async with world(database_url) as slow:
        await company(slow)
        await slow.sync()
        before = await everything(slow)
        hold = slow.stripe.faults.hold("/v1/invoices")
        asleep = asyncio.create_task(slow.call("GET", "/api/stripe/revenue-sync"))
        await hold.entered.wait()
        slow.clock.advance(minutes=5)  # its lease runs out without a heartbeat
        services = await slow.margins.services()
        database = services.alerts._database
        first = await database.read(lambda tx: rows(tx, leases))
        successor = asyncio.create_task(services.sync.sync("org_1", "stripe"))
        async with asyncio.timeout(30):
            while await database.read(lambda tx: rows(tx, leases)) == first:  # noqa: ASYNC110
                await asyncio.sleep(0)
        hold.release()
        answers = await asyncio.gather(asleep, successor, return_exceptions=True)
        assert answers[0].status_code == 409
        assert answers[1].invoices_fetched == 7
        for kept, now in zip(before, await everything(slow), strict=True):
            assert now.get("customers") == kept.get("customers")


async def test_pages_of_a_sync_that_died_go_with_the_next_one(here: World) -> None:
    await company(here)
    database = (await here.margins.services()).alerts._database
    await database.write(lambda tx: stage(tx, "org_1", "stripe", "died", [invoice("in_half_way")]))
    await here.sync()
    assert await database.read(lambda tx: rows(tx, revenue_staging)) == []


async def test_an_org_that_takes_too_long_says_so_and_waits_its_turn(database_url: str) -> None:
    cron = {"time_budget_seconds": 1, "concurrency": 1}
    async with world(database_url, cron=cron) as here:
        await company(here)
        small = "rk_live_small0small0small0small0"
        here.stripe.add_account(small)
        here.clock.advance(seconds=1)
        await here.connect(small, org="org_2")
        hold = here.stripe.faults.hold("/v1/invoices")
        assert (await here.cron()).json() == {"data": {"synced": 0, "errors": 1}}
        assert "time" in (await here.get("/api/stripe/connect"))["lastError"]
        hold.release()
    async with world(database_url, cron={"concurrency": 1}) as later:  # and has all the time
        later.stripe.add_account(small)
        later.stripe.revoke(KEY)
        later.clock.advance(seconds=61)
        await later.cron()
        assert (await later.get("/api/stripe/connect", org="org_2"))["lastSyncAt"]


class Pages:
    """One page, read by an iterator that is no generator."""

    def __init__(self, *page: object) -> None:
        self.page: list[object] | None = [*page]

    def __aiter__(self):
        return self

    async def __anext__(self) -> list[object]:
        page, self.page = self.page, None
        if page is None:
            raise StopAsyncIteration
        return page


class ClosedPages(Pages):
    closed = False

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("pages", "status"), [(ClosedPages(), 200), (ClosedPages("no fact"), 500), (Pages(), 200)]
)
async def test_what_is_read_is_closed_when_it_can_be(
    database_url: str, pages: Pages, status: int
) -> None:
    class Reader(Invoices):
        def fetch_revenue(self, secret: str, window: object) -> Pages:
            return copied

    copied = copy(pages)
    async with world(database_url, plugins=[Reader()]) as here:
        await here.call("POST", "/api/connections/other", {})
        answer = await here.call("POST", "/api/connections/other/sync")
        assert answer.status_code == status
        assert getattr(copied, "closed", True)


class Forgetful:
    """A plan checker that breaks on one org."""

    name = "forgetful"

    async def plan(self, org_id: str) -> str | None:
        if org_id == "org_1":
            raise RuntimeError("forgot")
        return "pro"


async def test_an_org_whose_plan_cannot_be_told_stops_no_other(database_url: str) -> None:
    async with world(database_url) as before:
        await before.connect()
        await before.connect(org="org_2")
    async with world(database_url, plugins=[Forgetful()]) as after:
        assert (await after.cron()).json() == {"data": {"synced": 1, "errors": 1}}


class Impatient(Forgetful):
    """A plan checker that has waited in vain for its own service."""

    name = "impatient"

    async def plan(self, org_id: str) -> str | None:
        raise TimeoutError("the plans do not answer")


async def test_what_a_plugin_waited_for_in_vain_is_not_told_as_the_time_budget(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(database_url) as before:
        await before.connect()
    async with world(database_url, plugins=[Impatient()]) as after:
        assert (await after.cron()).json() == {"data": {"synced": 0, "errors": 1}}
    assert "the plans do not answer" in caplog.text
    assert "time budget" not in caplog.text


class Endless:
    """A cost source that never comes to an end."""

    name = "endless"

    async def pull(self, cursor: str | None):
        await asyncio.Event().wait()
        yield CostBatch(org_id="org_1", cursor="never")


async def test_a_cost_source_that_hangs_does_not_keep_revenue_from_being_synced(
    database_url: str,
) -> None:
    async with world(database_url, plugins=[Endless()], cron={"time_budget_seconds": 6}) as here:
        await company(here)
        assert (await here.cron()).json() == {"data": {"synced": 1, "errors": 0}}


class OffByOne:
    """An aggregating source that answers a month it was not asked for."""

    name = "off-by-one"

    async def month_costs(self, org_id, first, last):
        from nullspend_margins import MonthCost

        return [MonthCost("one", first.index - 1, 7_000_000)]

    async def model_costs(self, org_id, tag_value, period):
        return []

    async def tag_costs(self, org_id, since):
        return []


async def test_a_source_that_answers_wrongly_is_named_and_no_number_is_shown(
    database_url: str,
) -> None:
    async with world(database_url, plugins=[OffByOne()]) as here:
        answer = await here.call("GET", "/api/margins")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "service_unavailable")
        assert "off-by-one" in answer.json()["error"]["message"]


async def test_a_key_replaced_during_a_sync_stops_that_sync(here: World) -> None:
    await company(here)
    hold = here.stripe.faults.hold("/v1/invoices")
    running = asyncio.create_task(here.call("GET", "/api/stripe/revenue-sync"))
    await hold.entered.wait()
    services = await here.margins.services()
    here.stripe.grant("rk_live_another0another0another", here.account)
    hold_free = here.stripe.faults
    hold.release()
    hold_free.clear()
    await here.call("PUT", "/api/stripe/connect", {"stripeKey": "rk_live_another0another0another"})
    assert (await running).status_code in (200, 409)
    report = await services.sync.sync("org_1", "stripe")
    assert report.invoices_fetched == 7
