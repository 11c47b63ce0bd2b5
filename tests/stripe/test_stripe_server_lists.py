"""The further lists of the Stripe-shaped server, as the official SDK reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import stripe

from nullspend_margins.app.serving import listen, serving
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_invoices import StripeLine, StripePayment
from nullspend_margins.demo.stripe_server import StripeServer
from tests.stripe.support import KEY, at

APRIL = at("2026-04")


@pytest.fixture
async def sdk(
    server: StripeServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[stripe.StripeClient]:
    monkeypatch.setattr(stripe, "enable_telemetry", False)
    transport = stripe.HTTPXClient(timeout=10)
    async with serving(server, listen("127.0.0.1", 0)) as url:
        yield stripe.StripeClient(
            KEY, base_addresses={"api": url}, http_client=transport, max_network_retries=0
        )
        await transport.close_async()


@pytest.fixture
def filled(account: StripeAccount) -> StripeAccount:
    account.add_customer("cus_1", name="Ada")
    lines = [StripeLine(id=f"il_{n:02}", amount=100, start=APRIL, end=APRIL) for n in range(25)]
    payments = [
        StripePayment(id=f"inpay_{n:02}", amount_paid=300, created=APRIL + n, paid_at=APRIL + n)
        for n in range(12)
    ]
    account.add_invoice(
        "cus_1",
        3_600,
        created=APRIL,
        invoice_id="in_1",
        lines=lines,
        payments=payments,
        tax=1_100,
    )
    account.add_refund("in_1", 40, created=APRIL + 1, id="re_1")
    account.add_credit_note("in_1", 40, created=APRIL + 1, id="cn_1", refunds={"re_1": 40})
    account.add_dispute("in_1", 300, created=APRIL + 2, id="du_1")
    return account


async def every(listed: Any) -> list[Any]:
    return [one async for one in (await listed).auto_paging_iter()]


async def test_an_invoice_has_its_first_lines_and_payments_and_lists_of_all(
    sdk: stripe.StripeClient, filled: StripeAccount
) -> None:
    invoice = await sdk.v1.invoices.retrieve_async("in_1", {"expand": ["payments", "customer"]})

    assert (invoice.total, invoice.total_excluding_tax) == (3_600, 2_500)
    assert [tax.amount for tax in invoice.total_taxes or ()] == [1_100]
    assert (len(invoice.lines.data), invoice.lines.has_more) == (10, True)
    assert invoice.payments is not None
    assert (len(invoice.payments.data), invoice.payments.has_more) == (10, True)
    assert getattr(invoice.customer, "name", None) == "Ada"
    lines = await every(sdk.v1.invoices.line_items.list_async("in_1", {"limit": 7}))
    assert [line.id for line in lines] == [f"il_{n:02}" for n in range(25)]
    payments = await every(sdk.v1.invoice_payments.list_async({"invoice": "in_1", "limit": 5}))
    assert [one.id for one in payments] == [f"inpay_{n:02}" for n in reversed(range(12))]
    assert {one.status_transitions.paid_at for one in payments} == {APRIL + n for n in range(12)}


async def test_what_was_taken_back_is_listed_with_its_charge(
    sdk: stripe.StripeClient, filled: StripeAccount
) -> None:
    filled.exchange_rates["usd"] = "1"
    [refund] = await every(
        sdk.v1.refunds.list_async({"expand": ["data.charge", "data.balance_transaction"]})
    )
    [note] = await every(sdk.v1.credit_notes.list_async({"expand": ["data.invoice.payments"]}))
    [dispute] = await every(sdk.v1.disputes.list_async({"expand": ["data.charge"]}))

    assert refund.charge.customer == "cus_1"
    assert refund.balance_transaction.amount == -40
    assert [each.refund for each in note.refunds] == ["re_1"]
    assert len(note.invoice.payments.data) == 10
    assert dispute.charge.id == refund.charge.id
    assert [each.amount for each in dispute.balance_transactions] == [-300]
    charges = await every(sdk.v1.charges.list_async({"payment_intent": refund.payment_intent}))
    assert [charge.id for charge in charges] == [refund.charge.id]


async def test_events_are_of_the_types_asked_for_and_the_old_ones_are_gone(
    sdk: stripe.StripeClient, filled: StripeAccount
) -> None:
    async def types(**params: Any) -> list[str]:
        return [event.type for event in await every(sdk.v1.events.list_async(params))]

    every_type = ["charge.dispute.created", "credit_note.created", "refund.created"]
    assert sorted(await types()) == every_type
    assert await types(types=["refund.created"]) == ["refund.created"]
    assert await types(created={"gt": APRIL + 1}) == ["charge.dispute.created"]
    filled.oldest_event = APRIL + 2
    assert await types() == ["charge.dispute.created"]
    with pytest.raises(stripe.InvalidRequestError, match="20"):
        await types(types=[f"type.{number}" for number in range(21)])


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("/v1/refunds", "rak_charge_read"),
        ("/v1/charges", "rak_charge_read"),
        ("/v1/credit_notes", "rak_credit_note_read"),
        ("/v1/disputes", "rak_dispute_read"),
        ("/v1/events", "rak_event_read"),
        ("/v1/invoice_payments", "rak_invoice_read"),
        ("/v1/disputes?expand[]=data.charge", "rak_charge_read"),
        ("/v1/charges?expand[]=data.balance_transaction", "rak_balance_transaction_source_read"),
    ],
)
async def test_a_missing_permission_is_named(
    server: StripeServer,
    account: StripeAccount,
    server_http: httpx.AsyncClient,
    path: str,
    permission: str,
) -> None:
    url, headers = f"https://api.stripe.com{path}", {"Authorization": f"Bearer {KEY}"}
    assert (await server_http.get(url, headers=headers)).status_code == 200
    server.forbid(KEY, permission)

    answer = await server_http.get(url, headers=headers)

    assert answer.status_code == 403
    assert f"'{permission}'" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("/v1/invoices?expand[]=data.nonsense", "expand"),
        ("/v1/charges?expand[]=data.invoice.payments.charge.customer", "expand"),
        ("/v1/invoice_payments?status=settled", "status"),
        ("/v1/invoice_payments?invoice=in_none", "starting_after"),
        ("/v1/refunds?status=failed", "status"),
        ("/v1/events?starting_after=evt_none", "starting_after"),
    ],
)
async def test_what_stripe_would_not_understand_is_refused(
    account: StripeAccount, server_http: httpx.AsyncClient, path: str, param: str
) -> None:
    answer = await server_http.get(
        f"https://api.stripe.com{path}", headers={"Authorization": f"Bearer {KEY}"}
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
