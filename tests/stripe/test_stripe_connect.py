"""Key checks and single objects, through the official SDK."""

from __future__ import annotations

import httpx
import pytest
import respx
import stripe

from nullspend_margins import CredentialRefused, PermissionMissing, ProviderUnavailable
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from nullspend_margins_stripe.sdk import translate
from tests.stripe.support import (
    CUSTOMERS,
    INVOICES,
    KEY,
    FakeTime,
    StandingClock,
    error_json,
    make_provider,
)

EMPTY_LIST = {"object": "list", "data": [], "has_more": False, "url": "/"}


async def test_a_check_reads_one_customer_and_one_invoice(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    await provider.check_credential(KEY)

    assert [(seen.path, seen.params) for seen in server.requests] == [
        ("/v1/customers", (("limit", "1"),)),
        ("/v1/invoices", (("limit", "1"),)),
    ]
    assert {seen.version for seen in server.requests} == {stripe.api_version}


async def test_telemetry_of_the_sdk_is_off(
    provider: StripeProvider, account: StripeAccount
) -> None:
    await provider.check_credential(KEY)

    assert stripe.enable_telemetry is False


async def test_an_unknown_key_is_refused(provider: StripeProvider) -> None:
    with pytest.raises(CredentialRefused):
        await provider.check_credential(KEY)


async def test_an_expired_key_is_told_as_expired(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    server.revoke(KEY, code="api_key_expired")

    with pytest.raises(CredentialRefused, match="expired"):
        await provider.check_credential(KEY)


@pytest.mark.parametrize("permission", ["rak_customer_read", "rak_invoice_read"])
async def test_a_missing_permission_is_named(
    provider: StripeProvider, server: StripeServer, account: StripeAccount, permission: str
) -> None:
    server.forbid(KEY, permission)

    with pytest.raises(PermissionMissing, match=permission) as caught:
        await provider.check_credential(KEY)

    assert caught.value.permission == permission


@respx.mock
async def test_a_403_without_a_permission_tells_what_stripe_said(remote: StripeProvider) -> None:
    respx.get(CUSTOMERS).respond(403, json=error_json("Requests from this IP are not allowed."))

    with pytest.raises(PermissionMissing, match="this IP") as caught:
        await remote.check_credential(KEY)

    assert caught.value.permission is None


@pytest.mark.parametrize("status", [409, 429, 500, 503])
async def test_a_passing_failure_is_tried_again(
    provider: StripeProvider, server: StripeServer, account: StripeAccount, status: int
) -> None:
    server.faults.fail(status, times=3)

    await provider.check_credential(KEY)

    assert server.request_count == 5


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(429, json=error_json("slow down", code="rate_limit")),
        httpx.Response(500, json=error_json("oops")),
        httpx.Response(503, text="<html>down</html>"),
        httpx.Response(200, text="<html>a portal</html>"),
        httpx.Response(200, text='{"object": "list", "da'),
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, json="a list"),
        httpx.Response(200, json={"object": "list", "data": None}),
        httpx.Response(200, json={"object": "list", "data": {"id": "cus_1"}}),
        httpx.Response(301, json={"error": "moved"}),
        httpx.Response(400, text="<html>a proxy</html>"),
        httpx.Response(404, text="<html>a proxy</html>"),
        httpx.Response(301, headers={"Location": "https://elsewhere.example/"}),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
    ],
    ids=str,
)
@respx.mock
async def test_no_usable_answer_is_never_an_invalid_key(
    remote: StripeProvider, time: FakeTime, answer: httpx.Response | Exception
) -> None:
    route = respx.get(CUSTOMERS)
    if isinstance(answer, Exception):
        route.side_effect = answer
    else:
        route.return_value = answer

    with pytest.raises(ProviderUnavailable) as caught:
        await remote.check_credential(KEY)

    assert 15 <= time.passed <= 20
    assert "html" not in caught.value.message


