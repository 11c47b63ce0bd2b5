"""A table is kept while nothing changes, so every kind of change must be seen at once."""

from collections.abc import Awaitable, Callable

import pytest

from nullspend_margins.errors import NotFound
from nullspend_margins.services.detail_cache import DetailCache
from nullspend_margins.services.margins import CustomerDetail
from nullspend_margins.services.revision_cache import TableCache
from tests.world import KEY, ORG, World, unix, world

Change = Callable[[World], Awaitable[object]]


async def new_event(here: World) -> None:
    await here.spend("one", 5_000_000)


async def host_event(here: World) -> None:
    from nullspend_margins import CostEvent

    await here.margins.ingest(
        "org_1",
        [
            CostEvent(
                event_id="e",
                provider="p",
                model="m",
                cost_nanodollars=5_000_000_000,
                occurred_at=here.clock.now(),
                tag_value="one",
            )
        ],
    )


async def new_mapping(here: World) -> None:
    await here.spend("two", 1)
    await here.get("/api/margins")
    await here.map("cus_2", "two")


async def deleted_mapping(here: World) -> None:
    (mapping,) = await here.get("/api/customer-mappings")
    await here.call("DELETE", f"/api/customer-mappings?id={mapping['id']}")


async def synced_invoice(here: World) -> None:
    here.account.add_invoice("cus_1", 5_000, created=unix(2026, 11, 4))
    await here.sync()


async def cron_after_a_while(here: World) -> None:
    here.clock.advance(minutes=5)
    await here.cron()


async def revoked_key(here: World) -> None:
    here.stripe.revoke(KEY)
    await here.cron()


async def disconnect(here: World) -> None:
    await here.call("DELETE", "/api/stripe/disconnect")


