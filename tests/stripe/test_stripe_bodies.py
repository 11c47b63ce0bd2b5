"""Failures in another form than Stripe's are judged by their status."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest
import respx

from nullspend_margins import (
    CredentialRefused,
    MarginsError,
    PermissionMissing,
    ProviderUnavailable,
)
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import (
    API,
    APRIL,
    CUSTOMERS,
    INVOICES,
    KEY,
    FakeTime,
    error_json,
    fetch,
    invoice_json,
    page_json,
)

BODIES = [
    b'{"error": "invalid"}',
    b'{"error": "invalid_grant", "error_description": "a text"}',
    b'{"error": null}',
    b'{"error": []}',
    b'{"error": {}}',
    b'{"error": {"message": ["a"], "code": {"b": 1}, "type": 3}}',
    b'{"message": "Unauthorized"}',
    b"{}",
    b"[]",
    b'"text"',
    b"null",
    b"17",
    b"no JSON",
    b"<html>a proxy</html>",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b"",
]

Call = Callable[[StripeProvider], Awaitable[object]]


async def _check(provider: StripeProvider) -> object:
    await provider.check_credential(KEY)
    return None


async def _has(provider: StripeProvider) -> object:
    return await provider.has_customer(KEY, "cus_1")


async def _sync(provider: StripeProvider) -> object:
    return await fetch(provider, APRIL)


CALLS = pytest.mark.parametrize("call", [_check, _has, _sync])


def name_of(body: bytes) -> str:
    return body[:20].decode("ascii", "replace") or "nothing"


@CALLS
@pytest.mark.parametrize("body", BODIES, ids=name_of)
@pytest.mark.parametrize(
    ("status", "meaning"), [(401, CredentialRefused), (403, PermissionMissing)]
)
@respx.mock
async def test_401_and_403_count_whatever_the_body(
    remote: StripeProvider, time: FakeTime, call: Call, body: bytes, status: int, meaning: type
) -> None:
    route = respx.get(url__startswith=API).respond(status, content=body)

    with pytest.raises(MarginsError) as caught:
        await call(remote)

    assert type(caught.value) is meaning
    assert (route.call_count, time.sleeps) == (1, [])
    assert caught.value.__context__ is None
    assert "html" not in caught.value.message


@CALLS
@pytest.mark.parametrize("body", BODIES, ids=name_of)
@pytest.mark.parametrize("status", [429, 503])
@respx.mock
async def test_a_passing_status_is_tried_again_whatever_the_body(
    remote: StripeProvider, time: FakeTime, call: Call, body: bytes, status: int
) -> None:
    route = respx.get(url__startswith=API).respond(status, content=body)

    with pytest.raises(ProviderUnavailable, match=f"HTTP {status}"):
        await call(remote)

    assert route.call_count > 3
    assert 15 <= time.passed <= 20


@CALLS
@pytest.mark.parametrize("body", [b'{"error": "slow down"}', b"{}", b"slow down"], ids=name_of)
@respx.mock
async def test_retry_after_counts_whatever_the_body(
    remote: StripeProvider, time: FakeTime, call: Call, body: bytes
) -> None:
    respx.get(url__startswith=API).respond(429, content=body, headers={"Retry-After": "60"})

    with pytest.raises(ProviderUnavailable, match="asks to wait 60 s"):
        await call(remote)

    assert time.sleeps == []


@pytest.mark.parametrize("body", BODIES, ids=name_of)
@respx.mock
async def test_a_customer_that_answers_404_is_not_seen(remote: StripeProvider, body: bytes) -> None:
    route = respx.get(f"{CUSTOMERS}/cus_1").respond(404, content=body)

    assert await remote.has_customer(KEY, "cus_1") is False
    assert route.call_count == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"17", b"[]", b"no JSON", b"\xff\xfe", b'{"a":' * 800 + b"1" + b"}" * 800],
    ids=name_of,
)
@CALLS
@respx.mock
async def test_a_success_that_cannot_be_read_is_tried_again(
    remote: StripeProvider, time: FakeTime, call: Call, body: bytes
) -> None:
    route = respx.get(url__startswith=API).respond(200, content=body)

    with pytest.raises(ProviderUnavailable) as caught:
        await call(remote)

    assert route.call_count > 3
    assert caught.value.__context__ is None


@respx.mock
async def test_an_expired_key_is_told_as_expired_by_every_call(remote: StripeProvider) -> None:
    body = error_json("Expired", code="api_key_expired")
    respx.get(url__startswith=API).respond(401, json=body)

    for call in (_check, _has, _sync):
        with pytest.raises(CredentialRefused, match="expired"):
            await call(remote)


@respx.mock
async def test_a_page_that_does_not_say_has_more_is_the_last(remote: StripeProvider) -> None:
    page = page_json(invoice_json("in_1"), invoice_json("in_2"))
    del page["has_more"]
    route = respx.get(INVOICES).mock(httpx.Response(200, json=page))

    assert [fact.object_id for fact in await fetch(remote, APRIL)] == ["in_1", "in_2"]
    assert route.call_count == 1
