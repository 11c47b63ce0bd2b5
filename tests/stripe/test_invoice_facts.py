"""An invoice as a fact: its parts, by basis, and what stands in for what is not told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nullspend_margins import Basis, RevenueFact, RevenuePart
from nullspend_margins_stripe.failures import Transient
from nullspend_margins_stripe.invoice_facts import invoice_fact
from tests.stripe.bodies import (
    CREATED,
    TAG_KEY,
    added_up,
    by_month,
    invoice,
    line_json,
    payment_json,
    seconds,
)

YEAR = (seconds("2026-01-10"), seconds("2027-01-10"))


def fact_of(**fields: Any) -> RevenueFact:
    fact = invoice_fact(invoice(**fields), tag_key=TAG_KEY)
    assert fact is not None
    return fact


def parts_of(fact: RevenueFact, basis: Basis) -> list[RevenuePart]:
    return [part for part in fact.all_parts if basis in part.bases]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_paid_invoice_has_parts_of_every_basis() -> None:
    fact = fact_of(
        lines=[line_json(10000, *YEAR, id="il_1", description="Pro, a year")],
        payments=[payment_json(12000, seconds("2026-01-12"), id="inpay_1")],
    )
    made, paid, end = utc("2026-01-10"), utc("2026-01-12"), utc("2027-01-10")

    assert (fact.kind, fact.amount_minor, fact.occurred_at) == ("invoice", 12000, made)
    assert [
        (part.kind, *part.bases, part.amount_minor, part.occurred_at, part.until)
        for part in fact.all_parts
    ] == [
        ("invoice", "invoiced", 12000, made, None),
        ("payment", "cash", "net", 12000, paid, None),
        ("tax", "net", -2000, paid, None),
        ("line", "accrual", 10000, made, end),
    ]
    assert [(part.part_id, part.description) for part in fact.all_parts] == [
        (None, None),
        ("inpay_1", None),
        ("inpay_1", None),
        ("il_1", "Pro, a year"),
    ]


def test_payments_count_in_their_own_months_and_tax_with_them() -> None:
    fact = fact_of(
        payments=[
            payment_json(4000, seconds("2026-02-01")),
            payment_json(8000, seconds("2026-04-01")),
        ]
    )

    assert by_month(fact, "invoiced") == {"2026-01": 12000}
    assert by_month(fact, "cash") == {"2026-02": 4000, "2026-04": 8000}
    # 4000 * 10000 / 12000 = 3333.33, and what is left of 10000.
    assert by_month(fact, "net") == {"2026-02": 3333, "2026-04": 6667}


def test_the_order_of_payments_is_that_of_time() -> None:
    payments = [payment_json(1, CREATED + 2), payment_json(2, CREATED + 1)]
    told, turned = (fact_of(amount_paid=3, payments=each) for each in (payments, payments[::-1]))

    assert told == turned
    assert [part.amount_minor for part in parts_of(told, "cash")] == [2, 1]


def test_what_no_payment_tells_came_when_the_invoice_was_paid() -> None:
    fact = fact_of(
        payments=[payment_json(4000, seconds("2026-02-01"))],
        status_transitions={"paid_at": seconds("2026-03-01")},
    )

    assert by_month(fact, "cash") == {"2026-02": 4000, "2026-03": 8000}
    assert parts_of(fact, "cash")[1].part_id is None
    assert added_up(fact, "net") == 10000


def test_payments_that_say_more_than_the_invoice_count_as_they_are() -> None:
    fact = fact_of(payments=[payment_json(12500, seconds("2026-02-01"))])

    assert by_month(fact, "invoiced") == {"2026-01": 12000}
    assert by_month(fact, "cash") == {"2026-02": 12500}


@pytest.mark.parametrize(
    "payment",
    [
        payment_json(12000, seconds("2026-02-01"), status="canceled"),
        payment_json(None, None, status="open"),
        payment_json(12000, seconds("2026-02-01"), currency="eur"),
    ],
    ids=["cancelled", "open", "of another currency"],
)
def test_a_payment_that_does_not_count_leaves_the_invoices_own_moment(payment: Any) -> None:
    assert by_month(fact_of(payments=[payment]), "cash") == {"2026-01": 12000}


@pytest.mark.parametrize(
    ("fields", "month"),
    [
        ({"payments": [payment_json(12000, None)]}, "2026-03"),
        ({"payments": [payment_json(12000, None, status_transitions=None)]}, "2026-03"),
        ({"payments": [payment_json(12000, 10**15)]}, "2026-03"),
        ({"payments": None}, "2026-03"),
        ({"payments": None, "status_transitions": None}, "2026-01"),
        ({"payments": None, "status_transitions": {"paid_at": None}}, "2026-01"),
        ({"payments": None, "status_transitions": {"paid_at": -1}}, "2026-01"),
    ],
)
def test_a_moment_that_is_not_told_is_the_invoices(fields: Any, month: str) -> None:
    paid = {"status_transitions": {"paid_at": seconds("2026-03-01")}}
    assert by_month(fact_of(**{**paid, **fields}), "cash") == {month: 12000}


@pytest.mark.parametrize("status", ["open", "void", "uncollectible"])
def test_an_invoice_that_is_not_paid_is_no_more_than_its_payments(status: str) -> None:
    fact = fact_of(
        status=status,
        amount_paid=3000,
        payments=[payment_json(3000, seconds("2026-02-01"))],
        lines=[line_json(10000, *YEAR)],
    )

    assert (fact.kind, fact.object_id, fact.amount_minor) == ("payment", "in_1", 3000)
    assert by_month(fact, "cash") == {"2026-02": 3000}
    assert by_month(fact, "net") == {"2026-02": 2500}
    assert by_month(fact, "invoiced") == by_month(fact, "accrual") == {}


@pytest.mark.parametrize("payments", [None, [], [payment_json(None, None, status="open")]])
@pytest.mark.parametrize("status", ["open", "void", "uncollectible", "draft"])
def test_an_invoice_that_is_not_paid_and_has_no_payment_is_no_fact(
    status: str, payments: Any
) -> None:
    one = invoice(status=status, payments=payments, lines=[line_json(10000, *YEAR)])
    assert invoice_fact(one, tag_key=TAG_KEY) is None


def test_an_invoice_of_nothing_is_still_one() -> None:
    fact = fact_of(amount_paid=0, total=0, total_excluding_tax=0, total_taxes=[], payments=[])

    assert fact.kind == "invoice"
    assert [(part.kind, part.amount_minor) for part in fact.all_parts] == [("invoice", 0)]


def test_a_total_of_nothing_that_was_paid_all_the_same_has_no_tax() -> None:
    fact = fact_of(total=0, total_excluding_tax=0)
    assert by_month(fact, "net") == by_month(fact, "cash") == {"2026-01": 12000}


def test_without_the_untaxed_total_the_taxes_tell_it() -> None:
    taxes = [
        {"amount": 1500, "tax_behavior": "exclusive"},
        {"amount": 500, "tax_behavior": "inclusive"},
    ]
    fact = fact_of(total_excluding_tax=None, total_taxes=taxes)

    assert added_up(fact, "net") == added_up(fact, "accrual") == 10000


def test_an_answer_without_totals_lines_and_payments_counts_whole_and_at_once() -> None:
    fact = fact_of(
        total=None,
        total_excluding_tax=None,
        total_taxes=None,
        lines=[],
        status=None,
        status_transitions=None,
        livemode=None,
    )

    assert {basis: by_month(fact, basis) for basis in ("invoiced", "cash", "net", "accrual")} == {
        basis: {"2026-01": 12000} for basis in ("invoiced", "cash", "net", "accrual")
    }


def test_lines_and_payments_without_ids_count_all_the_same() -> None:
    line, payment = line_json(10000, *YEAR), payment_json(12000, CREATED)
    del line["id"], payment["id"]
    fact = fact_of(lines=[line], payments=[payment])

    assert {part.part_id for part in fact.all_parts} == {None}
    assert by_month(fact, "invoiced") == by_month(fact, "cash") == {"2026-01": 12000}
    assert added_up(fact, "accrual") == 10000


@pytest.mark.parametrize("currency", ["jpy", "bhd", "eur", "isk"])
def test_amounts_are_in_the_minor_unit_whatever_it_is(currency: str) -> None:
    fact = fact_of(
        currency=currency.upper(), payments=[payment_json(12000, CREATED, currency=currency)]
    )

    assert (fact.currency, fact.amount_minor) == (currency, 12000)
    assert added_up(fact, "net") == 10000


@pytest.mark.parametrize(
    "fields",
    [
        {"id": ""},
        {"id": "in_" + "x" * 300},
        {"currency": ""},
        {"amount_paid": 10**18},
        {"amount_paid": 10**17 + 1},
        {"total_excluding_tax": -(10**17) - 1},
        {"created": -1},
        {"created": 10**15},
        {"payments": [payment_json(10**17 + 1, CREATED)]},
    ],
)
def test_an_invoice_that_no_fact_can_hold_is_worth_another_try(fields: Any) -> None:
    one = invoice(**fields)
    with pytest.raises(Transient, match="an invoice with an unusable id") as caught:
        invoice_fact(one, tag_key=TAG_KEY)
    assert caught.value.__context__ is None


def test_texts_of_any_length_and_kind_are_cleaned() -> None:
    fact = fact_of(
        customer_name="Old\x00name",
        customer={"id": "cus_1", "name": "A\nB " + "x" * 500, "email": " \x07 "},
        lines=[line_json(10000, *YEAR, id="il\x00", description="a\r\n\x1b[31mb" + "é" * 5000)],
    )

    [line] = parts_of(fact, "accrual")
    assert (line.part_id, line.description) == ("il", ("a [31mb" + "é" * 5000)[:256])
    assert fact.customer_name == ("A\nB " + "x" * 500)[:256]
    assert fact.customer_email is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("  Ada\t& Sons\r\nLtd ", "  Ada\t& Sons\r\nLtd "),
        ("\tAda", "\tAda"),
        ("A\x00B\x1b[31m\x85C", "A B [31m C"),
        (" \t\r\n\u00a0", None),
        ("\x07\x00", None),
        ("x" * 257, "x" * 256),
        (" " * 256 + "Ada", "Ada"),
        ("", None),
        (None, None),
    ],
)
def test_a_name_is_told_as_stripe_has_it(name: str | None, told: str | None) -> None:
    assert fact_of(customer={"id": "cus_1", "name": name}, customer_name=None).customer_name == told
