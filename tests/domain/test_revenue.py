"""Revenue facts: what no database can hold is refused by name."""

from __future__ import annotations

import gc
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from nullspend_margins.domain.recognition import month_cells
from nullspend_margins.domain.revenue import MAX_PARTS, RevenueCursor, RevenueFact, RevenueGap
from nullspend_margins.domain.revenue_part import (
    MAX_COUNTED_CENTS,
    MAX_MINOR_AMOUNT,
    ExchangeRate,
    RevenuePart,
)
from nullspend_margins.errors import ValidationFailed
from tests.storage.builders import NOW, invoice

LIMITS = {
    "object_id": 256,
    "currency": 16,
    "customer_id": 256,
    "customer_name": 256,
    "customer_email": 256,
    "avatar_url": 2048,
    "suggested_tag": 256,
}


def refused(**values: object) -> list[str]:
    """The fields that are said to be wrong."""
    with pytest.raises(ValidationFailed) as raised:
        invoice(**({"object_id": "in_1"} | values))
    return [issue["path"] for issue in raised.value.issues]


def test_no_garbage_collection_looks_at_facts() -> None:
    part = RevenuePart(bases=("cash",), kind="payment", amount_minor=5, occurred_at=NOW)
    parts = (part, part)
    fact = invoice("in_1", parts=parts)
    gc.collect(0)  # which lets go of a tuple that has nothing to look at
    assert not any(map(gc.is_tracked, (fact, part, parts)))


@pytest.mark.parametrize("amount", [1.0, True, "1", None, MAX_MINOR_AMOUNT + 1, -(10**18)])
def test_an_amount_is_an_int_that_can_be_stored(amount: object) -> None:
    assert refused(amount_minor=amount) == ["amount_minor"]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_amount_fits_64_bits(sign: int) -> None:
    fact = invoice("in_1", sign * MAX_COUNTED_CENTS)
    [amounts] = month_cells(fact.all_parts, fact.digits).values()
    assert abs(amounts[0]) < 2**63 <= (MAX_COUNTED_CENTS + 1) * 10_000
    with pytest.raises(ValidationFailed, match=r"9\.2 trillion"):
        month_cells(invoice("in_1", sign * (MAX_COUNTED_CENTS + 1)).all_parts, 2)


@pytest.mark.parametrize("amount", [2**53, 2**53 + 1, -(2**53), MAX_MINOR_AMOUNT])
def test_what_is_too_much_for_a_cell_can_be_told(amount: int) -> None:
    fact = invoice("in_1", amount)
    assert [part.amount_minor for part in fact.all_parts] == [amount]


@pytest.mark.parametrize(("name", "most"), LIMITS.items())
def test_a_text_is_short_and_clean(name: str, most: int) -> None:
    assert getattr(invoice(**{"object_id": "in_1", name: "ü" * most}), name) == "ü" * most
    for value in ("ü" * (most + 1), "a\x00", "\ud800", 7):
        assert refused(**{name: value}) == [name]


def test_a_customers_name_may_have_several_lines_and_no_other_text() -> None:
    several = " A\tB\r\nC "
    for name in LIMITS:
        if name == "customer_name":
            assert invoice("in_1", customer_name=several).customer_name == several
        else:
            assert refused(**{name: several}) == [name]


def test_an_id_is_not_empty() -> None:
    names = ["object_id", "currency", "customer_id", "suggested_tag"]
    assert refused(**dict.fromkeys(names, "")) == names


def test_an_invoice_is_of_an_instant_that_has_a_period() -> None:
    for moment in (
        datetime(2026, 1, 1),  # noqa: DTZ001 - that is the point
        datetime(9999, 1, 1, tzinfo=UTC),
        date(2026, 1, 1),
    ):
        assert refused(occurred_at=moment) == ["occurred_at"]


def test_everything_that_is_wrong_is_named() -> None:
    assert refused(amount_minor=0.5, customer_name="\x07", currency="") == [
        "currency",
        "amount_minor",
        "customer_name",
    ]


