"""Payments of invoices that are older than the window, and what becomes of them later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nullspend_margins import Period, RevenueCursor, RevenueGap
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_invoices import StripePayment
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import (
    KEY,
    NOW,
    WINDOW,
    StandingClock,
    at,
    cursor,
    facts,
    read,
)

MINUTE, DAY = 60, 86_400
OLD = at("2025-10", 3)


@pytest.fixture
def late(make: Callable[..., StripeProvider]) -> StripeProvider:
    return make()


def listed_months(server: StripeServer) -> list[str]:
    """The months whose paid invoices were listed, oldest first."""
    asked = [seen for seen in server.requests if seen.param("status") == "paid"]
    server.requests.clear()
    months: list[int] = []
    for seen in asked:
        first, end = (int(seen.param(f"created[{name}]") or 0) for name in ("gte", "lt"))
        moments = (datetime.fromtimestamp(each, UTC) for each in (first, end))
        months += range(*(Period.containing(moment).index for moment in moments))
    return [str(Period(month)) for month in sorted(months)]


WINDOW_MONTHS = ["2026-01", "2026-02", "2026-03", "2026-04"]


async def test_a_first_sync_finds_old_invoices_that_were_paid_in_its_months(
    late: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    account.add_customer("cus_1", name="Ada")
    account.add_invoice("cus_1", 900, created=OLD, invoice_id="in_late", paid_at=at("2026-02", 9))
    account.add_invoice("cus_1", 500, created=OLD, invoice_id="in_then")
    account.add_invoice(
        "cus_1", 500, created=at("2024-12"), invoice_id="in_ages", paid_at=at("2026-02")
    )

    found = facts(await read(late))

    assert set(found) == {"in_late"}
    fact = found["in_late"]
    assert (fact.kind, fact.customer_name) == ("invoice", "Ada")
    paid = [part.occurred_at for part in fact.all_parts if part.kind == "payment"]
    assert paid == [datetime(2026, 2, 9, tzinfo=UTC)]
    assert sum(seen.param("status") == "paid" for seen in server.requests) == 4 + 4
    assert listed_months(server) == [
        str(WINDOW.first.shift(months)) for months in range(-12, len(WINDOW.periods))
    ]


async def test_how_far_back_it_looks_is_configuration(
    make: Callable[..., StripeProvider], server: StripeServer, account: StripeAccount
) -> None:
    account.add_invoice(None, 900, created=OLD, invoice_id="in_late", paid_at=at("2026-02", 9))

    assert facts(await read(make(late_months=2))) == {}
    assert listed_months(server) == ["2025-11", "2025-12", *WINDOW_MONTHS]
    assert set(facts(await read(make(late_months=3)))) == {"in_late"}
    server.requests.clear()
    await read(make(late_months=0))
    assert listed_months(server) == WINDOW_MONTHS


async def test_later_syncs_find_them_by_events_alone(
    late: StripeProvider, clock: StandingClock, server: StripeServer, account: StripeAccount
) -> None:
    account.add_customer("cus_1", name="Ada", metadata={"nullspend_customer": "ada"})
    account.add_invoice("cus_1", 900, created=OLD, invoice_id="in_late", status="open")
    account.add_invoice("cus_1", 100, created=at("2026-03"), invoice_id="in_march", status="open")
    first = await read(late)
    assert facts(first) == {}
    server.requests.clear()

    clock.moment += timedelta(hours=2)
    account.pay("in_late", 900, at=int(NOW.timestamp()) + 60 * MINUTE)
    account.pay("in_march", 100, at=int(NOW.timestamp()) + 60 * MINUTE)
    again = await read(late, replace(WINDOW, cursor=cursor(first)))

    assert {name: fact.kind for name, fact in facts(again).items()} == {
        "in_late": "invoice",
        "in_march": "invoice",
    }
    assert facts(again)["in_late"].suggested_tag == "ada"
    asked = [seen.path for seen in server.requests]
    assert asked.count("/v1/invoices/in_late") == 1
    assert "/v1/invoices/in_march" not in asked
    assert listed_months(server) == WINDOW_MONTHS


async def test_events_are_read_from_ten_minutes_before_the_last_sync(
    late: StripeProvider, clock: StandingClock, server: StripeServer, account: StripeAccount
) -> None:
    account.add_invoice(None, 900, created=OLD, invoice_id="in_late", status="open")
    first = await read(late)
    account.pay("in_late", 900, at=int(NOW.timestamp()) - 9 * MINUTE)

    assert "in_late" in facts(await read(late, replace(WINDOW, cursor=cursor(first))))
    [asked] = [seen for seen in server.requests if seen.path == "/v1/events"][-1:]
    assert asked.param("created[gte]") == str(int(NOW.timestamp()) - 10 * MINUTE)
    types = [value for name, value in asked.params if name == "types[]"]
    assert {"invoice.paid", "refund.failed", "credit_note.voided"} < set(types)
    assert len(types) <= 20


async def test_a_partial_payment_of_an_old_open_invoice_is_told_by_its_event(
    late: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=OLD, invoice_id="in_late", status="open")
    first = await read(late)
    account.pay("in_late", 300, at=int(NOW.timestamp()))

    [fact] = facts(await read(late, replace(WINDOW, cursor=cursor(first)))).values()

    assert (fact.object_id, fact.kind) == ("in_late", "payment")
    assert [(part.bases, part.amount_minor) for part in fact.all_parts] == [(("cash", "net"), 300)]


async def test_without_the_permission_they_are_found_once_a_day(
    late: StripeProvider, clock: StandingClock, server: StripeServer, account: StripeAccount
) -> None:
    server.forbid(KEY, "rak_event_read")
    account.add_invoice(None, 900, created=OLD, invoice_id="in_late", status="open")
    first = await read(late)
    [gap] = [one for one in first if isinstance(one, RevenueGap)]
    assert (gap.permission, tuple(gap.bases)) == ("rak_event_read", ("cash", "net", "accrual"))
    account.pay("in_late", 900, at=int(NOW.timestamp()))
    server.requests.clear()

    clock.moment += timedelta(hours=23)
    second = await read(late, replace(WINDOW, cursor=cursor(first)))
    assert facts(second) == {}
    assert listed_months(server) == WINDOW_MONTHS

    clock.moment += timedelta(hours=1)
    third = await read(late, replace(WINDOW, cursor=cursor(second)))
    assert set(facts(third)) == {"in_late"}
    assert len(listed_months(server)) == 16


async def test_a_permission_given_later_misses_nothing_of_the_time_without_it(
    late: StripeProvider, clock: StandingClock, server: StripeServer, account: StripeAccount
) -> None:
    server.forbid(KEY, "rak_event_read")
    account.add_invoice(None, 900, created=OLD, invoice_id="in_late", status="open")
    first = await read(late)
    account.pay("in_late", 900, at=int(NOW.timestamp()) + 60 * MINUTE)
    clock.moment += timedelta(hours=5)
    second = await read(late, replace(WINDOW, cursor=cursor(first)))

    server.keys[KEY].permissions.add("rak_event_read")
    clock.moment += timedelta(hours=5)
    third = await read(late, replace(WINDOW, cursor=cursor(second)))

    assert facts(second) == {}
    assert set(facts(third)) == {"in_late"}


@pytest.mark.parametrize(
    ("days", "cursor_of", "months"),
    [(6, None, 4), (7, None, 16), (26, None, 16), (0, "no cursor of ours", 16), (0, "{}", 16)],
)
async def test_the_months_before_are_listed_again_once_a_week_and_when_the_cursor_says_nothing(
    late: StripeProvider,
    clock: StandingClock,
    server: StripeServer,
    account: StripeAccount,
    days: int,
    cursor_of: str | None,
    months: int,
) -> None:
    first = await read(late)
    server.requests.clear()
    clock.moment += timedelta(days=days)

    await read(late, replace(WINDOW, cursor=cursor_of or cursor(first)))

    assert len(listed_months(server)) == months


async def test_a_backfill_looks_at_its_own_months_alone(
    late: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    account.add_invoice(None, 900, created=OLD, invoice_id="in_late", paid_at=at("2026-02", 9))
    account.add_invoice(None, 100, created=at("2026-02"), invoice_id="in_february")
    account.add_dispute("in_late", 100, created=at("2025-12"))

    items = await read(late, replace(WINDOW, is_backfill=True))

    assert set(facts(items)) == {"in_february"}
    assert not [one for one in items if isinstance(one, RevenueCursor)]
    assert listed_months(server) == WINDOW_MONTHS
    assert "/v1/events" not in {seen.path for seen in server.requests}


async def test_an_old_refund_that_failed_and_an_old_note_that_is_void_are_told_as_nothing(
    late: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=OLD, invoice_id="in_1")
    refund = account.add_refund("in_1", 100, created=OLD + DAY, id="re_1")
    note = account.add_credit_note("in_1", 50, created=OLD + DAY, id="cn_1")
    kept = account.add_refund("in_1", 100, created=OLD + DAY, id="re_kept")
    first = await read(late)
    now = int(NOW.timestamp())
    refund.status, note.status = "failed", "void"
    for kind, one in (("refund.failed", refund), ("refund.updated", kept)):
        account.add_event(kind, one.render(livemode=True), created=now)
    account.add_event("credit_note.voided", note.render(livemode=True), created=now)

    found = facts(await read(late, replace(WINDOW, cursor=cursor(first))))

    assert {name: (fact.kind, fact.parts) for name, fact in found.items()} == {
        "re_1": ("refund", ()),
        "cn_1": ("credit_note", ()),
    }


async def test_what_an_event_points_to_and_is_gone_is_passed_over(
    late: StripeProvider, account: StripeAccount
) -> None:
    account.add_invoice(None, 900, created=OLD, invoice_id="in_late", status="open")
    first = await read(late)
    account.pay("in_late", 900, at=int(NOW.timestamp()))
    account.remove_invoice("in_late")

    assert facts(await read(late, replace(WINDOW, cursor=cursor(first)))) == {}


async def test_more_events_than_a_page_are_read_and_each_invoice_once(
    make: Callable[..., StripeProvider], server: StripeServer, account: StripeAccount
) -> None:
    provider = make(page_size=3)
    payments = [
        StripePayment(id=f"inpay_{n}", amount_paid=1, created=OLD, paid_at=OLD) for n in range(9)
    ]
    invoice = account.add_invoice(None, 9, created=OLD, invoice_id="in_1", payments=payments)
    first = await read(provider)
    for each in payments:
        subject = each.render(invoice, livemode=True)
        account.add_event("invoice_payment.paid", subject, created=int(NOW.timestamp()))

    await read(provider, replace(WINDOW, cursor=cursor(first)))

    asked = [seen.path for seen in server.requests]
    assert asked.count("/v1/events") == 1 + 3
    assert asked.count("/v1/invoices/in_1") == 1
