"""Whatever an invoice is made of, what it adds to each basis adds up."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from nullspend_margins import RevenueFact
from nullspend_margins_stripe.invoice_facts import invoice_fact
from nullspend_margins_stripe.payments import total_of, untaxed_of
from tests.properties.profile import examples
from tests.stripe.bodies import (
    TAG_KEY,
    Json,
    added_up,
    invoice,
    line_json,
    payment_json,
    seconds,
)

MOST = 2**53
AMOUNTS = st.integers(0, MOST) | st.integers(0, 20_000)
SIGNED = st.integers(-(10**11), 10**11) | st.integers(-20_000, 20_000)
TIMES = (
    st.integers(seconds("2019-01-01"), seconds("2032-01-01"))
    | st.integers(-(2**40), 2**40)
    | st.none()
)
TEXTS = (
    st.none() | st.text(max_size=5) | st.sampled_from(["\x00", "a\r\nb", "\x85", "\u00e9" * 300])
)
BEHAVIOURS = st.sampled_from(["inclusive", "exclusive"])
TAXES = st.lists(
    st.fixed_dictionaries({"amount": st.integers(0, 5000), "tax_behavior": BEHAVIOURS}), max_size=2
)


LINE = st.builds(
    line_json,
    SIGNED,
    TIMES,
    TIMES,
    id=TEXTS.map(lambda text: text or ""),
    description=TEXTS,
    taxes=st.none() | TAXES,
    pretax_credit_amounts=st.none()
    | st.lists(st.fixed_dictionaries({"amount": AMOUNTS}), max_size=2),
)


# A few lines, or the same few often: hundreds of lines.
LINES = st.tuples(st.lists(LINE, max_size=5), st.sampled_from([1, 1, 1, 1, 60]))
Some = tuple[list[Json], int]


@st.composite
def split(draw: st.DrawFn, total: int) -> list[int]:
    """Positive amounts that add up to ``total``."""
    cuts = sorted(draw(st.sets(st.integers(1, max(total - 1, 1)), max_size=5)))
    edges = [0, *(cut for cut in cuts if cut < total), total]
    return [end - start for start, end in pairwise(edges) if end > start]


def lines_of(some: Some) -> list[Json]:
    few, times = some
    return few * times


def fact_of(**fields: Any) -> RevenueFact:
    fact = invoice_fact(invoice(**fields), tag_key=TAG_KEY)
    assert fact is not None
    return fact


@examples(100)
@given(st.integers(-MOST, MOST) | SIGNED, LINES)
def test_the_accrual_of_an_invoice_adds_up_to_its_untaxed_total(untaxed: int, some: Some) -> None:
    fact = fact_of(total_excluding_tax=untaxed, lines=lines_of(some))
    assert added_up(fact, "accrual") == untaxed


@examples(100)
@given(LINES, TAXES)
def test_lines_that_add_up_to_the_whole_are_its_parts(some: Some, taxes: list[Json]) -> None:
    weights = [
        one["amount"]
        - sum(each["amount"] for each in one["pretax_credit_amounts"] or ())
        - sum(each["amount"] for each in one["taxes"] or () if each["tax_behavior"] == "inclusive")
        for one in lines_of(some)
    ]
    whole = sum(weights)
    taxed = sum(each["amount"] for each in taxes)
    fact = fact_of(
        total=whole + taxed,
        total_excluding_tax=None,
        total_taxes=taxes,
        lines=lines_of(some),
        amount_paid=0,
    )
    parts = [part.amount_minor for part in fact.all_parts if "accrual" in part.bases]
    assert parts == [weight for weight in weights if weight]


@examples(100)
@given(st.data(), AMOUNTS)
def test_the_net_of_an_invoice_paid_in_full_is_its_untaxed_total(
    data: st.DataObject, total: int
) -> None:
    untaxed = data.draw(st.integers(0, total))
    amounts = data.draw(split(total))
    moments = st.integers(seconds("2025-01-01"), seconds("2027-01-01"))
    payments = [
        payment_json(amount, data.draw(moments), id=f"inpay_{place}")
        for place, amount in enumerate(amounts)
    ]
    dropped = data.draw(st.integers(0, len(payments)))  # paid out of band
    fact = fact_of(
        total=total, total_excluding_tax=untaxed, amount_paid=total, payments=payments[dropped:]
    )

    assert added_up(fact, "cash") == total
    assert added_up(fact, "net") == untaxed
    assert added_up(fact, "invoiced") == total
    for part in fact.all_parts:
        assert (part.amount_minor < 0) == (part.kind == "tax")


@examples(100)
@given(st.data(), st.integers(1, 10**9))
def test_each_payment_so_far_is_net_of_its_share_of_tax_to_half_a_cent(
    data: st.DataObject, total: int
) -> None:
    untaxed = data.draw(st.integers(0, total))
    amounts = data.draw(split(total))
    payments = [
        payment_json(amount, seconds("2026-01-01") + place, id=f"inpay_{place}")
        for place, amount in enumerate(amounts)
    ]
    kept = data.draw(st.integers(1, len(payments)))
    fact = fact_of(
        status="open",
        total=total,
        total_excluding_tax=untaxed,
        amount_paid=sum(amounts[:kept]),
        payments=payments[:kept],
    )

    exact = sum(amounts[:kept]) * untaxed  # over total
    assert 2 * abs(added_up(fact, "net") * total - exact) <= total


@examples(100)
@given(LINES, st.data())
def test_any_order_of_payments_is_the_same_fact(some: Some, data: st.DataObject) -> None:
    payments = [
        payment_json(1000 + each, seconds("2026-01-10") + each % 3, id=f"inpay_{each}")
        for each in range(5)
    ]
    turned = data.draw(st.permutations(payments))
    assert fact_of(lines=lines_of(some), payments=payments) == fact_of(
        lines=lines_of(some), payments=turned
    )


@examples(100)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "status": st.sampled_from(["paid", "open", "void", "uncollectible", None]),
            "customer": st.none() | st.just("cus_1") | st.just({"id": "cus_1", "deleted": True}),
            "customer_name": TEXTS,
            "customer_email": TEXTS,
            "total": st.none() | SIGNED,
            "total_excluding_tax": st.none() | SIGNED,
            "total_taxes": st.none() | TAXES,
            "status_transitions": st.none() | st.fixed_dictionaries({"paid_at": TIMES}),
            "payments": st.none()
            | st.lists(st.builds(payment_json, st.none() | AMOUNTS, TIMES), max_size=3),
            "currency": st.sampled_from(["usd", "EUR", "jpy", "bhd", "isk", "ugx", "mga"]),
            "amount_paid": AMOUNTS,
        },
    ),
    LINES,
)
def test_nulls_and_odd_texts_and_times_are_never_an_error(fields: Json, some: Some) -> None:
    one = invoice(**fields, lines=lines_of(some))
    assume(total_of(one) <= 0 or 0 <= untaxed_of(one) <= total_of(one))
    fact = invoice_fact(one, tag_key=TAG_KEY)
    if fact is not None and fact.kind == "invoice":
        assert added_up(fact, "invoiced") == one.amount_paid