RATE = {"value": Decimal("1.08"), "source": "stripe", "on": date(2026, 1, 1)}
PART = {
    "bases": ["cash", "net"],
    "kind": "payment",
    "amount_minor": 5,
    "occurred_at": datetime(2026, 1, 1, tzinfo=UTC),
}
GAP = {"permission": "rak_charge_read", "bases": ["net"], "detail": "Refunds are not known."}


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "paths"),
    [
        (ExchangeRate, RATE, {"value": 1.08}, ["value"]),
        (ExchangeRate, RATE, {"value": Decimal("nan")}, ["value"]),
        (ExchangeRate, RATE, {"value": Decimal(0)}, ["value"]),
        (ExchangeRate, RATE, {"value": Decimal("1e-30")}, ["value"]),
        (ExchangeRate, RATE, {"value": Decimal(10**7)}, ["value"]),
        (ExchangeRate, RATE, {"source": "", "on": "2026"}, ["source", "on"]),
        (RevenuePart, PART, {"bases": []}, ["bases"]),
        (RevenuePart, PART, {"bases": "cash"}, ["bases"]),
        (RevenuePart, PART, {"bases": ["cash", "gross"]}, ["bases"]),
        (RevenuePart, PART, {"kind": "gift", "amount_minor": 0.5}, ["kind", "amount_minor"]),
        (RevenuePart, PART, {"bases": ("cash",), "kind": ["payment"]}, ["kind"]),
        (RevenuePart, PART, {"part_id": "", "description": "a\x00"}, ["part_id", "description"]),
        (RevenuePart, PART, {"occurred_at": None}, ["occurred_at"]),
        (RevenuePart, PART, {"until": datetime(2025, 12, 31, tzinfo=UTC)}, ["until"]),
        (RevenuePart, PART, {"until": datetime(2080, 1, 1, tzinfo=UTC)}, ["until"]),
        (RevenuePart, PART, {"until": datetime(2026, 2, 1)}, ["until"]),  # noqa: DTZ001
        (RevenuePart, PART, {"rate": Decimal("1.1")}, ["rate"]),
        (RevenueGap, GAP, {"permission": "", "bases": []}, ["bases", "permission"]),
        (RevenueGap, GAP, {"detail": "x" * 501, "remedy_url": ""}, ["detail", "remedy_url"]),
        (RevenueCursor, {"text": "{}"}, {"text": ""}, ["text"]),
        (RevenueCursor, {"text": "{}"}, {"text": "x" * 4001}, ["text"]),
    ],
)
def test_what_belongs_to_a_fact_has_its_limits_too(
    kind: Any, right: dict[str, Any], wrong: dict[str, Any], paths: list[str]
) -> None:
    kind(**right)
    with pytest.raises(ValidationFailed) as raised:
        kind(**right | wrong)
    assert [issue["path"] for issue in raised.value.issues] == paths


def test_a_fact_s_parts_and_rate_are_what_they_are_said_to_be() -> None:
    assert refused(kind="gift") == ["kind"]
    assert refused(rate=1.1) == ["rate"]
    assert refused(minor_digits=5) == ["minor_digits"]
    assert refused(minor_digits=True) == ["minor_digits"]
    assert refused(parts=[PART]) == ["parts"]
    assert refused(parts=[RevenuePart(**PART)] * (MAX_PARTS + 1)) == ["parts"]


def test_a_service_may_take_fifty_years() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    part = RevenuePart(**PART | {"until": start + timedelta(days=366 * 50)})
    cells = month_cells([part], 2)
    assert sum(cell[1] for cell in cells.values()) == 50_000


def test_decimals_are_those_of_iso_4217_unless_the_provider_says_otherwise() -> None:
    digits = [("usd", 2), ("jpy", 0), ("kwd", 3), ("isk", 0), ("xyz", 2)]
    assert [(each, fact_in(each).digits) for each, _ in digits] == digits
    assert fact_in("isk", minor_digits=2).digits == 2


def fact_in(currency: str, **values: object) -> RevenueFact:
    return invoice("in_1", currency=currency, **values)