@pytest.mark.parametrize(
    "answer", [EMPTY_LIST, {"data": []}, {"data": [{"id": "cus_1"}]}, {"object": "x", "data": []}]
)
@respx.mock
async def test_a_list_is_known_by_its_data(
    remote: StripeProvider, answer: dict[str, object]
) -> None:
    customers = respx.get(CUSTOMERS).respond(200, json=answer)
    invoices = respx.get(INVOICES).respond(200, json=answer)

    await remote.check_credential(KEY)

    assert (customers.call_count, invoices.call_count) == (1, 1)


@respx.mock
async def test_both_checks_share_one_budget(remote: StripeProvider, time: FakeTime) -> None:
    respx.get(CUSTOMERS).side_effect = [
        httpx.Response(429, headers={"Retry-After": "15"}),
        httpx.Response(200, json=EMPTY_LIST),
    ]
    respx.get(INVOICES).respond(500)

    with pytest.raises(ProviderUnavailable):
        await remote.check_credential(KEY)

    assert 15 < time.passed <= 20


@pytest.mark.parametrize("status", [400, 402, 404])
@respx.mock
async def test_a_key_whose_check_stripe_turns_down_is_refused_at_once(
    remote: StripeProvider, status: int
) -> None:
    route = respx.get(CUSTOMERS).respond(status, json=error_json("Unsupported version"))

    with pytest.raises(CredentialRefused, match=rf"HTTP {status}\): Unsupported version"):
        await remote.check_credential(KEY)

    assert route.call_count == 1


async def test_the_account_is_known_by_its_customers_deleted_ones_too(
    provider: StripeProvider, account: StripeAccount
) -> None:
    account.add_customer("cus_here")
    account.add_customer("cus_gone")
    account.delete_customer("cus_gone")

    assert await provider.has_customer(KEY, "cus_here")
    assert await provider.has_customer(KEY, "cus_gone")
    assert not await provider.has_customer(KEY, "cus_elsewhere")


async def test_asking_for_a_customer_tells_failures_as_a_check_does(
    provider: StripeProvider, server: StripeServer, account: StripeAccount
) -> None:
    server.forbid(KEY, "rak_customer_read")
    with pytest.raises(PermissionMissing, match="rak_customer_read"):
        await provider.has_customer(KEY, "cus_1")

    server.faults.fail(500, times=1000)
    with pytest.raises(ProviderUnavailable):
        await provider.has_customer(KEY, "cus_1")


async def test_a_request_takes_no_longer_than_what_remains(
    server: StripeServer, account: StripeAccount, server_http: httpx.AsyncClient, time: FakeTime
) -> None:
    allowed: list[float] = []
    request = server_http.request

    async def watched(*args: object, **kwargs: object) -> httpx.Response:
        allowed.append(kwargs["timeout"])  # type: ignore[arg-type]
        return await request(*args, **kwargs)  # type: ignore[arg-type]

    server_http.request = watched  # type: ignore[method-assign]
    server.faults.fail(500, times=1000)
    provider = make_provider(lambda: server_http, time, retry_seconds=6)

    with pytest.raises(ProviderUnavailable):
        await provider.check_credential(KEY)

    assert allowed[0] == 8
    assert all(later < 6 for later in allowed[1:])
    assert allowed[1:] == sorted(allowed[1:], reverse=True)


def test_every_error_class_of_the_sdk_has_a_known_meaning() -> None:
    def family(kind: type[Exception]) -> set[type[Exception]]:
        return {kind}.union(*(family(child) for child in kind.__subclasses__()))

    meanings = {
        kind.__name__: type(translate(stripe, _made(kind), StandingClock())).__name__
        for kind in family(stripe.StripeError)
    }
    refused = {name for name, meaning in meanings.items() if meaning == "ProviderUnavailable"}

    assert {name: meanings[name] for name in meanings.keys() - refused} == {
        "APIConnectionError": "Transient",
        "APIError": "Transient",
        "AuthenticationError": "CredentialRefused",
        "PermissionError": "PermissionMissing",
        "RateLimitError": "Transient",
    }
    assert {"InvalidRequestError", "IdempotencyError", "CardError"} <= refused


def _made(kind: type[Exception]) -> stripe.StripeError:
    error = kind.__new__(kind)
    stripe.StripeError.__init__(error, "a message", http_status=418)  # type: ignore[arg-type]
    assert isinstance(error, stripe.StripeError)
    return error
