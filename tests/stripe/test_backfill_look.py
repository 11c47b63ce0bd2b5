"""A backfill begins: invoices of before it are paid, and serve, in the months that it brings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nullspend_margins import Period, RevenueCursor, RevenueGap, RevenueWindow
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_invoices import StripeLine, StripePayment
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import at, facts, read
from tests.world import ORG, unix, world

JANUARY = Period.parse("2025-01")
FIRST = RevenueWindow(JANUARY, JANUARY, is_backfill=True, looks_back=True)
BEFORE = at("2024-11")


def add_old(account: StripeAccount) -> None:
    """Invoices of November 2024: paid late, paid in part, a year's service, and done with."""
    account.add_customer("cus_1", name="Ada")
    in_part = StripePayment(
        id="inpay_1", amount_paid=30, created=at("2025-02"), paid_at=at("2025-02")
    )
    for name, more in {
        "in_january": {"paid_at": at("2025-01", 9)},
        "in_march": {"paid_at": at("2025-03", 9)},
        "in_part": {"status": "open", "amount_paid": 30, "payments": (in_part,)},
        "in_year": {"lines": (StripeLine(id="il_1", amount=900, start=BEFORE, end=at("2025-11")),)},
        "in_done": {},
    }.items():
        account.add_invoice("cus_1", 900, created=BEFORE, invoice_id=name, **more)
    account.add_credit_note("in_march", 100, created=at("2024-12"), kind="pre_payment", id="cn_1")
    account.add_dispute("in_done", 900, created=at("2024-12"), id="du_1")
    account.add_invoice("cus_1", 70, created=at("2023-12"), paid_at=at("2025-01"))


async def test_its_first_month_looks_back(provider: StripeProvider, account: StripeAccount) -> None:
    add_old(account)

    items = await read(provider, FIRST)

    found = facts(items)
    assert {name: (fact.kind, fact.is_partial) for name, fact in found.items()} == {
        "in_january": ("invoice", False),
        "in_march": ("invoice", False),
        "in_part": ("payment", False),
        "in_year": ("invoice", True),
        "cn_1": ("credit_note", False),
        "du_1": ("dispute", False),
    }
    paid = [part for part in found["in_march"].all_parts if part.kind == "payment"]
    assert [part.occurred_at for part in paid] == [datetime(2025, 3, 9, tzinfo=UTC)]
    assert not [one for one in items if isinstance(one, RevenueCursor | RevenueGap)]


async def test_its_other_months_do_not(
    provider: StripeProvider, account: StripeAccount, server: StripeServer
) -> None:
    add_old(account)

    assert await read(provider, replace(FIRST, looks_back=False)) == []
    listed = [one for one in server.requests if one.param("status") == "paid"]
    assert [one.param("created[gte]") for one in listed] == [str(at("2025-01"))]


@pytest.mark.parametrize("status", ["paid", "open"])
async def test_months_of_long_ago_have_late_payments_and_older_services(
    database_url: str, status: str
) -> None:
    """A year from June 2025 on, invoiced in May and paid in January 2026, brought since January."""
    async with world(database_url) as here:
        created, june = unix(2025, 5, 20), unix(2025, 6, 1, 0)
        customer = here.account.add_customer("cus_1", name="Ada")
        line = StripeLine(id="il_1", amount=36_500, start=june, end=unix(2026, 6, 1, 0))
        here.account.add_invoice(
            customer, 36_500, created=created, invoice_id="in_1", status="open", lines=(line,)
        )
        if status == "paid":
            here.account.pay("in_1", 36_500, at=unix(2026, 1, 9))
        await here.connect()
        await here.map("cus_1", "ada")
        await here.sync()
        services = await here.margins.services()
        report = await services.sync.backfill(ORG, "stripe", Period.parse("2026-01"))
        assert (report.months, report.invoices_fetched) == (7, 0)

        async def dollars(period: str, basis: str) -> int:
            found = await here.get(f"/api/margins/ada?period={period}&basis={basis}")
            return found["revenueMicrodollars"] // 1_000_000  # type: ignore[index]

        paid = status == "paid"
        months = ("2026-01", "2026-02", "2026-05", "2026-06")
        assert [await dollars(month, "cash") for month in months] == [365 * paid, 0, 0, 0]
        accrued = [31, 28, 31, 0] if paid else [0] * 4
        assert [await dollars(month, "accrual") for month in months] == accrued
