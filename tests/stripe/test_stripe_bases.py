"""All objects that have to do with revenue, read from a whole Stripe account."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from nullspend_margins import Period, ProviderUnavailable, RevenueGap, RevenueWindow
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_invoices import StripeLine, StripePayment
from nullspend_margins.demo.stripe_movements import StripeTransaction
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import WINDOW, FakeTime, at, fetch, make_provider, read
from tests.stripe.support import facts as facts_of

CONVERTING = RevenueWindow(WINDOW.first, WINDOW.last, converts=True)


def payments(count: int, amount: int = 10) -> list[StripePayment]:
    """A payment a day from 1 February on."""
    return [
        StripePayment(
            id=f"inpay_{number:03}",
            amount_paid=amount,
            created=at("2026-02", 1 + number),
            paid_at=at("2026-02", 1 + number),
        )
        for number in range(count)
    ]


def lines(count: int) -> list[StripeLine]:
    start, end = at("2026-02"), at("2026-03")
    return [
        StripeLine(id=f"il_{number:04}", amount=1 + number, start=start, end=end)
        for number in range(count)
    ]


async def test_partial_payments_of_an_invoice_that_is_open_or_given_up_are_told(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1", name="Ada")
    for status in ("open", "uncollectible"):
        account.add_invoice(
            "cus_1",
            100,
            created=at("2026-02"),
            invoice_id=f"in_{status}",
            status=status,
            payments=payments(2),
            amount_paid=20,
        )
    account.add_invoice("cus_1", 100, created=at("2026-02"), status="open", invoice_id="in_unpaid")

    facts = await fetch(provider)

    assert [(fact.object_id, fact.kind) for fact in facts] == [
        ("in_open", "payment"),
        ("in_uncollectible", "payment"),
    ]
    for fact in facts:
        assert [part.amount_minor for part in fact.all_parts] == [10, 10]
        assert {tuple(part.bases) for part in fact.all_parts} == {("cash", "net")}
        assert fact.customer_name == "Ada"


@pytest.mark.parametrize("count", [9, 10, 11, 100, 110, 300])
async def test_every_line_of_an_invoice_is_read(
    provider: StripeProvider, server: StripeServer, account: StripeAccount, count: int
) -> None:
    its = lines(count)
    total = sum(line.amount for line in its)
    account.add_invoice("cus_1", total, created=at("2026-02"), invoice_id="in_1", lines=its)

    [fact] = await fetch(provider)

    told = [part for part in fact.all_parts if part.kind == "line"]
    assert [part.part_id for part in told] == [line.id for line in its]
    assert [part.amount_minor for part in told] == [line.amount for line in its]
    asked = [seen for seen in server.requests if seen.path == "/v1/invoices/in_1/lines"]
    assert len(asked) == -(-max(count - 10, 0) // 100)


@pytest.mark.parametrize("count", [10, 11, 28])
async def test_every_payment_of_an_invoice_is_read(
    provider: StripeProvider, server: StripeServer, account: StripeAccount, count: int
) -> None:
    its = payments(count)
    account.add_invoice("cus_1", 10 * count, created=at("2026-02"), payments=its)

    [fact] = await fetch(provider)

    told = [part for part in fact.all_parts if part.kind == "payment"]
    assert [part.part_id for part in told] == [payment.id for payment in its]
    asked = [seen for seen in server.requests if seen.path == "/v1/invoice_payments"]
    assert len(asked) == (count > 10)


async def test_the_rest_of_lines_that_fails_fails_the_sync(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    account.add_invoice("cus_1", 78, created=at("2026-02"), invoice_id="in_1", lines=lines(12))
    server.faults.fail(500, times=1000, path="/v1/invoices/in_1/lines")

    with pytest.raises(ProviderUnavailable, match="HTTP 500"):
        await fetch(provider)


@pytest.mark.parametrize("path", ["/v1/invoices/in_1/lines", "/v1/invoice_payments"])
@pytest.mark.parametrize("status", [403, 404])
async def test_a_rest_that_is_refused_or_not_known_leaves_an_invoice_with_what_it_has_in_itself(
    provider: StripeProvider, server: StripeServer, account: StripeAccount, path: str, status: int
) -> None:
    account.add_invoice(
        "cus_1",
        120,
        created=at("2026-02"),
        invoice_id="in_1",
        lines=lines(12),
        payments=payments(12),
    )
    server.faults.fail(status, times=1000, path=path)

    items = await read(provider)

    [fact] = facts_of(items).values()
    [gap] = [one for one in items if isinstance(one, RevenueGap)]
    lost = ("accrual",) if path.endswith("lines") else ("cash", "net")
    assert (gap.permission, gap.bases) == ("rak_invoice_read", lost)
    for basis, total in (("invoiced", 120), ("cash", 120), ("accrual", 120)):
        told = [part.amount_minor for part in fact.all_parts if basis in part.bases]
        assert sum(told) == total


async def test_thousands_of_invoices_of_one_customer(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1", name="Ada")
    for number in range(2500):
        account.add_invoice("cus_1", 7, created=at("2026-02", 1 + number % 28))

    facts = await fetch(provider)

    assert len({fact.object_id for fact in facts}) == 2500
    assert sum(part.amount_minor for fact in facts for part in fact.all_parts) == 3 * 7 * 2500


async def test_refunds_are_of_the_customer_of_their_charge(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=at("2025-11"), invoice_id="in_old")
    account.add_refund("in_old", 100, created=at("2026-03", 4), id="re_1")
    account.add_refund("in_old", 100, created=at("2026-03", 4), id="re_2", status="failed")
    account.add_refund("in_old", 100, created=at("2025-12", 4), id="re_before")

    [fact] = await fetch(provider)

    assert (fact.object_id, fact.kind, fact.customer_id) == ("re_1", "refund", "cus_1")
    assert [(tuple(part.bases), part.amount_minor) for part in fact.all_parts] == [
        (("net", "accrual"), -100)
    ]


async def test_a_refund_of_a_credit_note_leaves_accrual_to_the_note(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=at("2025-11"), invoice_id="in_old")
    account.add_refund("in_old", 100, created=at("2026-03", 4), id="re_1")
    account.add_refund("in_old", 40, created=at("2025-12", 4), id="re_before")
    account.add_credit_note(
        "in_old", 140, created=at("2026-03"), id="cn_1", refunds={"re_1": 100, "re_before": 40}
    )
    account.add_invoice("cus_1", 900, created=at("2025-11"), invoice_id="in_open", status="open")
    account.add_credit_note("in_open", 70, created=at("2026-03"), id="cn_of_nothing")

    facts = await fetch(provider)

    bases = {fact.object_id: [tuple(part.bases) for part in fact.all_parts] for fact in facts}
    assert bases == {"cn_1": [("accrual",)], "re_1": [("net",)], "re_before": [("net",)]}


@pytest.mark.parametrize("is_backfill", [False, True])
async def test_a_note_of_long_after_its_refund_takes_accrual_over_from_it(
    provider: StripeProvider, account: StripeAccount, is_backfill: bool
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=at("2025-09"), invoice_id="in_1")
    account.add_refund("in_1", 100, created=at("2025-10"), id="re_1")
    account.add_credit_note("in_1", 100, created=at("2026-02"), id="cn_1", refunds={"re_1": 100})
    later = account.add_refund("in_1", 50, created=at("2026-05"), id="re_later")
    account.add_credit_note("in_1", 50, created=at("2026-05"), refunds={later.id: 50})

    facts = await fetch(provider, replace(WINDOW, is_backfill=is_backfill))

    assert {one.object_id: [part.bases for part in one.all_parts] for one in facts} == {
        "re_1": [("net",)],
        "cn_1": [("accrual",)],
    }


async def test_in_a_backfill_the_note_of_the_next_month_still_has_its_refund(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=at("2025-11"), invoice_id="in_old")
    account.add_refund("in_old", 100, created=at("2026-03", 31), id="re_1")
    account.add_credit_note("in_old", 100, created=at("2026-04"), refunds={"re_1": 100})
    march = Period.parse("2026-03")

    [fact] = await fetch(provider, RevenueWindow(march, march, is_backfill=True))

    assert (fact.object_id, tuple(fact.all_parts[0].bases)) == ("re_1", ("net",))


async def test_disputes_of_half_a_year_before_are_told_with_all_that_they_moved(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 900, created=at("2025-08"), invoice_id="in_old")
    account.add_dispute(
        "in_old",
        900,
        created=at("2025-08", 2),
        id="du_1",
        transactions=(
            StripeTransaction(id="txn_1", amount=-900, created=at("2025-08", 2)),
            StripeTransaction(id="txn_2", amount=900, created=at("2026-02", 2)),
        ),
    )
    account.add_dispute("in_old", 900, created=at("2025-06", 30), id="du_before")

    [fact] = await fetch(provider)

    assert (fact.object_id, fact.customer_id) == ("du_1", "cus_1")
    assert [(part.amount_minor, part.occurred_at) for part in fact.all_parts] == [
        (-900, datetime(2025, 8, 2, tzinfo=UTC)),
        (900, datetime(2026, 2, 2, tzinfo=UTC)),
    ]


async def test_what_is_of_the_other_mode_never_counts(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 100, created=at("2026-02"), invoice_id="in_test", livemode=False)
    account.add_invoice("cus_1", 100, created=at("2026-02"), invoice_id="in_live")
    account.add_dispute("in_live", 100, created=at("2026-02"), livemode=False)
    account.add_credit_note("in_live", 100, created=at("2026-02"), livemode=False)

    assert [fact.object_id for fact in await fetch(provider)] == ["in_live"]


@pytest.mark.parametrize(
    ("environment", "found"), [("production", ["in_real"]), ("staging", ["in_clock", "in_real"])]
)
async def test_what_runs_on_a_test_clock_does_not_count_in_production(
    account: StripeAccount,
    server_http: httpx.AsyncClient,
    time: FakeTime,
    environment: str,
    found: list[str],
) -> None:
    account.add_invoice("cus_1", 1, created=at("2026-02"), invoice_id="in_clock", test_clock="clk")
    account.add_invoice("cus_1", 1, created=at("2026-02"), invoice_id="in_real")
    provider = make_provider(lambda: server_http, time, environment=environment)

    assert [fact.object_id for fact in await fetch(provider)] == found


async def test_a_failing_list_of_refunds_fails_the_sync(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    account.add_invoice("cus_1", 1, created=at("2026-02"))
    server.faults.fail(500, times=1000, path="/v1/refunds")

    with pytest.raises(ProviderUnavailable, match="HTTP 500"):
        await fetch(provider)
