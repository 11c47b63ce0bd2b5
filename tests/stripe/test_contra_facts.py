"""What is taken back: refunds, credit notes and disputes as facts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins import RevenueFact
from nullspend_margins_stripe.contra_facts import (
    ALL,
    credit_note_fact,
    credited_refunds,
    dispute_facts,
    refund_fact,
)
from nullspend_margins_stripe.credited import Credited
from nullspend_margins_stripe.failures import Transient
from tests.properties.profile import examples
from tests.stripe.bodies import (
    TAG_KEY,
    added_up,
    by_month,
    credit_note,
    dispute,
    invoice_body,
    refund,
    seconds,
    transaction_json,
)


def refunded(**fields: Any) -> RevenueFact | None:
    return refund_fact(refund(**fields), tag_key=TAG_KEY)


def noted(**fields: Any) -> RevenueFact | None:
    return credit_note_fact(credit_note(**fields), tag_key=TAG_KEY)


def disputed(**fields: Any) -> list[RevenueFact]:
    return dispute_facts(dispute(**fields), tag_key=TAG_KEY)


def test_a_refund_is_taken_off_whole_in_its_own_month() -> None:
    fact = refunded()

    assert fact is not None
    assert (fact.kind, fact.object_id, fact.amount_minor) == ("refund", "re_1", -6000)
    assert fact.occurred_at == datetime(2026, 3, 5, tzinfo=UTC)
    assert by_month(fact, "net") == by_month(fact, "accrual") == {"2026-03": -6000}
    assert by_month(fact, "cash") == by_month(fact, "invoiced") == {}


def test_a_refund_of_a_credit_note_is_taken_off_net_alone() -> None:
    note = credit_note(refunds=[{"amount_refunded": 6000, "refund": "re_1"}, {"refund": None}])
    linked = credited_refunds(note)
    fact = refund_fact(refund(), tag_key=TAG_KEY, credited=linked["re_1"])

    assert linked == {"re_1": 6000}
    assert by_month(fact, "net") == {"2026-03": -6000}
    assert by_month(fact, "accrual") == {}


def test_a_note_that_is_read_again_counts_once() -> None:
    credited = Credited()
    for note_id in ("cn_1", "cn_2", "cn_1"):
        told = [{"amount_refunded": 2500, "refund": "re_1"}]
        assert [*credited.note(credit_note(id=note_id, refunds=told))] == ["re_1"]

    assert (credited.amount("re_1"), credited.invoice_of("re_1")) == (5000, "in_1")
    assert (credited.amount("re_2"), credited.invoice_of("re_2")) == (0, None)


def test_expanded_refunds_of_a_credit_note_are_known_too() -> None:
    body = {"id": "re_1", "amount": 6000, "created": 1, "currency": "usd"}
    assert [*credited_refunds(credit_note(refunds=[{"refund": body}]))] == ["re_1"]


def test_what_a_note_says_of_one_refund_is_added_up() -> None:
    told = [{"refund": "re_1", "amount_refunded": each} for each in (1000, 500)]
    assert credited_refunds(credit_note(refunds=told)) == {"re_1": 1500}


@pytest.mark.parametrize(
    ("credited", "accrual"),
    [
        (0, -6000),
        (1, -5999),
        (2000, -4000),
        (5999, -1),
        (6000, 0),
        (7000, 0),
        (ALL, 0),
        (-5, -6000),
    ],
)
def test_what_of_a_refund_no_note_speaks_for_is_taken_off_accrual(
    credited: int, accrual: int
) -> None:
    fact = refund_fact(refund(), tag_key=TAG_KEY, credited=credited)

    assert added_up(fact, "net") == -6000
    assert added_up(fact, "accrual") == accrual
    assert fact is not None
    assert all(part.amount_minor for part in fact.all_parts)


def test_a_void_credit_note_takes_over_no_refund() -> None:
    assert credited_refunds(credit_note(status="void", refunds=[{"refund": "re_1"}])) == {}
    assert credited_refunds(credit_note(refunds=None)) == {}


@pytest.mark.parametrize("status", ["pending", "requires_action", "failed", "canceled", None])
def test_only_a_refund_that_succeeded_counts(status: str | None) -> None:
    assert refunded(status=status) is None


@pytest.mark.parametrize(
    ("fields", "customer_id", "name"),
    [
        ({"customer": "cus_own"}, "cus_own", None),
        ({"customer": {"id": "cus_own", "name": "Own"}}, "cus_own", "Own"),
        ({}, "cus_1", None),
        ({"charge": {"id": "ch_1", "customer": {"id": "cus_2", "name": "C"}}}, "cus_2", "C"),
        ({"charge": None, "payment_intent": {"id": "pi_1", "customer": "cus_3"}}, "cus_3", None),
        ({"charge": "ch_1"}, "cus_intent", None),
        ({"charge": {"id": "ch_1", "customer": None}}, "cus_intent", None),
        ({"charge": "ch_9", "payment_intent": None}, "cus_charge", None),
        ({"charge": None, "payment_intent": None}, None, None),
    ],
)
def test_whose_refund_it_is(fields: Any, customer_id: str | None, name: str | None) -> None:
    payers = {"pi_1": "cus_intent", "ch_9": "cus_charge"}
    fact = refund_fact(refund(**fields), tag_key=TAG_KEY, payers=payers)

    assert fact is not None
    assert (fact.customer_id, fact.customer_name) == (customer_id, name)


def test_a_customers_metadata_names_the_tag() -> None:
    fact = refunded(customer={"id": "cus_1", "metadata": {TAG_KEY: "acme"}})
    assert fact is not None
    assert fact.suggested_tag == "acme"


def test_a_credit_note_takes_off_accrual_what_is_not_tax() -> None:
    fact = noted()

    assert fact is not None
    assert (fact.kind, fact.object_id, fact.customer_id) == ("credit_note", "cn_1", "cus_1")
    assert fact.occurred_at == datetime(2026, 3, 5, tzinfo=UTC)
    assert [part.occurred_at.day for part in fact.all_parts] == [31]
    assert by_month(fact, "accrual") == {"2026-03": -5000}
    assert [by_month(fact, basis) for basis in ("invoiced", "cash", "net")] == [{}, {}, {}]


def test_a_credit_note_takes_effect_in_the_month_it_says() -> None:
    assert by_month(noted(effective_at=seconds("2026-01-31")), "accrual") == {"2026-01": -5000}
    assert by_month(noted(effective_at=None), "accrual") == {"2026-03": -5000}


def test_without_the_untaxed_total_the_taxes_of_a_credit_note_tell_it() -> None:
    assert added_up(noted(total_excluding_tax=None), "accrual") == -5000
    assert added_up(noted(total_excluding_tax=None, total_taxes=None), "accrual") == -6000


@pytest.mark.parametrize("status", ["void", None])
def test_only_an_issued_credit_note_counts(status: str | None) -> None:
    assert noted(status=status) is None


@pytest.mark.parametrize(
    ("status", "counts"),
    [("paid", True), (None, True), ("open", False), ("void", False), ("uncollectible", False)],
)
def test_what_never_accrued_is_not_taken_back(status: str | None, counts: bool) -> None:
    fields: Any = {"invoice": invoice_body(status=status), "refunds": [{"refund": "re_1"}]}
    assert (noted(**fields) is not None) is counts
    # The refund that goes with it takes nothing off either.
    assert credited_refunds(credit_note(**fields)) == {"re_1": ALL}


def test_a_credit_note_of_nothing_is_no_fact() -> None:
    assert noted(total_excluding_tax=0) is None


def test_a_dispute_moves_net_when_its_money_moves() -> None:
    moved = [
        transaction_json(12000, seconds("2026-05-20"), id="txn_back"),
        transaction_json(-12000, seconds("2026-03-05"), id="txn_out"),
    ]
    [fact] = disputed(balance_transactions=moved)

    assert (fact.kind, fact.object_id, fact.customer_id) == ("dispute", "du_1", "cus_1")
    assert (fact.amount_minor, fact.occurred_at.day) == (0, 4)
    assert by_month(fact, "net") == {"2026-03": -12000, "2026-05": 12000}
    assert [part.part_id for part in fact.all_parts] == ["txn_out", "txn_back"]
    assert [by_month(fact, basis) for basis in ("invoiced", "cash", "accrual")] == [{}, {}, {}]


@pytest.mark.parametrize("moved", [None, [], [transaction_json(0, seconds("2026-03-05"))]])
def test_a_dispute_that_moved_nothing_is_no_fact(moved: Any) -> None:
    assert disputed(balance_transactions=moved) == []


def test_a_dispute_is_in_the_currency_of_the_balance() -> None:
    moved = [transaction_json(-11000, seconds("2026-03-05"), currency="EUR")]
    [fact] = disputed(balance_transactions=moved, currency="usd")
    assert (fact.currency, added_up(fact, "net")) == ("eur", -11000)


def test_a_dispute_in_several_currencies_is_a_fact_for_each() -> None:
    moved = [
        transaction_json(-11000, seconds("2026-03-05"), currency="eur"),
        transaction_json(12000, seconds("2026-04-05"), currency="usd"),
    ]
    found = {fact.object_id: fact for fact in disputed(balance_transactions=moved)}
    assert [*found] == ["du_1", "du_1/usd"]
    assert by_month(found["du_1"], "net") == {"2026-03": -11000}
    assert by_month(found["du_1/usd"], "net") == {"2026-04": 12000}


def test_a_dispute_without_an_expanded_charge_is_of_who_paid() -> None:
    one = dispute(charge="ch_1", payment_intent=None)
    [fact] = dispute_facts(one, tag_key=TAG_KEY, payers={"ch_1": "cus_7"})
    assert fact.customer_id == "cus_7"
    [fact] = dispute_facts(one, tag_key=TAG_KEY)
    assert fact.customer_id is None


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: refunded(amount=10**18), "a refund"),
        (lambda: refunded(id=""), "a refund"),
        (lambda: refunded(created=-5), "a refund"),
        (lambda: noted(total_excluding_tax=10**18), "a credit note"),
        (lambda: noted(currency=""), "a credit note"),
        (lambda: disputed(balance_transactions=[transaction_json(-(10**18), 5)]), "a dispute"),
        (lambda: disputed(created=10**15), "a dispute"),
    ],
)
def test_what_no_fact_can_hold_is_worth_another_try(make: Any, kind: str) -> None:
    with pytest.raises(Transient, match=f"its answer has {kind} with an unusable id") as caught:
        make()
    assert caught.value.__context__ is None


@examples(100)
@given(st.integers(1, 2**53), st.sampled_from(["usd", "jpy", "bhd", "isk", "ugx", "mga"]))
def test_amounts_of_any_size_are_taken_off_to_the_unit(amount: int, currency: str) -> None:
    assert added_up(refunded(amount=amount, currency=currency), "net") == -amount
    assert added_up(noted(total_excluding_tax=amount, currency=currency), "accrual") == -amount
    moved = [transaction_json(-amount, 5, currency=currency)]
    assert [added_up(fact, "net") for fact in disputed(balance_transactions=moved)] == [-amount]
