"""Connecting Stripe, replacing the key, disconnecting."""

import asyncio

import httpx
import pytest

from tests.world import KEY, World, unix

OTHER_KEY = "rk_live_zyxwvutsrqponmlkjihgfedcba"


async def test_connecting_checks_the_key_and_shows_only_its_ends(here: World) -> None:
    answer = await here.connect(f"  {KEY}\n")
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert data.pop("id")
    assert data == {
        "keyPrefix": "rk_live_abcd...wxyz",
        "status": "active",
        "createdAt": "2026-11-20T00:00:00.000Z",
    }
    assert [request.path for request in here.stripe.requests] == ["/v1/customers", "/v1/invoices"]
    assert KEY not in answer.text


async def test_the_connection_can_be_looked_at_by_a_viewer(here: World) -> None:
    assert await here.get("/api/stripe/connect", role="viewer") is None
    created = (await here.connect()).json()["data"]
    shown = await here.get("/api/stripe/connect", role="viewer")
    assert shown == {**created, "lastSyncAt": None, "lastError": None}
    assert await here.get("/api/connections/stripe", role="viewer") == shown


@pytest.mark.parametrize(
    "key",
    ["", "   ", "sk_live_abcdefghijklmnop", "pk_live_abcdefghijklmnop", "rk_live_", "rk_live_ä",
     "rk_live_ab cd", "rk_prod_abc", None, 5, ["rk_live_abcdefghijkl"]],
)  # fmt: skip
async def test_a_key_of_the_wrong_form_is_refused_and_never_echoed(
    here: World, key: object
) -> None:
    answer = await here.call("POST", "/api/stripe/connect", {"stripeKey": key})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")
    if isinstance(key, str) and len(key) > 9:
        assert key not in answer.text
    assert here.stripe.request_count == 0


async def test_a_missing_key_is_a_validation_error(here: World) -> None:
    answer = await here.call("POST", "/api/stripe/connect", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")


async def test_a_test_secret_key_is_accepted_outside_production(here: World) -> None:
    here.stripe.grant("sk_test_abcdefghijklmnop", here.account)
    assert (await here.connect("sk_test_abcdefghijklmnop")).status_code == 201


async def test_a_key_stripe_does_not_know_is_refused(here: World) -> None:
    answer = await here.connect("rk_live_unknown0unknown0unknown0")
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        400,
        "stripe_validation_failed",
    )
    assert await here.get("/api/stripe/connect") is None


@pytest.mark.parametrize("permission", ["rak_customer_read", "rak_invoice_read"])
async def test_a_key_without_a_permission_is_refused_by_its_name(
    here: World, permission: str
) -> None:
    here.stripe.forbid(KEY, permission)
    answer = await here.connect()
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        400,
        "stripe_validation_failed",
    )
    assert permission in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/invoices"])
async def test_a_key_that_stripe_answers_with_a_refusal_is_refused(here: World, path: str) -> None:
    here.stripe.faults.fail(400, path=path)
    answer = await here.connect()
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        400,
        "stripe_validation_failed",
    )
    assert await here.get("/api/stripe/connect") is None


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_stripe_being_down_is_not_a_bad_key(here: World, status: int) -> None:
    here.stripe.faults.fail(status, times=1000)
    answer = await here.connect()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_unavailable")
    assert await here.get("/api/stripe/connect") is None


async def test_connecting_twice_is_a_conflict_before_stripe_is_asked(here: World) -> None:
    await here.connect()
    seen = here.stripe.request_count
    answer = await here.connect()
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert here.stripe.request_count == seen


