"""Which rows a sync of some months takes."""

from __future__ import annotations

from dataclasses import replace

from nullspend_margins import Period, RevenueWindow
from tests.csv_provider.support import provider, read
from tests.world import ORG, World, world

MARCH_TO_APRIL = RevenueWindow(Period.parse("2026-03"), Period.parse("2026-04"))
ROWS = """id,customer,date,amount,kind,service_start,service_end
year,ada,2026-01-10,1200,,2026-01-10,2027-01-10
over,ada,2026-01-10,100,,2026-01-10,2026-03-01
plain,ada,2026-02-28,50,,,
march,ada,2026-03-01,70,,,
may,ada,2026-05-01,90,,2026-04-01,2026-06-01
"""


async def test_rows_of_the_months_are_whole_and_older_services_are_what_they_accrue() -> None:
    found = await read(provider(), {"content": ROWS}, MARCH_TO_APRIL)
    assert [(fact.object_id, fact.is_partial) for fact in found] == [
        ("year", True),
        ("march", False),
    ]
    assert [(part.bases, part.amount_minor) for part in found[0].all_parts] == [
        (("accrual",), 120_000)
    ]


async def test_a_backfill_takes_its_months_alone() -> None:
    found = await read(provider(), {"content": ROWS}, replace(MARCH_TO_APRIL, is_backfill=True))
    assert [fact.object_id for fact in found] == ["march"]


async def test_a_backfills_first_month_takes_older_services_too() -> None:
    window = replace(MARCH_TO_APRIL, is_backfill=True, looks_back=True)
    found = await read(provider(), {"content": ROWS}, window)
    assert [(fact.object_id, fact.is_partial) for fact in found] == [
        ("year", True),
        ("march", False),
    ]


async def test_a_row_that_is_dated_back_accrues_from_its_first_sync_on(database_url: str) -> None:
    header = "id,customer,date,amount,service_start,service_end\n"
    async with world(database_url) as here:
        await here.map("ada", "ada", provider="csv")
        for method, day in (("POST", "2026-09-01"), ("PUT", "2026-02-01")):
            rows = f"1,ada,{day},365,2026-01-15,2027-01-15\n"
            await here.call(method, "/api/connections/csv", {"content": header + rows})
            answer = await here.call("POST", "/api/connections/csv/sync", role="member")
            assert answer.status_code == 200, answer.text
            found = await here.get("/api/margins/ada?period=2026-11&basis=accrual")
            assert found["revenueMicrodollars"] == 30_000_000  # type: ignore[index]


async def test_a_backfill_keeps_services_of_before_it(database_url: str) -> None:
    """Told in its first month and in every sync, and not in the months between."""
    async with world(database_url) as here:
        await here.map("ada", "ada", provider="csv")
        content = "customer,date,amount,service_start,service_end\n"
        content += "ada,2026-01-15,365,2026-01-15,2027-01-15\n"
        await here.call("POST", "/api/connections/csv", {"content": content})
        answer = await here.call("POST", "/api/connections/csv/sync", role="member")
        assert answer.status_code == 200, answer.text
        services = await here.margins.services()
        await services.sync.backfill(ORG, "csv", Period.parse("2026-04"))
        accrued = [
            await here.get(f"/api/margins/ada?period=2026-{month}&basis=accrual")
            for month in ("04", "07", "11")
        ]
        assert [found["revenueMicrodollars"] for found in accrued] == [  # type: ignore[index]
            30_000_000, 31_000_000, 30_000_000,
        ]  # fmt: skip


async def test_older_services_are_corrected_and_taken_out_with_their_rows(
    database_url: str,
) -> None:
    header = "customer,date,amount,service_start,service_end\n"
    year = "ada,2026-01-15,{},2026-01-15,2027-01-15\n"
    over = "ada,2026-01-15,50,2026-01-15,2026-08-15\n"  # in the first month of the window

    async def november(here: World) -> int:
        found = await here.get("/api/margins/ada?period=2026-11&basis=accrual")
        return found["revenueMicrodollars"]  # type: ignore[index]

    async with world(database_url) as here:
        await here.map("ada", "ada", provider="csv")
        accrued = []
        for method, rows in (("POST", year.format(365)), ("PUT", year.format(730)), ("PUT", over)):
            body = {"content": header + rows}
            answer = await here.call(method, "/api/connections/csv", body)
            assert answer.status_code in {200, 201}, answer.text
            answer = await here.call("POST", "/api/connections/csv/sync", role="member")
            assert answer.status_code == 200, answer.text
            accrued.append(await november(here))
        assert accrued == [30_000_000, 60_000_000, 0]
        # What has ended since is told no more, and stays.
        august = await here.get("/api/margins/ada?period=2026-08&basis=accrual")
        here.clock.advance(days=60)
        answer = await here.call("POST", "/api/connections/csv/sync", role="member")
        assert answer.status_code == 200, answer.text
        assert await here.get("/api/margins/ada?period=2026-08&basis=accrual") == august
        assert august["revenueMicrodollars"] > 0  # type: ignore[index]
