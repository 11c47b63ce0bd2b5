"""Single answers that a Stripe, or something in its place, may give to a sync."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable
from datetime import timedelta
from email.utils import format_datetime
from functools import partial

import httpx
import pytest
import respx

from nullspend_margins import (
    CredentialRefused,
    MarginsError,
    PermissionMissing,
    ProviderUnavailable,
)
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.failures import scrub
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import (
    APRIL,
    CUSTOMERS,
    INVOICES,
    KEY,
    NOW,
    FakeTime,
    at,
    error_json,
    fetch,
    invoice_json,
    page_json,
)

GOOD = httpx.Response(200, json=page_json(invoice_json("in_1")))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(409, json=error_json("lock timeout", code="lock_timeout")),
        httpx.Response(429, json=error_json("slow down", code="rate_limit")),
        httpx.Response(400, json=error_json("slow down", code="rate_limit")),
        httpx.Response(500, json=error_json("oops")),
        httpx.Response(503, text="<html>down for maintenance</html>"),
        httpx.Response(200, text="<html>log in to the hotel's network</html>"),
        httpx.Response(200, text='{"object": "list", "data": [{"id": "in_1", "amou'),
        httpx.Response(200, json={"object": "list"}),
        httpx.Response(200, json=page_json({"id": "in_1"})),
        httpx.Response(200, json=page_json(invoice_json("in_\x00"))),
        httpx.Response(200, json=page_json(invoice_json("in_1", amount_paid=2**60))),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(200, json=page_json(has_more=True)),
        httpx.Response(204),
        httpx.Response(302, headers={"Location": "https://elsewhere.example/"}),
        httpx.Response(200, text="[" * 100_000),
        httpx.Response(400, json={"error": "no"}),
        httpx.Response(404, text="not Stripe"),
        httpx.Response(404, json={"error": {}}),
        httpx.ConnectError("refused"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("cut"),
        httpx.ReadTimeout("late"),
    ],
    ids=str,
)
@respx.mock
async def test_an_unusable_answer_is_asked_for_again_until_the_budget_ends(
    remote: StripeProvider, time: FakeTime, answer: httpx.Response | Exception
) -> None:
    route = respx.get(INVOICES)
    route.side_effect = [answer, answer, GOOD]
    assert [fact.object_id for fact in await fetch(remote, APRIL)] == ["in_1"]

    before = time.passed
    route.side_effect = [answer] * 1000
    with pytest.raises(ProviderUnavailable):
        await fetch(remote, APRIL)
    assert 15 <= time.passed - before <= 20


@respx.mock
async def test_the_same_page_again_is_no_page(remote: StripeProvider) -> None:
    respx.get(INVOICES).respond(
        200, json=page_json(invoice_json("in_1"), invoice_json("in_2"), has_more=True)
    )

    with pytest.raises(ProviderUnavailable, match="same page"):
        await fetch(remote, APRIL)


@respx.mock
async def test_waits_grow_and_are_drawn_by_chance(remote: StripeProvider, time: FakeTime) -> None:
    respx.get(INVOICES).side_effect = [httpx.Response(500)] * 4 + [GOOD]

    await fetch(remote, APRIL)

    assert time.sleeps == [0.5, 1.0, 2.0, 4.0]


@respx.mock
async def test_retry_after_in_seconds_is_waited_for(remote: StripeProvider, time: FakeTime) -> None:
    respx.get(INVOICES).side_effect = [httpx.Response(429, headers={"Retry-After": "7"}), GOOD]

    await fetch(remote, APRIL)

    assert [7 <= wait <= 8 for wait in time.sleeps] == [True]


@respx.mock
async def test_retry_after_as_a_date_is_waited_for(remote: StripeProvider, time: FakeTime) -> None:
    when = format_datetime(NOW + timedelta(seconds=9), usegmt=True)
    respx.get(INVOICES).side_effect = [httpx.Response(503, headers={"Retry-After": when}), GOOD]

    await fetch(remote, APRIL)

    assert [9 <= wait <= 10 for wait in time.sleeps] == [True]


@pytest.mark.parametrize("value", ["-1", "soon", "", "0", "Mon, 01 Jan 1990 00:00:00 GMT", "nan"])
@respx.mock
async def test_a_retry_after_that_says_nothing_is_passed_over(
    remote: StripeProvider, time: FakeTime, value: str
) -> None:
    respx.get(INVOICES).side_effect = [httpx.Response(429, headers={"Retry-After": value}), GOOD]

    await fetch(remote, APRIL)

    assert time.sleeps == [0.5]


@pytest.mark.parametrize("value", ["20", "3600", "9" * 400, "Mon, 01 Jan 2035 00:00:00 GMT"])
@respx.mock
async def test_a_retry_after_beyond_the_budget_gives_up_at_once(
    remote: StripeProvider, time: FakeTime, value: str
) -> None:
    route = respx.get(INVOICES).respond(429, headers={"Retry-After": value})

    with pytest.raises(ProviderUnavailable, match="asks to wait"):
        await fetch(remote, APRIL)

    assert (route.call_count, time.sleeps) == (1, [])


@respx.mock
async def test_a_success_gives_the_whole_budget_back(
    remote: StripeProvider, time: FakeTime
) -> None:
    slow = httpx.Response(429, headers={"Retry-After": "15"})
    pages = [
        httpx.Response(200, json=page_json(invoice_json(f"in_{number}"), has_more=number < 3))
        for number in range(4)
    ]
    respx.get(INVOICES).side_effect = [answer for page in pages for answer in (slow, page)]

    assert len(await fetch(remote, APRIL)) == 4
    assert time.passed > 60


@respx.mock
async def test_a_refused_request_is_told_with_stripes_words(remote: StripeProvider) -> None:
    route = respx.get(INVOICES).respond(400, json=error_json("No such invoice: 'in_9'"))

    with pytest.raises(ProviderUnavailable, match=r"HTTP 400\): No such invoice: 'in_9'"):
        await fetch(remote, APRIL)

    assert route.call_count == 1


@respx.mock
async def test_a_401_is_a_refused_key_and_a_403_a_missing_permission(
    remote: StripeProvider,
) -> None:
    respx.get(INVOICES).respond(401, json=error_json(f"Invalid API Key provided: {KEY}"))
    with pytest.raises(CredentialRefused):
        await fetch(remote, APRIL)

    respx.get(INVOICES).respond(403, json=error_json("Having the 'rak_charge_read' permission"))
    with pytest.raises(PermissionMissing, match="rak_charge_read") as caught:
        await fetch(remote, APRIL)
    assert caught.value.permission == "rak_charge_read"


@respx.mock
async def test_what_was_not_asked_for_is_dropped(remote: StripeProvider) -> None:
    respx.get(INVOICES).respond(
        200,
        json=page_json(
            invoice_json("in_1"),
            invoice_json("in_open", status="open"),
            invoice_json("in_void", status="void"),
            invoice_json("in_march", created=at("2026-04") - 1),
            invoice_json("in_may", created=at("2026-05")),
        ),
    )

    assert [fact.object_id for fact in await fetch(remote, APRIL)] == ["in_1"]


@respx.mock
async def test_a_customer_may_be_an_id_an_object_or_nobody(remote: StripeProvider) -> None:
    respx.get(f"{CUSTOMERS}/cus_id").respond(404, json=error_json("No such customer: 'cus_id'"))
    respx.get(INVOICES).respond(
        200,
        json=page_json(
            invoice_json("in_1", customer="cus_id", customer_name="By id"),
            invoice_json("in_2", customer={"id": "cus_object", "name": None, "metadata": {}}),
            invoice_json("in_3", customer={"id": "cus_deleted", "deleted": True}),
            invoice_json("in_4", customer=None, currency="USD"),
        ),
    )

    facts = await fetch(remote, APRIL)

    assert [fact.customer_id for fact in facts] == ["cus_id", "cus_object", "cus_deleted", None]
    assert facts[0].customer_name == "By id"
    assert facts[3].currency == "usd"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
@respx.mock
async def test_the_key_is_in_no_error_no_log_and_no_repr(
    remote: StripeProvider, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = error_json(f"The key '{KEY}' is no good\nand rk_live_Test****abcd neither")
    respx.get(url__startswith="https://api.stripe.com/").respond(status, json=echo)

    texts = [repr(remote), repr(vars(remote))]
    calls: list[Callable[[], Awaitable[object]]] = [
        partial(fetch, remote, APRIL),
        partial(remote.check_credential, KEY),
        partial(remote.has_customer, KEY, "cus_1"),
    ]
    if status == 404:
        assert await calls.pop()() is False
    for call in calls:
        with pytest.raises(MarginsError) as caught:
            await call()
        texts += traceback.format_exception(caught.value)
        texts += [repr(caught.value), repr(caught.value.details), caught.value.message]
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
    texts.append(caplog.text)

    assert not [text for text in texts if KEY in text or "abcd" in text or "rk_live" in text]


async def test_the_key_is_in_no_log_of_the_sdk_either(
    provider: StripeProvider,
    server: StripeServer,
    account: StripeAccount,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await provider.check_credential(KEY)
    server.revoke(KEY)
    with pytest.raises(CredentialRefused):
        await provider.check_credential(KEY)

    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (f"Invalid API Key provided: {KEY}", "Invalid API Key provided: [key]"),
        ("key rk_test_***********abcd!", "key [key]!"),
        ("whsec_abcdef and sk_live_a-b", "[key] and [key]"),
        ("'rk_live_a+b/c=d.e' or 'pk_live_'.", "'[key]' or '[key]'."),
        ("two\r\nlines", "two lines"),
        (None, "it gave no reason"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_stripes_words_are_told_in_one_line_without_keys(said: str | None, told: str) -> None:
    assert scrub(said) == told