CHANGES: list[Change] = [
    new_event, host_event, new_mapping, deleted_mapping, synced_invoice, cron_after_a_while,
    revoked_key, disconnect,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_a_change_shows_in_the_next_read(here: World, change: Change) -> None:
    here.account.add_customer("cus_1", name="One")
    here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
    await here.map("cus_1", "one")
    await here.connect()
    await here.sync()
    before = await here.call("GET", "/api/margins")
    assert (await here.call("GET", "/api/margins")).content == before.content
    csv_before = await here.call("GET", "/api/margins?format=csv")
    await change(here)
    after = await here.call("GET", "/api/margins")
    assert after.content != before.content
    if change not in (cron_after_a_while, revoked_key):  # the file does not tell about syncs
        csv_after = await here.call("GET", "/api/margins?format=csv")
        assert csv_after.content != csv_before.content


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
async def test_what_stands_beside_a_table_is_as_new_as_the_table(
    database_url: str, change: Change
) -> None:
    async with world(database_url) as here, world(database_url) as fresh:
        here.account.add_customer("cus_1", name="One")
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
        here.account.add_invoice("cus_1", 700, currency="eur", created=unix(2026, 11, 4))
        await here.map("cus_1", "one")
        await here.connect()
        await here.sync()
        before = await _beside(here)
        await change(here)
        fresh.clock.moment = here.clock.moment
        after = await _beside(here)
        assert after == await _beside(fresh)
        assert after != before


async def _beside(here: World) -> object:
    """Coverage and the bases told, as the pages read them."""
    service = (await here.margins.services()).margins
    period = service.current_period()
    return (await service.table_with(ORG, period, coverage=True, told=True))[1:]


async def passing_days(here: World) -> None:
    here.clock.advance(days=150)


async def rejected_match(here: World) -> None:
    await here.map("cus_1", "one", matchType="auto")
    await deleted_mapping(here)


@pytest.mark.parametrize(
    "change", [*CHANGES, passing_days, rejected_match], ids=lambda change: change.__name__
)
async def test_what_is_not_matched_is_read_anew_when_anything_changed(
    database_url: str, change: Change
) -> None:
    async with world(database_url) as here, world(database_url) as fresh:
        here.account.add_customer("cus_1", name="One", email="a@one.example")
        here.account.add_customer("cus_3", name="Three")
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
        here.account.add_invoice("cus_3", 20_000, created=unix(2026, 11, 3))
        await here.map("cus_1", "one")
        await here.spend("three", 1)
        await here.connect()
        await here.sync()
        service = (await here.margins.services()).margins
        before = await service.unmatched(ORG)
        assert [each.customer_id for each in before.customers] == ["cus_3"]
        assert await service.unmatched(ORG) is before
        await change(here)
        fresh.clock.moment = here.clock.moment
        after = await service.unmatched(ORG)
        assert after == await (await fresh.margins.services()).margins.unmatched(ORG)
        assert after is not before
        assert await service.unmatched("org_2") is not after


@pytest.mark.parametrize("change", [*CHANGES, rejected_match], ids=lambda change: change.__name__)
@pytest.mark.parametrize("bases", [False, True])
async def test_a_customer_is_read_anew_when_anything_changed(
    database_url: str, change: Change, bases: bool
) -> None:
    async with world(database_url) as here, world(database_url) as fresh:
        here.account.add_customer("cus_1", name="One")
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
        await here.map("cus_1", "one")
        await here.spend("one", 1)
        await here.connect()
        await here.sync()
        before = await _one(here, bases=bases)
        assert await _one(here, bases=bases) is before
        await change(here)
        for _ in range(3):  # changed, then as it was last time, then kept again
            after = await _one(here, bases=bases)
            assert after == await _one(fresh, bases=bases)
        assert await _one(here, bases=bases) is after
        assert await _one(here, bases=not bases) != after or after is None


async def test_a_customer_takes_room_by_its_months_and_its_models(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.map("cus_1", "one")
    await here.spend("one", 1)
    margins = (await here.margins.services()).margins
    period = margins.current_period()
    for room, is_kept in ((13, True), (12, False)):
        monkeypatch.setattr(margins, "_details", DetailCache(room=room))
        first = await margins.customer(ORG, "one", period, months_shown=12)
        again = await margins.customer(ORG, "one", period, months_shown=12)
        assert first == again
        assert (first is again) is is_kept


async def _one(here: World, *, bases: bool) -> CustomerDetail | None:
    service = (await here.margins.services()).margins
    try:
        return await service.customer(ORG, "one", service.current_period(), bases=bases)
    except NotFound:
        return None


async def test_a_new_connection_shows_in_the_next_read(here: World) -> None:
    assert (await here.get("/api/margins"))["summary"]["syncStatus"] == "disconnected"
    await here.connect()
    assert (await here.get("/api/margins"))["summary"]["syncStatus"] == "active"


async def test_two_instances_on_one_database_see_each_others_changes(database_url: str) -> None:
    async with world(database_url) as first, world(database_url) as second:
        await first.map("cus_1", "one")
        await first.spend("one", 5)
        assert len((await second.get("/api/margins"))["customers"]) == 1
        await first.spend("one", 7)
        (row,) = (await second.get("/api/margins"))["customers"]
        assert row["costMicrodollars"] == 12


async def test_a_table_too_large_for_the_others_is_as_fresh_and_whole(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(database_url) as here:
        margins = (await here.margins.services()).margins
        monkeypatch.setattr(margins, "_tables", TableCache(max_rows=2, max_large_rows=10))
        for number in range(3):
            await here.map(f"cus_{number}", f"tag-{number}")
            await here.spend(f"tag-{number}", 1_000_000)
        first = await here.call("GET", "/api/margins")
        assert (await here.call("GET", "/api/margins")).content == first.content
        assert (await margins.table(ORG, margins.current_period())).is_large
        await here.spend("tag-1", 1)
        after = {row["tagValue"]: row["costMicrodollars"] for row in await rows_of(here)}
        assert after == {"tag-0": 1_000_000, "tag-1": 1_000_001, "tag-2": 1_000_000}


async def rows_of(here: World) -> list[dict]:
    return (await here.get("/api/margins"))["customers"]  # type: ignore[index]
