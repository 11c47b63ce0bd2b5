"""The Stripe-shaped server answers as Stripe does: the official SDK is its judge."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_objects import API_VERSION
from nullspend_margins.demo.stripe_server import StripeServer
from tests.stripe.support import KEY, at


@pytest.fixture
async def client(server: StripeServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(server),
        base_url="https://api.stripe.com",
        headers={"Authorization": f"Bearer {KEY}"},
    ) as client:
        yield client


def test_it_speaks_the_api_version_of_the_installed_sdk() -> None:
    import stripe

    assert stripe.api_version == API_VERSION


async def test_invoices_come_newest_first_in_pages(
    client: httpx.AsyncClient, account: StripeAccount
) -> None:
    account.add_customer("cus_1", name="Ada")
    for day in range(1, 6):
        account.add_invoice("cus_1", day, created=at("2026-04", day), invoice_id=f"in_{day}")

    page = (await client.get("/v1/invoices", params={"limit": 2})).json()
    assert [one["id"] for one in page["data"]] == ["in_5", "in_4"]
    assert (page["object"], page["has_more"], page["url"]) == ("list", True, "/v1/invoices")

    last = (await client.get("/v1/invoices", params={"starting_after": "in_3"})).json()
    assert [one["id"] for one in last["data"]] == ["in_2", "in_1"]
    assert last["has_more"] is False


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"created[gte]": at("2026-04", 2)}, ["in_3", "in_2"]),
        ({"created[gt]": at("2026-04", 2)}, ["in_3"]),
        ({"created[lt]": at("2026-04", 2)}, ["in_1"]),
        ({"created[lte]": at("2026-04", 2)}, ["in_2", "in_1"]),
        ({"created": at("2026-04", 2)}, ["in_2"]),
        ({"status": "paid"}, ["in_3", "in_1"]),
        ({"status": "open"}, ["in_2"]),
        ({"customer": "cus_2"}, ["in_3"]),
    ],
)
async def test_filters_filter(
    client: httpx.AsyncClient, account: StripeAccount, params: dict[str, str], found: list[str]
) -> None:
    account.add_customer("cus_1")
    account.add_customer("cus_2")
    account.add_invoice("cus_1", 1, created=at("2026-04", 1), invoice_id="in_1")
    account.add_invoice("cus_1", 1, created=at("2026-04", 2), invoice_id="in_2", status="open")
    account.add_invoice("cus_2", 1, created=at("2026-04", 3), invoice_id="in_3")

    page = (await client.get("/v1/invoices", params=params)).json()

    assert [one["id"] for one in page["data"]] == found


async def test_the_customer_is_expanded_on_request(
    client: httpx.AsyncClient, account: StripeAccount
) -> None:
    account.add_customer("cus_1", name="Ada", metadata={"k": "v"})
    account.add_invoice("cus_1", 1, created=at("2026-04"))

    plain = (await client.get("/v1/invoices")).json()["data"][0]
    expanded = (await client.get("/v1/invoices", params={"expand[]": "data.customer"})).json()

    assert plain["customer"] == "cus_1"
    assert expanded["data"][0]["customer"]["metadata"] == {"k": "v"}
    assert 2500 < len(json.dumps(expanded["data"][0])) < 8000


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/invoices?limit=101", 400, "parameter_invalid_integer"),
        ("/v1/invoices?limit=0", 400, "parameter_invalid_integer"),
        ("/v1/invoices?limit=x", 400, "parameter_invalid_integer"),
        ("/v1/invoices?status=settled", 400, None),
        ("/v1/invoices?updated=1", 400, "parameter_unknown"),
        ("/v1/invoices?starting_after=in_none", 400, "resource_missing"),
        ("/v1/customers/cus_none", 404, "resource_missing"),
        ("/v1/subscriptions", 404, None),
    ],
)
async def test_wrong_requests_are_refused_in_stripes_form(
    client: httpx.AsyncClient, account: StripeAccount, path: str, status: int, code: str | None
) -> None:
    answer = await client.get(path)

    assert answer.status_code == status
    assert answer.json()["error"].get("code") == code
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_key_sees_its_own_account_alone(server: StripeServer) -> None:
    first, second = server.add_account("rk_live_first000"), server.add_account("rk_live_second00")
    first.add_customer("cus_1")
    second.add_customer("cus_2")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(server)) as client:
        for key, customer in (("rk_live_first000", "cus_1"), ("rk_live_second00", "cus_2")):
            answer = await client.get(
                "https://api.stripe.com/v1/customers", headers={"Authorization": f"Bearer {key}"}
            )
            assert [one["id"] for one in answer.json()["data"]] == [customer]


async def test_an_unknown_key_is_echoed_redacted(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/customers")

    assert answer.status_code == 401
    assert KEY not in answer.text
    assert "rk_live_*" in answer.text


async def test_faults_play_in_order_and_end(
    client: httpx.AsyncClient, server: StripeServer, account: StripeAccount
) -> None:
    server.faults.fail(503, times=2, path="/v1/invoices", body=b"<html>")
    server.faults.fail(429, skip=1, headers={"Retry-After": "3"})

    statuses = [(await client.get("/v1/invoices")).status_code for _ in range(5)]

    assert statuses == [503, 503, 200, 429, 200]


async def test_changes_show_in_the_next_answer(
    client: httpx.AsyncClient, account: StripeAccount
) -> None:
    account.add_customer("cus_1")
    for number in (1, 2, 3):
        account.add_invoice("cus_1", 9, created=at("2026-04"), invoice_id=f"in_{number}")
    account.change_invoice("in_1", status="void", amount_paid=0)
    account.remove_invoice("in_2")

    page = (await client.get("/v1/invoices", params={"status": "paid"})).json()

    assert [one["id"] for one in page["data"]] == ["in_3"]
