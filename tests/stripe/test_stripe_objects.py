"""Stripe's objects read from bytes: what may be missing, null, named or expanded."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from nullspend_margins_stripe import answers
from nullspend_margins_stripe.answers import (
    CHARGE,
    CREDIT_NOTE,
    CUSTOMER,
    DISPUTE,
    EVENT,
    INVOICE,
    INVOICE_LINE,
    INVOICE_PAYMENT,
    REFUND,
    ObjectKind,
)
from nullspend_margins_stripe.failures import Transient
from nullspend_margins_stripe.objects import BalanceTransaction, Charge, Customer, id_of, is_of
from tests.stripe.bodies import invoice, invoice_body, refund, transaction_json

LEAST: list[tuple[ObjectKind[Any], dict[str, Any]]] = [
    (CUSTOMER, {"id": "cus_1"}),
    (INVOICE, {"id": "in_1", "created": 1, "currency": "usd", "amount_paid": 1}),
    (INVOICE_LINE, {"id": "il_1"}),
    (INVOICE_PAYMENT, {"id": "inpay_1"}),
    (REFUND, {"id": "re_1", "created": 1, "currency": "usd", "amount": 1}),
    (CREDIT_NOTE, {"id": "cn_1", "created": 1, "currency": "usd", "total": 1}),
    (DISPUTE, {"id": "du_1", "created": 1}),
    (CHARGE, {"id": "ch_1"}),
    (EVENT, {"id": "evt_1", "type": "invoice.paid", "created": 1, "data": {"object": {}}}),
]
KINDS = pytest.mark.parametrize(
    ("kind", "least"), LEAST, ids=lambda each: getattr(each, "name", "")
)


def test_every_kind_is_checked_here() -> None:
    there = [each for each in vars(answers).values() if isinstance(each, ObjectKind)]
    assert [kind for kind, _ in LEAST] == there


@KINDS
def test_the_least_of_an_object_is_enough(kind: ObjectKind[Any], least: dict[str, Any]) -> None:
    body = json.dumps({**least, "what": {"nobody": ["asked", "for"]}}).encode()
    assert kind.read_one(body).id == least["id"]
    [one] = kind.read_page(b'{"data": [' + body + b"]}").data
    assert one == kind.read_one(body)


@KINDS
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"id": 1}', b'{"id": "x', b"\xff"])
def test_another_body_is_worth_another_try(
    kind: ObjectKind[Any], least: dict[str, Any], body: bytes
) -> None:
    with pytest.raises(Transient, match=rf"is not an? {kind.name}") as caught:
        kind.read_one(body)
    assert caught.value.__context__ is None
    with pytest.raises(Transient, match=f"is not a list of {kind.name}s"):
        kind.read_page(b'{"data": [' + body + b"]")


@KINDS
def test_nulls_stand_for_what_is_not_there(kind: ObjectKind[Any], least: dict[str, Any]) -> None:
    full = kind.read_one(json.dumps(least).encode())
    nulls = {name: None for name in full.__struct_fields__ if getattr(full, name) is None}
    assert nulls or kind is INVOICE_LINE
    assert kind.read_one(json.dumps({**nulls, **least}).encode()) == full


def test_a_page_says_whether_there_is_more() -> None:
    page = INVOICE.read_page(json.dumps({"data": [invoice_body()], "has_more": True}).encode())
    assert (page.has_more, page.data[0].id) == (True, "in_1")
    assert INVOICE.read_page(b'{"data": []}').has_more is False


def test_what_is_expanded_is_an_object_and_what_is_not_a_name() -> None:
    body = {
        "id": "ch_1",
        "customer": {"id": "cus_1", "deleted": True},
        "balance_transaction": transaction_json(5, 6, exchange_rate=1.10),
        "payment_intent": "pi_1",
    }
    one = CHARGE.read_one(json.dumps(body).encode())

    assert one.customer == Customer(id="cus_1")
    assert one.balance_transaction == BalanceTransaction(
        id="txn_5", amount=5, currency="usd", created=6, exchange_rate=Decimal("1.1")
    )
    assert [id_of(each) for each in (one, one.customer, one.payment_intent, None, "")] == [
        "ch_1",
        "cus_1",
        "pi_1",
        None,
        None,
    ]


def test_an_event_points_to_its_object() -> None:
    body = {
        "id": "evt_1",
        "type": "invoice_payment.paid",
        "created": 5,
        "data": {"object": {"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1"}},
    }
    event = EVENT.read_one(json.dumps(body).encode())
    about = event.data.object
    assert (event.type, about.object, about.id, about.invoice) == (
        "invoice_payment.paid",
        "invoice_payment",
        "inpay_1",
        "in_1",
    )


@pytest.mark.parametrize(
    ("told", "livemode", "may_count"),
    [(True, True, True), (False, False, True), (True, False, False), (False, True, False)],
)
def test_only_objects_of_the_keys_mode_count(told: bool, livemode: bool, may_count: bool) -> None:
    one = invoice(livemode=told)
    assert is_of(one, livemode=livemode, test_clocks=True) is may_count
    assert is_of(one, livemode=livemode, test_clocks=False) is may_count


def test_what_does_not_tell_its_mode_counts() -> None:
    for livemode in (True, False):
        assert is_of(refund(), livemode=livemode, test_clocks=False)
        assert is_of(Charge(id="ch_1"), livemode=livemode, test_clocks=False)


@pytest.mark.parametrize(
    "fields",
    [
        {"test_clock": "clock_1"},
        {"test_clock": {"id": "clock_1"}},
        {"customer": {"id": "cus_1", "test_clock": "clock_1"}},
    ],
)
def test_made_up_time_counts_only_where_it_may(fields: Any) -> None:
    one = invoice(livemode=False, **fields)
    assert is_of(one, livemode=False, test_clocks=True)
    assert not is_of(one, livemode=False, test_clocks=False)
