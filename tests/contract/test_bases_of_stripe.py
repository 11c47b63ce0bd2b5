"""What is in Stripe, told by each basis: from a Stripe-shaped server to ``/api/margins``."""

from __future__ import annotations

import pytest

from nullspend_margins.demo.stripe_invoices import StripeLine
from tests.world import KEY, World, unix, world

MONTHS = ("2026-08", "2026-09", "2026-10", "2026-11", "2026-12")
DOLLAR = 1_000_000


async def company(here: World) -> None:
    """A yearly plan with tax and a refund, and a monthly invoice that was paid late."""
    account = here.account
    account.add_customer("cus_year", name="Year")
    account.add_customer("cus_late", name="Late")
    start, end = unix(2026, 9, 1, 0), unix(2027, 9, 1, 0)
    # $10 a day, and a fifth of it in tax.
    line = StripeLine(id="il_1", amount=365_000, start=start, end=end, tax=73_000)
    account.add_invoice(
        "cus_year", 438_000, created=start, invoice_id="in_year", tax=73_000, lines=(line,)
    )
    account.add_refund("in_year", 43_800, created=unix(2026, 10, 5))
    account.add_invoice(
        "cus_late",
        10_000,
        created=unix(2026, 5, 1),
        paid_at=unix(2026, 11, 3),
        invoice_id="in_late",
    )
    assert (await here.connect()).status_code == 201
    await here.map("cus_year", "year")
    await here.map("cus_late", "late")


async def revenue(here: World, basis: str) -> dict[str, dict[str, int]]:
    """Dollars by month and customer, where there are any."""
    found = {}
    for month in MONTHS:
        table = await here.get(f"/api/margins?period={month}&basis={basis}")
        found[month] = {
            row["tagValue"]: row["revenueMicrodollars"] // DOLLAR
            for row in table["customers"]
            if row["revenueMicrodollars"]
        }
    return {month: row for month, row in found.items() if row}


EXPECTED = {
    "invoiced": {"2026-09": {"year": 4_380}},
    "cash": {"2026-09": {"year": 4_380}, "2026-11": {"late": 100}},
    "net": {"2026-09": {"year": 3_650}, "2026-10": {"year": -438}, "2026-11": {"late": 100}},
    "accrual": {
        "2026-09": {"year": 300},
        "2026-10": {"year": 310 - 438},
        "2026-11": {"year": 300},
        "2026-12": {"year": 310},
    },
}


@pytest.mark.parametrize("basis", EXPECTED)
async def test_each_basis_tells_its_own_months(here: World, basis: str) -> None:
    await company(here)
    report = await here.sync()
    assert report["invoicesFetched"] == 1
    assert await revenue(here, basis) == EXPECTED[basis]
    await here.sync()
    assert await revenue(here, basis) == EXPECTED[basis]


async def test_without_more_permissions_the_sync_succeeds_and_refunds_stay_in(here: World) -> None:
    await company(here)
    for permission in ("charge", "credit_note", "dispute", "event", "balance_transaction_source"):
        here.stripe.forbid(KEY, f"rak_{permission}_read")
    await here.sync()
    assert await revenue(here, "cash") == EXPECTED["cash"]
    assert (await revenue(here, "net"))["2026-09"] == {"year": 3_650}
    assert "2026-10" not in await revenue(here, "net")


async def test_a_list_that_fails_leaves_the_numbers_of_the_last_good_sync(here: World) -> None:
    await company(here)
    await here.sync()
    here.account.change_invoice("in_year", status="void", amount_paid=0)
    here.stripe.faults.fail(500, times=10_000, path="/v1/refunds")
    answer = await here.call("GET", "/api/stripe/revenue-sync")
    assert answer.status_code in {502, 503}, answer.text
    here.stripe.faults.clear()
    assert await revenue(here, "net") == EXPECTED["net"]


async def test_a_refund_that_fails_after_all_vanishes(here: World) -> None:
    await company(here)
    await here.sync()
    [refund] = here.account.refunds.values()
    refund.status = "failed"
    await here.sync()
    assert "2026-10" not in await revenue(here, "net")


async def test_euros_count_at_stripes_rate_where_they_are_converted(database_url: str) -> None:
    async with world(database_url, revenue={"convert": True}) as here:
        here.account.exchange_rates["eur"] = "1.1"
        here.account.add_customer("cus_1")
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 2), currency="eur")
        await here.connect()
        await here.map("cus_1", "one")
        assert (await here.sync())["skippedCurrencies"] == {}
        for basis in ("invoiced", "cash", "net"):
            assert await revenue(here, basis) == {"2026-11": {"one": 110}}
