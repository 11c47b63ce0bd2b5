"""Services that were paid before the window and go on in it: an annual plan."""

from __future__ import annotations

import httpx

from nullspend_margins import Period, RevenueFact
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_invoices import StripeLine
from tests.stripe.support import FakeTime, StandingClock, at, make_provider, read
from tests.world import ORG, unix, world

OLD = at("2025-10", 3)


def line(number: int, start: int, end: int, amount: int = 12_000) -> StripeLine:
    return StripeLine(id=f"il_{number}", amount=amount, start=start, end=end)


async def test_one_that_goes_on_is_told_as_what_it_accrues(
    server_http: httpx.AsyncClient, time: FakeTime, account: StripeAccount
) -> None:
    account.add_customer("cus_1", name="Ada")
    ends = {"in_year": at("2026-10", 3), "in_over": at("2026-01", 1)}
    for number, (name, end) in enumerate(ends.items()):
        lines = [line(number, OLD, end)]
        account.add_invoice("cus_1", 12_000, created=OLD, invoice_id=name, lines=lines)

    told = await read(make_provider(lambda: server_http, time, clock=StandingClock()))

    [fact] = [one for one in told if isinstance(one, RevenueFact)]
    assert (fact.object_id, fact.is_partial) == ("in_year", True)
    assert [(part.bases, part.amount_minor) for part in fact.all_parts] == [(("accrual",), 12_000)]


async def test_its_own_month_is_whole_or_empty(database_url: str) -> None:
    """Told in part while its month was not read; once it was, no later look makes it less."""
    async with world(database_url) as here:
        january = unix(2026, 1, 15)
        customer = here.account.add_customer("cus_1", name="Ada")
        lines = [line(1, january, unix(2027, 1, 15), amount=36_500)]
        here.account.add_invoice(customer, 36_500, created=january, lines=lines)
        await here.connect()
        await here.map("cus_1", "ada")

        async def revenue(period: str, basis: str) -> int:
            path = f"/api/margins/ada?period={period}&basis={basis}"
            found = await here.get(path)
            return found["revenueMicrodollars"]  # type: ignore[index]

        report = await here.sync()
        assert (report["invoicesFetched"], report["periodsUpdated"]) == (0, 0)
        assert await revenue("2026-11", "accrual") == 30_000_000
        assert [await revenue("2026-01", each) for each in ("invoiced", "cash", "net")] == [0] * 3

        services = await here.margins.services()
        await services.sync.backfill(ORG, "stripe", Period.parse("2026-01"))
        for days in (0, 8, 8):
            here.clock.advance(days=days)
            await here.sync()
            assert await revenue("2026-01", "invoiced") == 365_000_000
            assert await revenue("2026-11", "accrual") == 30_000_000
