"""Months of long ago: brought one by one, kept, and gone on with after a stop."""

from __future__ import annotations

import asyncio

import pytest

from nullspend_margins import Period, ProviderUnavailable
from nullspend_margins.errors import NotFound, SyncInProgress, ValidationFailed
from nullspend_margins.services.sync_staging import SyncProgress
from tests.world import ORG, World, unix

JANUARY = Period.parse("2026-01")


async def company(here: World) -> None:
    """An invoice a month of 2026, the number of the month in dollars."""
    customer = here.account.add_customer("cus_1", name="Ada")
    for month in range(1, 12):
        here.account.add_invoice(customer, month * 100, created=unix(2026, month, 10))
    assert (await here.connect()).status_code == 201
    assert (await here.map("cus_1", "ada")).status_code == 201


async def dollars(here: World) -> list[int]:
    """The revenue of each month of 2026, January first."""
    found = []
    for month in range(1, 12):
        table = await here.get(f"/api/margins?period=2026-{month:02}")
        found.append(table["summary"]["totalRevenueMicrodollars"] // 1_000_000)  # type: ignore[index]
    return found


def looks_back(here: World) -> int:
    """How often the months before January were gone through for what was paid late."""
    listed = [one for one in here.stripe.requests if one.path == "/v1/invoices"]
    begins = [one.param("created[gte]") for one in listed if one.param("status") == "paid"]
    return begins.count(str(unix(2025, 10, 1, 0)))


async def test_the_months_it_brings_stay(here: World) -> None:
    await company(here)
    await here.sync()
    assert await dollars(here) == [0] * 7 + [8, 9, 10, 11]
    here.stripe.requests.clear()
    services = await here.margins.services()
    report = await services.sync.backfill(ORG, "stripe", JANUARY)
    assert (report.months, report.invoices_fetched, report.resumed_at) == (7, 7, None)
    assert looks_back(here) == 1
    assert await dollars(here) == [*range(1, 12)]
    await here.sync()
    assert await dollars(here) == [*range(1, 12)]
    assert await services.sync.months_to_backfill(ORG, "stripe", JANUARY) == 7


async def test_a_sync_before_any_other_may_be_a_backfill(here: World) -> None:
    await company(here)
    services = await here.margins.services()
    await services.sync.backfill(ORG, "stripe", Period.parse("2026-06"))
    assert await dollars(here) == [0] * 5 + [6, 7] + [0] * 4
    status = await services.connections.status(ORG, "stripe")
    assert status is not None
    assert status.last_sync_at is None


async def test_what_is_brought_again_is_what_the_provider_says_now(here: World) -> None:
    await company(here)
    services = await here.margins.services()
    await services.sync.backfill(ORG, "stripe", JANUARY)
    march = next(iter(here.account.invoices.newest(before=unix(2026, 4, 1), after=None)))
    here.account.remove_invoice(march.id)
    await services.sync.backfill(ORG, "stripe", JANUARY)
    assert (await dollars(here))[:4] == [1, 2, 0, 4]


async def test_one_that_fails_goes_on_where_it_was(here: World) -> None:
    await company(here)
    services = await here.margins.services()
    told: list[SyncProgress] = []

    def fail_in_may(progress: SyncProgress) -> None:
        told.append(progress)
        if progress.month == Period.parse("2026-05"):
            here.stripe.faults.fail(500, times=100)

    with pytest.raises(ProviderUnavailable):
        await services.sync.backfill(ORG, "stripe", JANUARY, fail_in_may)
    here.stripe.faults.clear()
    assert (await dollars(here))[:6] == [1, 2, 3, 4, 0, 0]
    assert await services.sync.months_to_backfill(ORG, "stripe", JANUARY) == 3
    other = Period.parse("2026-02")
    assert await services.sync.months_to_backfill(ORG, "stripe", other) == 6
    report = await services.sync.backfill(ORG, "stripe", JANUARY)
    assert (report.months, str(report.resumed_at)) == (3, "2026-05")
    assert await dollars(here) == [1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0]
    assert {each.invoices_fetched for each in told} == {0, 1}


async def test_a_sync_that_runs_is_waited_for(here: World) -> None:
    await company(here)
    services = await here.margins.services()
    hold = here.stripe.faults.hold("/v1/invoices")
    syncing = asyncio.create_task(services.sync.sync(ORG, "stripe"))
    await hold.entered.wait()
    backfill = services.sync._backfill(ORG, "stripe", JANUARY)
    looks = 0

    async def look(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        hold.release()
        await syncing

    backfill._sleep = look
    await backfill.run()
    assert looks == 1
    assert await dollars(here) == [*range(1, 12)]


async def test_one_that_never_gets_its_turn_says_so(here: World) -> None:
    await company(here)
    services = await here.margins.services()
    hold = here.stripe.faults.hold("/v1/invoices")
    syncing = asyncio.create_task(services.sync.sync(ORG, "stripe"))
    await hold.entered.wait()
    backfill = services.sync._backfill(ORG, "stripe", JANUARY)

    async def look(_seconds: float) -> None:
        return

    backfill._sleep = look
    with pytest.raises(SyncInProgress, match="before 2026-01"):
        await backfill.run()
    hold.release()
    await syncing


@pytest.mark.parametrize("since", ["2026-12", "2006-11", "1970-01"])
async def test_a_beginning_ahead_or_too_far_back_is_refused(here: World, since: str) -> None:
    await company(here)
    services = await here.margins.services()
    with pytest.raises(ValidationFailed, match="since"):
        await services.sync.backfill(ORG, "stripe", Period.parse(since))


async def test_without_a_connection_there_is_nothing_to_bring(here: World) -> None:
    services = await here.margins.services()
    for provider in ("stripe", "paddle"):
        with pytest.raises(NotFound):
            await services.sync.backfill(ORG, provider, JANUARY)


async def test_a_beginning_within_the_window_brings_nothing(here: World) -> None:
    await company(here)
    services = await here.margins.services()
    report = await services.sync.backfill(ORG, "stripe", Period.parse("2026-08"))
    assert report.months == 0
