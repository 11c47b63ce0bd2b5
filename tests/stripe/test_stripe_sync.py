"""Reading a window of invoices from a whole Stripe account."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import msgspec
import pytest
import stripe

from nullspend_margins import CredentialRefused, PermissionMissing, RevenueFact
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_faults import Fault
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins.domain.recognition import Conversion, recognized
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import APRIL, KEY, WINDOW, FakeTime, at, fetch, make_provider


async def test_a_paid_invoice_becomes_a_fact(
    provider: StripeProvider, account: StripeAccount
) -> None:
    ada = account.add_customer(
        "cus_ada", name="Ada", email="ada@example.com", metadata={"nullspend_customer": "ada"}
    )
    account.add_invoice(ada, 4900, created=at("2026-04", 3, 7), invoice_id="in_1")

    [fact] = await fetch(provider)
    assert msgspec.structs.replace(fact, parts=None) == RevenueFact(
        object_id="in_1",
        customer_id="cus_ada",
        amount_minor=4900,
        currency="usd",
        occurred_at=datetime(2026, 4, 3, 7, tzinfo=UTC),
        customer_name="Ada",
        customer_email="ada@example.com",
        suggested_tag="ada",
    )


async def test_the_window_is_read_by_months_in_the_sdks_api_version(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    await fetch(provider, replace(WINDOW, is_backfill=True))

    paid = [seen for seen in server.requests if seen.param("status") == "paid"]
    asked = [dict(seen.params) for seen in paid]
    assert sorted((ask["created[gte]"], ask["created[lt]"]) for ask in asked) == [
        (str(int(period.start.timestamp())), str(int(period.end.timestamp())))
        for period in WINDOW.periods
    ]
    for seen in paid:
        assert [value for name, value in seen.params if name == "expand[]"] == [
            "data.customer",
            "data.payments",
        ]
        assert seen.param("limit") == "100"
    assert {seen.version for seen in server.requests} == {stripe.api_version}


async def test_only_paid_invoices_of_the_window_are_met(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    for number, status in enumerate(("draft", "open", "void", "uncollectible")):
        account.add_invoice(
            "cus_1", 100, created=at("2026-04", 2), status=status, invoice_id=f"in_{number}"
        )
    account.add_invoice("cus_1", 100, created=at("2026-01"), invoice_id="in_first")
    # Without a service that goes on.
    account.add_invoice("cus_1", 100, created=at("2026-01") - 1, invoice_id="in_before", lean=True)
    account.add_invoice("cus_1", 100, created=at("2026-05") - 1, invoice_id="in_last")
    account.add_invoice("cus_1", 100, created=at("2026-05"), invoice_id="in_after")

    whole = [fact for fact in await fetch(provider) if not fact.is_partial]
    assert [fact.object_id for fact in whole] == ["in_first", "in_last"]


@pytest.mark.parametrize("page_size", [1, 7, 100])
async def test_every_page_of_every_month_is_read_once(
    server: StripeServer,
    account: StripeAccount,
    server_http: httpx.AsyncClient,
    time: FakeTime,
    page_size: int,
) -> None:
    account.add_customer("cus_1")
    for month in ("2026-01", "2026-02", "2026-03", "2026-04"):
        for number in range(21):
            # Three at the same second: the order inside a second must hold across pages.
            account.add_invoice("cus_1", number, created=at(month, 1 + number // 3), lean=True)

    provider = make_provider(lambda: server_http, time, page_size=page_size)
    facts = await fetch(provider)

    assert Counter(fact.object_id for fact in facts) == Counter(account.invoices.keys())
    assert sum(fact.amount_minor for fact in facts) == 4 * sum(range(21))


async def test_a_deleted_customers_revenue_counts_under_the_invoices_name(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_gone", name="Gone Ltd", email="old@example.com")
    account.add_invoice("cus_gone", 100, created=at("2026-04"))
    account.delete_customer("cus_gone")

    [fact] = await fetch(provider)

    assert (fact.customer_id, fact.customer_name) == ("cus_gone", "Gone Ltd")
    assert recognized(fact, Conversion())


async def test_the_customers_present_name_wins_over_the_invoices(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1", name="Old name")
    account.add_invoice("cus_1", 100, created=at("2026-04"))
    account.add_customer("cus_1", name="New name")

    assert [fact.customer_name for fact in await fetch(provider)] == ["New name"]


async def test_an_invoice_without_a_customer_is_handed_on_uncounted(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_invoice(None, 100, created=at("2026-04"))

    [fact] = await fetch(provider)

    assert fact.customer_id is None
    assert recognized(fact, Conversion()) is None


async def test_foreign_currencies_are_handed_on(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    account.add_invoice("cus_1", 100, created=at("2026-04"), currency="eur")

    [fact] = await fetch(provider)

    assert (fact.currency, fact.amount_minor, fact.is_foreign) == ("eur", 100, True)


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("acme", "acme"),
        ("a/b c%ü", "a/b c%ü"),
        ("", None),
        ("a\nb", None),
        ("x" * 256, "x" * 256),
        ("x" * 257, None),
    ],
)
async def test_a_tag_value_in_the_metadata_is_taken_to_the_letter_or_not_at_all(
    provider: StripeProvider, account: StripeAccount, value: str, tag: str | None
) -> None:
    account.add_customer("cus_1", metadata={"nullspend_customer": value, "other": "x"})
    account.add_invoice("cus_1", 100, created=at("2026-04"))

    assert [fact.suggested_tag for fact in await fetch(provider)] == [tag]


async def test_the_metadata_key_is_configuration(
    account: StripeAccount, server_http: httpx.AsyncClient, time: FakeTime
) -> None:
    account.add_customer("cus_1", metadata={"nullspend_customer": "a", "tenant": "b"})
    account.add_invoice("cus_1", 100, created=at("2026-04"))
    provider = make_provider(lambda: server_http, time, customer_metadata_key="tenant")

    assert [fact.suggested_tag for fact in await fetch(provider)] == ["b"]


async def test_names_are_told_as_far_as_they_can_be_stored(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_1", name="  Tab\there\x00 " + "x" * 300, email="\x07")
    account.add_invoice("cus_1", 100, created=at("2026-04"))

    [fact] = await fetch(provider)

    assert fact.customer_name == ("  Tab\there  " + "x" * 300)[:256]
    assert fact.customer_email is None


async def test_a_refused_key_ends_the_sync(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    server.revoke(KEY)

    with pytest.raises(CredentialRefused):
        await fetch(provider)


@pytest.mark.parametrize("permission", ["rak_invoice_read", "rak_customer_read"])
async def test_a_permission_lost_half_way_is_named(
    provider: StripeProvider, server: StripeServer, account: StripeAccount, permission: str
) -> None:
    server.forbid(KEY, permission)

    with pytest.raises(PermissionMissing) as caught:
        await fetch(provider)

    assert caught.value.permission == permission


async def test_passing_failures_cost_nothing_but_time(
    provider: StripeProvider, server: StripeServer, account: StripeAccount, time: FakeTime
) -> None:
    account.add_customer("cus_1")
    for number in range(250):
        account.add_invoice("cus_1", number, created=at("2026-03", 2), lean=True)
    server.faults.fail(500, times=2, skip=1)
    server.faults.plan(Fault(truncate=True, times=2))
    server.faults.fail(429, headers={"Retry-After": "2"})

    assert len(await fetch(provider)) == 250
    assert time.sleeps


async def test_no_more_months_than_allowed_are_read_at_once(
    server: StripeServer, account: StripeAccount, server_http: httpx.AsyncClient, time: FakeTime
) -> None:
    hold = server.faults.hold("/v1/invoices")
    provider = make_provider(lambda: server_http, time, concurrency=2)
    reading = asyncio.create_task(fetch(provider))
    await hold.entered.wait()
    for _ in range(20):
        await asyncio.sleep(0)

    assert server.request_count == 2
    hold.release()
    assert await reading == []
    # The months come first, the newest of them at the head.
    months = [seen.param("created[gte]") for seen in [*server.requests][:4]]
    assert months == [str(at(f"2026-{month:02}")) for month in (4, 3, 2, 1)]


async def test_pages_wait_for_a_slow_reader(
    server: StripeServer, account: StripeAccount, server_http: httpx.AsyncClient, time: FakeTime
) -> None:
    account.add_customer("cus_1")
    for number in range(100):
        account.add_invoice("cus_1", number, created=at("2026-04", 2), lean=True)
    provider = make_provider(lambda: server_http, time, page_size=1)

    pages = provider.fetch_revenue(KEY, APRIL)
    await anext(pages)
    for _ in range(200):
        await asyncio.sleep(0)

    # One page read, two waiting, one in the cursor's hand.
    paid = [seen for seen in server.requests if seen.param("status") == "paid"]
    assert len(paid) <= 4
    await pages.aclose()


@pytest.mark.parametrize("ending", ["close", "cancel"])
async def test_ending_early_ends_the_cursors(
    provider: StripeProvider, server: StripeServer, account: StripeAccount, ending: str
) -> None:
    account.add_customer("cus_1")
    for number in range(500):
        account.add_invoice("cus_1", number, created=at("2026-04", 2), lean=True)
    before = asyncio.all_tasks()
    if ending == "close":
        pages = provider.fetch_revenue(KEY, WINDOW)
        await anext(pages)
        await pages.aclose()
    else:
        hold = server.faults.hold("/v1/invoices")
        reading = asyncio.create_task(fetch(provider))
        await hold.entered.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    assert asyncio.all_tasks() == before


async def test_one_failing_month_ends_the_others(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    for number in range(3000):
        account.add_invoice("cus_1", number, created=at("2026-04", 2), lean=True)
    before = asyncio.all_tasks()
    server.faults.fail(400, skip=3)

    with pytest.raises(Exception, match="HTTP 400"):
        await fetch(provider)

    assert asyncio.all_tasks() == before
    # The month alone has thirty pages.
    assert server.request_count < 15