async def test_of_two_connects_at_once_one_wins(here: World) -> None:
    answers = await asyncio.gather(*(here.connect() for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    late = await here.connect()  # found out before the provider is asked, and told the same
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert refused == [late.json()] * 3


async def test_the_key_is_nowhere_in_the_database_in_clear(here: World, database_url: str) -> None:
    await here.connect()
    from sqlalchemy import text

    services = await here.margins.services()
    database = services.margins._database
    rows = await database.read(
        lambda tx: tx.execute(text("SELECT * FROM margins_connections")).fetchall()
    )
    assert KEY not in str(rows)
    assert KEY[12:-4] not in str(rows)


async def company(here: World) -> None:
    here.account.add_customer("cus_1", name="One")
    here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
    await here.map("cus_1", "one")
    await here.spend("one", 30_000_000)


async def test_replacing_the_key_loses_nothing(here: World) -> None:
    await company(here)
    await here.connect()
    await here.sync()
    before = await here.get("/api/margins")
    here.stripe.grant(OTHER_KEY, here.account)
    answer = await here.call("PUT", "/api/stripe/connect", {"stripeKey": OTHER_KEY})
    assert answer.status_code == 200
    assert answer.json()["data"]["keyPrefix"] == "rk_live_zyxw...dcba"
    here.stripe.revoke(KEY)
    assert await here.get("/api/margins") == before
    assert (await here.sync())["invoicesFetched"] == 1


async def test_a_key_of_another_account_cannot_replace_this_one(here: World) -> None:
    await company(here)
    await here.connect()
    await here.sync()
    here.stripe.add_account(OTHER_KEY)
    answer = await here.call("PUT", "/api/stripe/connect", {"stripeKey": OTHER_KEY})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    assert (await here.get("/api/stripe/connect"))["keyPrefix"] == "rk_live_abcd...wxyz"


async def test_with_no_customer_stored_any_account_may_replace_the_key(here: World) -> None:
    await here.connect()
    here.stripe.add_account(OTHER_KEY)
    answer = await here.call("PUT", "/api/stripe/connect", {"stripeKey": OTHER_KEY})
    assert answer.status_code == 200


async def test_replacing_the_key_of_no_connection_is_not_found(here: World) -> None:
    answer = await here.call("PUT", "/api/stripe/connect", {"stripeKey": KEY})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_disconnecting_removes_revenue_and_mappings_but_no_costs(here: World) -> None:
    await company(here)
    await here.connect()
    await here.sync()
    answer = await here.call("DELETE", "/api/stripe/disconnect")
    assert (answer.status_code, answer.json()) == (200, {"data": {"deleted": True}})
    assert (await here.get("/api/margins"))["customers"] == []
    assert await here.get("/api/customer-mappings") == []
    unmatched = await here.get("/api/margins/unmatched")
    assert unmatched["unmatchedStripeCustomers"] == []
    assert [tag["tagValue"] for tag in unmatched["unmappedTagValues"]] == ["one"]
    assert (await here.call("DELETE", "/api/stripe/disconnect")).status_code == 404


async def test_disconnecting_leaves_another_org_alone(here: World) -> None:
    await company(here)
    await here.connect()
    await here.sync()
    await here.connect(org="org_2")
    await here.sync("org_2")
    await here.call("DELETE", "/api/stripe/disconnect", org="org_2")
    assert len((await here.get("/api/margins"))["customers"]) == 1


async def test_an_unknown_provider_is_not_found_and_the_known_ones_are_named(here: World) -> None:
    for method, path in (
        ("GET", "/api/connections/strpe"),
        ("POST", "/api/connections/strpe"),
        ("DELETE", "/api/connections/strpe"),
        ("POST", "/api/connections/strpe/sync"),
    ):
        answer = await here.call(method, path, {} if method == "POST" else None)
        assert answer.status_code == 404, (method, path, answer.text)
        assert "stripe" in answer.json()["error"]["message"]
    by_cron = await here.cron("/api/connections/strpe/sync")
    assert (by_cron.status_code, by_cron.json()["error"]["code"]) == (404, "not_found")


async def test_stripe_is_the_same_by_its_own_routes_and_by_the_general_ones(here: World) -> None:
    await company(here)
    answer = await here.call("POST", "/api/connections/stripe", {"stripeKey": KEY})
    assert answer.status_code == 201
    report = await here.call("POST", "/api/connections/stripe/sync")
    assert report.json()["data"]["customersProcessed"] == 1
    assert (await here.call("DELETE", "/api/connections/stripe")).status_code == 200


async def test_stripe_unreachable_is_unavailable_and_stores_nothing(here: World) -> None:
    original = httpx.AsyncHTTPTransport.handle_async_request

    async def refuse(self: object, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    httpx.AsyncHTTPTransport.handle_async_request = refuse  # type: ignore[method-assign]
    try:
        answer = await here.connect()
    finally:
        httpx.AsyncHTTPTransport.handle_async_request = original  # type: ignore[method-assign]
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_unavailable")
