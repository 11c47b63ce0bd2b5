"""What rows become: facts, their parts, and their ids."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nullspend_margins import RevenueFact
from nullspend_margins.domain.recognition import month_cells
from tests.csv_provider.support import HEADER, facts_of, problems_of

DAY = datetime(2026, 3, 5, tzinfo=UTC)
FULL = (
    "customer,date,amount,currency,kind,service_start,service_end,id,name,email,tag,description\n"
)
MARCH, APRIL = 2026 * 12 + 2, 2026 * 12 + 3


def cells(fact: RevenueFact) -> dict[int, list[int]]:
    """By month: invoiced, cash, net and accrual, in cents."""
    found = month_cells(fact.all_parts, fact.digits)
    return {
        month: [amount // 10_000 for amount in amounts]
        for month, amounts in found.items()
        if any(amounts)
    }


def of_kind(kind: str, service: str = ",") -> RevenueFact:
    text = (
        "customer,date,amount,kind,service_start,service_end\n"
        f"acme,2026-03-05,10.00,{kind},{service}\n"
    )
    return facts_of(text)[0]


def test_a_row_of_three_columns_is_an_invoice_that_was_paid_at_once() -> None:
    [fact] = facts_of(HEADER + "acme,2026-03-05,12.34\n")
    assert (fact.customer_id, fact.amount_minor, fact.currency) == ("acme", 1234, "usd")
    assert (fact.occurred_at, fact.kind) == (DAY, "invoice")
    assert cells(fact) == {MARCH: [1234] * 4}


@pytest.mark.parametrize(
    ("kind", "fact", "counted"),
    [
        ("", "invoice", [1000, 1000, 1000, 1000]),
        ("invoice", "invoice", [1000, 1000, 1000, 1000]),
        ("bill", "invoice", [1000, 0, 0, 1000]),
        ("payment", "payment", [0, 1000, 1000, 0]),
        ("tax", "payment", [0, 0, -1000, -1000]),
        ("refund", "refund", [0, 0, -1000, -1000]),
        ("credit_note", "credit_note", [0, 0, 0, -1000]),
        ("dispute", "dispute", [0, 0, -1000, 0]),
        ("dispute_won", "dispute", [0, 0, 1000, 0]),
    ],
)
def test_a_kind_says_which_bases_it_counts_for(kind: str, fact: str, counted: list[int]) -> None:
    found = of_kind(kind)
    assert (found.kind, cells(found)) == (fact, {MARCH: counted})


@pytest.mark.parametrize(
    ("kind", "march", "april"),
    [
        ("", [1000, 1000, 1000, 500], [0, 0, 0, 500]),
        ("bill", [1000, 0, 0, 500], [0, 0, 0, 500]),
        ("payment", [0, 1000, 1000, 0], None),
        ("tax", [0, 0, -1000, -500], [0, 0, 0, -500]),
        ("refund", [0, 0, -1000, -500], [0, 0, 0, -500]),
        ("credit_note", [0, 0, 0, -500], [0, 0, 0, -500]),
        ("dispute", [0, 0, -1000, 0], None),
    ],
)
def test_a_service_spreads_what_accrues(
    kind: str, march: list[int], april: list[int] | None
) -> None:
    wanted = {MARCH: march} if april is None else {MARCH: march, APRIL: april}
    assert cells(of_kind(kind, "2026-03-17,2026-04-16")) == wanted


def test_a_service_ends_before_its_last_day_begins() -> None:
    assert cells(of_kind("bill", "2026-03-01,2026-04-01")) == {MARCH: [1000, 0, 0, 1000]}


def test_bills_and_payments_and_taxes_of_a_customer_add_up() -> None:
    rows = "acme,2026-03-01,119,bill\nacme,2026-03-01,19,tax\nacme,2026-04-10,119,payment\n"
    totals: dict[int, list[int]] = {}
    for fact in facts_of("customer,date,amount,kind\n" + rows):
        for month, amounts in cells(fact).items():
            before = totals.get(month, [0] * 4)
            totals[month] = [one + other for one, other in zip(before, amounts, strict=True)]
    assert totals == {MARCH: [11900, 0, -1900, 10000], APRIL: [0, 11900, 11900, 0]}


@pytest.mark.parametrize("kind", ["Credit note", "credit-note", " CREDIT_NOTE ", "Credit  Note"])
def test_a_kind_may_be_spelt_as_people_spell(kind: str) -> None:
    assert of_kind(kind).kind == "credit_note"


def test_a_negative_invoice_corrects_one() -> None:
    [fact] = facts_of(HEADER + "acme,2026-03-05,-2.50\n")
    assert cells(fact) == {MARCH: [-250] * 4}


def test_what_the_other_columns_say_is_kept() -> None:
    [fact] = facts_of(
        FULL + 'c_1,2026-03-05,1,usd,,,,in_1, Acme  Corp ,a@acme.test,acme-corp,"two\nlines"\n'
    )
    assert (fact.object_id, fact.customer_name) == ("in_1", "Acme Corp")
    assert (fact.customer_email, fact.suggested_tag) == ("a@acme.test", "acme-corp")
    assert [part.description for part in fact.all_parts] == ["two lines"]


def test_a_row_without_a_customer_is_nobodys() -> None:
    assert facts_of(HEADER + ",2026-03-05,1\n")[0].customer_id is None


def test_rows_without_ids_have_the_same_ones_at_every_read_in_any_order() -> None:
    rows = ["acme,2026-03-05,1", "acme,2026-03-05,2", "beta,2026-03-05,1", "acme,2026-03-06,1"]
    forwards = {fact.object_id: fact for fact in facts_of(HEADER + "\n".join(rows))}
    backwards = {fact.object_id: fact for fact in facts_of(HEADER + "\n".join(reversed(rows)))}
    assert len(forwards) == 4
    assert forwards == backwards


def test_a_row_that_comes_twice_counts_twice_and_keeps_its_ids() -> None:
    row = "acme,2026-03-05,1\n"
    once, twice = (facts_of(HEADER + row * times) for times in (1, 2))
    assert len({fact.object_id for fact in twice}) == 2
    assert twice[0].object_id == once[0].object_id


def test_an_id_does_not_change_with_the_way_a_row_is_written() -> None:
    texts = [
        HEADER + "acme,2026-03-05,1\n",
        "Amount;Date;Customer ID;Other\n1.00;2026-03-05T01:00:00+01:00;acme;x\n",
        "customer,date,amount,name,kind\nacme,2026-03-05,1.0,Acme,invoice\n",
    ]
    assert len({facts_of(text)[0].object_id for text in texts}) == 1


def test_a_row_without_an_id_among_rows_with_ids_gets_one() -> None:
    found = facts_of("customer,date,amount,id\nacme,2026-03-05,1,in_1\nacme,2026-03-05,1,\n")
    assert found[0].object_id == "in_1"
    assert found[1].object_id == facts_of(HEADER + "acme,2026-03-05,1\n")[0].object_id


def test_an_id_names_one_row() -> None:
    text = "customer,date,amount,id\nacme,2026-03-05,1,x\nacme,2026-03-06,1,y\nb,2025-01-01,1,x\n"
    assert problems_of(text) == [
        "line 4, column id: stands in line 2 already, and an id names one row"
    ]


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("usd", "0.1", 10),
        ("USD", "+12.3400", 1234),
        ("jpy", "500", 500),
        ("jpy", "500.00", 500),
        ("kwd", "1.005", 1005),
        ("", "9007199254740.93", 900719925474093),
    ],
)
def test_amounts_are_exact_in_the_digits_of_their_currency(
    currency: str, amount: str, minor: int
) -> None:
    [fact] = facts_of(f"customer,date,amount,currency\nacme,2026-03-05,{amount},{currency}\n")
    assert fact.amount_minor == minor


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-05",
        "2026-03-05T00:00:00Z",
        "2026-03-05 00:00",
        "2026-03-05 00:00:00 UTC",
        "2026-03-05T01:00:00.000+01:00",
        "2026-03-04T19:00:00.000000000-0500",
    ],
)
def test_dates_and_times_are_in_utc(moment: str) -> None:
    assert facts_of(HEADER + f"acme,{moment},1\n")[0].occurred_at == DAY
