"""Minor units and exchange rates as Stripe has them."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from nullspend_margins import ExchangeRate
from nullspend_margins.domain.currency import converted
from nullspend_margins.domain.currency import minor_digits_of as iso_digits_of
from nullspend_margins_stripe import currencies
from nullspend_margins_stripe.answers import CHARGE
from nullspend_margins_stripe.contra_facts import credit_note_fact, refund_fact
from nullspend_margins_stripe.currencies import minor_digits_of, rate_by, rate_of
from nullspend_margins_stripe.invoice_facts import invoice_fact, invoice_rate
from nullspend_margins_stripe.objects import BalanceTransaction, Charge
from tests.stripe.bodies import (
    CREATED,
    TAG_KEY,
    Json,
    credit_note,
    invoice,
    invoice_body,
    line_json,
    payment_json,
    refund,
    seconds,
    transaction_json,
)


def rate(value: str, day: date = date(2026, 3, 5)) -> ExchangeRate:
    return ExchangeRate(value=Decimal(value), source="stripe", on=day)


def transaction(**fields: Any) -> BalanceTransaction:
    values: dict[str, Any] = {
        "id": "txn_1",
        "amount": 1234,
        "currency": "usd",
        "created": seconds("2026-03-05"),
        "exchange_rate": Decimal("1.234"),
        **fields,
    }
    return BalanceTransaction(**values)


def charge(**fields: Any) -> Charge:
    body: Json = {
        "id": "ch_1",
        "object": "charge",
        "amount": 1000,
        "created": seconds("2026-03-05"),
        "currency": "eur",
        "customer": "cus_1",
        "payment_intent": "pi_1",
        "balance_transaction": transaction_json(
            1234, seconds("2026-03-05"), exchange_rate=1.234567890123
        ),
        **fields,
    }
    return CHARGE.read_one(json.dumps(body).encode())


def test_stripes_digits_differ_from_the_iso_ones_where_that_is_told() -> None:
    assert {each: minor_digits_of(each) for each in ("isk", "ugx", "mga", "jpy", "usd")} == {
        "isk": 2,
        "ugx": 2,
        "mga": 0,
        "jpy": None,
        "usd": None,
    }
    for currency, digits in currencies._DIGITS.items():
        own = minor_digits_of(currency)
        assert digits == (iso_digits_of(currency) if own is None else own)


@pytest.mark.parametrize(
    ("currency", "amount", "told", "value", "cents"),
    [
        ("eur", 1000, "1.234", "1.234", 1234),
        ("jpy", 1000, "0.67", "0.0067", 670),
        ("bhd", 10000, "0.265", "2.65", 2650),
        ("isk", 100000, "0.0073", "0.0073", 730),
        ("ugx", 1000000, "0.00027", "0.00027", 270),
        ("mga", 10000, "0.022", "0.00022", 220),
    ],
)
def test_a_rate_of_minor_units_becomes_one_of_whole_ones(
    currency: str, amount: int, told: str, value: str, cents: int
) -> None:
    """Stripe: the charge's amount times the rate is the balance transaction's amount."""
    found = rate_of(transaction(amount=cents, exchange_rate=Decimal(told)), currency)

    assert found == rate(value)
    assert amount * Decimal(told) == cents
    own = minor_digits_of(currency)
    digits = iso_digits_of(currency) if own is None else own
    assert converted(amount, digits, found.value) == cents * 10_000


@pytest.mark.parametrize(
    ("currency", "paid", "told", "value", "cents"),
    [
        ("jpy", 10_000, "0.0067", "0.0067", 6_700),
        ("jpy", 10_000, "0.67", "0.0067", 6_700),
        ("jpy", -10_000, "0.67", "0.0067", -6_700),
        ("jpy", 10_000, "0.0067", "0.0067", -6_700),
        ("bhd", 10_000, "2.65", "2.65", 2_650),
        ("bhd", 10_000, "0.265", "2.65", 2_650),
        ("eur", 10_000, "1.08", "1.08", 10_800),
        ("jpy", 0, "0.67", "0.0067", 6_700),
        ("jpy", 10_000, "0.67", "0.0067", 0),
    ],
)
def test_the_amounts_show_whether_a_rate_is_of_minor_or_of_whole_units(
    currency: str, paid: int, told: str, value: str, cents: int
) -> None:
    moved = transaction(amount=cents, exchange_rate=Decimal(told))
    assert rate_of(moved, currency, paid) == rate(value)


@pytest.mark.parametrize(
    "fields",
    [
        {"exchange_rate": None},
        {"currency": "eur"},
        {"exchange_rate": Decimal(0)},
        {"exchange_rate": Decimal(-1)},
        {"exchange_rate": Decimal("NaN")},
        {"exchange_rate": Decimal("Infinity")},
        {"exchange_rate": Decimal("1e30")},
        {"exchange_rate": Decimal("1e-30")},
        {"created": 10**15},
        {"created": 10**30},
    ],
)
def test_no_rate_is_better_than_one_that_cannot_be(fields: Any) -> None:
    assert rate_of(transaction(**fields), "gbp") is None


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ("1." + "3" * 40, "1." + "3" * 19),
        ("0.00001234567890123456789", "0.00001234567890123457"),
        ("6.4e-5", "0.000064"),
    ],
)
def test_a_rate_of_very_many_digits_is_rounded(told: str, value: str) -> None:
    assert rate_of(transaction(exchange_rate=Decimal(told)), "idr") == rate(value)


def test_a_transaction_that_is_only_named_tells_no_rate() -> None:
    assert rate_of("txn_1", "eur") is None
    assert rate_of(None, "eur") is None
    assert rate_of(transaction(), "usd") is None


def test_a_rate_is_read_to_the_last_digit() -> None:
    exact = rate("1.234567890123")
    assert rate_by([charge()], "eur", {}) == exact


def test_charges_that_were_not_converted_have_no_rate() -> None:
    assert rate_by([charge(balance_transaction="txn_1")], "eur", {}) is None
    assert rate_by([charge()], "usd", {}) is None


def test_each_payment_has_its_own_rate_and_the_invoice_that_of_the_first() -> None:
    one = invoice(
        currency="eur",
        lines=[line_json(10000, CREATED, CREATED)],
        payments=[
            payment_json(8000, seconds("2026-04-01"), currency="eur"),
            payment_json(4000, seconds("2026-03-01"), currency="eur"),
        ],
    )
    rates = {"pi_4000": rate("1.10"), "pi_8000": rate("1.20")}
    fact = invoice_fact(one, tag_key=TAG_KEY, rates=rates)

    assert fact is not None
    assert [(part.kind, part.rate and str(part.rate.value)) for part in fact.all_parts] == [
        ("invoice", "1.10"),
        ("payment", "1.10"),
        ("tax", "1.10"),
        ("payment", "1.20"),
        ("tax", "1.20"),
        ("line", "1.10"),
    ]
    assert fact.rate is None
    assert invoice_rate(one, rates) == rate("1.10")


def test_a_payment_without_a_rate_takes_none_from_another() -> None:
    payments = [payment_json(8000, CREATED, currency="eur")]
    one = invoice(currency="eur", payments=payments)
    fact = invoice_fact(one, tag_key=TAG_KEY, rates={"in_1": rate("1.10")})

    assert fact is not None
    assert [(part.kind, bool(part.rate)) for part in fact.all_parts] == [
        ("invoice", True),
        ("payment", False),
        ("tax", False),
        ("payment", False),
        ("tax", False),
        ("line", True),
    ]


def test_an_expanded_payment_brings_its_own_rate() -> None:
    body = {
        "id": "ch_1",
        "balance_transaction": transaction_json(1, seconds("2026-03-05"), exchange_rate=1.5),
    }
    for source in (
        {"charge": body},
        {"payment_intent": {"id": "pi_1", "latest_charge": body}},
        {"payment_intent": {"id": "pi_1", "latest_charge": "ch_2"}},
    ):
        payments = [payment_json(12000, CREATED, currency="eur", payment=source)]
        one = invoice(currency="eur", payments=payments)
        assert invoice_rate(one, {"ch_2": rate("1.5")}) == rate("1.5")


def test_dollars_have_no_rate_whatever_is_told() -> None:
    one = invoice(payments=[payment_json(12000, CREATED)])
    fact = invoice_fact(one, tag_key=TAG_KEY, rates={"pi_12000": rate("7"), "in_1": rate("7")})
    taken = refund_fact(refund(), tag_key=TAG_KEY, rates={"pi_1": rate("7"), "ch_1": rate("7")})

    assert fact is not None
    assert taken is not None
    assert {part.rate for part in (*fact.all_parts, *taken.all_parts)} == {None}


def test_a_refund_has_its_own_rate_else_its_payments() -> None:
    known = {"pi_1": rate("1.10"), "ch_1": rate("1.20")}
    moved = transaction_json(-7200, seconds("2026-03-05"), exchange_rate=1.3)

    def found(**fields: Any) -> ExchangeRate | None:
        fact = refund_fact(refund(currency="eur", **fields), tag_key=TAG_KEY, rates=known)
        assert fact is not None
        return fact.all_parts[0].rate

    assert found(balance_transaction=moved) == rate("1.3")
    assert found() == rate("1.10")
    assert found(payment_intent=None) == rate("1.20")
    assert found(payment_intent=None, charge=None) is None


def test_a_credit_note_has_the_rate_of_its_invoice() -> None:
    paid = invoice_body(currency="eur", payments=[payment_json(12000, CREATED, currency="eur")])

    def found(rates: dict[str, ExchangeRate], **fields: Any) -> ExchangeRate | None:
        note = credit_note(currency="eur", **fields)
        fact = credit_note_fact(note, tag_key=TAG_KEY, rates=rates)
        assert fact is not None
        return fact.all_parts[0].rate

    assert found({"in_1": rate("1.10")}) == rate("1.10")
    assert found({"in_1": rate("1.10")}, invoice=paid) == rate("1.10")
    assert found({"pi_12000": rate("1.20")}, invoice=paid) == rate("1.20")
    assert found({}) is None


def test_the_digits_go_with_the_fact() -> None:
    one = invoice(currency="isk", payments=[payment_json(12000, CREATED, currency="isk")])
    fact = invoice_fact(one, tag_key=TAG_KEY)
    assert fact is not None
    assert fact.digits == 2
