"""Which rows a sync of some months takes."""

from __future__ import annotations

from dataclasses import replace

from nullspend_margins import Period, RevenueWindow
from tests.csv_provider.support import provider, read

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
