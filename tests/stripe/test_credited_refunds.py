"""Refunds of which credit notes say what they are for."""

from __future__ import annotations

import pytest

from nullspend_margins import Period, RevenueWindow
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import at, fetch
from tests.world import ORG, unix, world

OCTOBER = Period.parse("2025-10")


async def test_notes_speak_for_a_refund_with_as_much_as_they_say(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=at("2025-09"), invoice_id="in_1")
    account.add_refund("in_1", 100, created=at("2026-01"), id="re_1")
    account.add_credit_note("in_1", 60, created=at("2026-02"), refunds={"re_1": 60})
    account.add_credit_note("in_1", 30, created=at("2026-03"), refunds={"re_1": 30})
    account.add_refund("in_1", 100, created=at("2025-10"), id="re_old")
    account.add_credit_note("in_1", 50, created=at("2025-11"), refunds={"re_old": 50})
    account.add_credit_note("in_1", 20, created=at("2026-02"), refunds={"re_old": 20})

    found = {fact.object_id: fact for fact in await fetch(provider) if fact.kind == "refund"}

    amounts = {
        name: [(tuple(part.bases), part.amount_minor) for part in fact.all_parts]
        for name, fact in found.items()
    }
    assert amounts == {
        "re_1": [(("net",), -100), (("accrual",), -10)],
        "re_old": [(("net",), -100), (("accrual",), -30)],
    }
    asked = [one.param("invoice") for one in server.requests if one.path == "/v1/credit_notes"]
    assert [one for one in asked if one] == ["in_1"]


@pytest.mark.parametrize("noted", ["2025-10", "2025-11", "2025-12", "2026-04"])
async def test_a_backfill_knows_of_notes_that_were_made_after_its_month(
    provider: StripeProvider, server: StripeServer, account: StripeAccount, noted: str
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=at("2025-09"), invoice_id="in_1")
    account.add_refund("in_1", 100, created=at("2025-10"), id="re_1")
    account.add_credit_note("in_1", 70, created=at(noted), refunds={"re_1": 70})

    found = await fetch(provider, RevenueWindow(OCTOBER, OCTOBER, is_backfill=True))

    [refund] = [fact for fact in found if fact.kind == "refund"]
    assert [(tuple(part.bases), part.amount_minor) for part in refund.all_parts] == [
        (("net",), -100),
        (("accrual",), -30),
    ]


async def test_a_backfill_without_uncredited_refunds_looks_for_no_later_notes(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=at("2025-09"), invoice_id="in_1")
    account.add_refund("in_1", 100, created=at("2025-10"), id="re_1")
    account.add_credit_note("in_1", 100, created=at("2025-10"), refunds={"re_1": 100})

    await fetch(provider, RevenueWindow(OCTOBER, OCTOBER, is_backfill=True))

    assert [one.path for one in server.requests].count("/v1/credit_notes") == 1


async def test_a_backfilled_refund_is_taken_off_accrual_once_though_its_note_is_a_syncs(
    database_url: str,
) -> None:
    """The note is of September, which the sync before has read; the refund is of May."""
    async with world(database_url) as here:
        here.account.add_customer("cus_1", name="Ada")
        here.account.add_invoice("cus_1", 900, created=unix(2026, 5, 2), invoice_id="in_1")
        here.account.add_refund("in_1", 300, created=unix(2026, 5, 9), id="re_1")
        here.account.add_credit_note("in_1", 300, created=unix(2026, 9, 3), refunds={"re_1": 300})
        await here.connect()
        await here.map("cus_1", "ada")
        await here.sync()
        services = await here.margins.services()

        await services.sync.backfill(ORG, "stripe", Period.parse("2026-05"))

        async def accrued(period: str) -> int:
            found = await here.get(f"/api/margins/ada?period={period}&basis=accrual")
            return found["revenueMicrodollars"]  # type: ignore[index]

        months = ("2026-05", "2026-06", "2026-07", "2026-08", "2026-09")
        assert sum([await accrued(month) for month in months]) == 6_000_000
