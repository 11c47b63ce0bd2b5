"""Which revenue a fact is in which month, and what other currencies are worth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nullspend_margins.domain.currency import converted, minor_digits_of
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.recognition import (
    MAX_MICRODOLLARS,
    Conversion,
    MonthCells,
    month_cells,
    part_shares,
    recognized,
    unconverted_cells,
)
from nullspend_margins.domain.revenue import RevenueFact
from nullspend_margins.domain.revenue_part import (
    BASES,
    MAX_COUNTED_CENTS,
    MAX_MINOR_AMOUNT,
    ExchangeRate,
    RevenuePart,
)
from nullspend_margins.errors import ValidationFailed

JANUARY, FEBRUARY, MARCH = (Period.parse(f"2026-0{month}") for month in (1, 2, 3))
CONFIGURED = Conversion(is_on=True, rates={"eur": {JANUARY: Decimal("1.1"), MARCH: Decimal("1.3")}})
STRIPES = ExchangeRate(value=Decimal("1.0765"), source="stripe", on=date(2026, 1, 3))


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


def part(amount: int = 100, **values: Any) -> RevenuePart:
    return RevenuePart(
        **{"bases": BASES, "kind": "invoice", "amount_minor": amount, "occurred_at": at(1, 10)}
        | values
    )


def fact(*parts: RevenuePart, **values: Any) -> RevenueFact:
    return RevenueFact(
        **{
            "object_id": "in_1",
            "customer_id": "cus_1",
            "amount_minor": 100,
            "currency": "usd",
            "occurred_at": at(1, 10),
            "parts": parts or None,
        }
        | values
    )


def test_without_parts_an_object_is_revenue_by_every_basis_at_once() -> None:
    found = recognized(fact(), Conversion())
    assert found is not None
    assert month_cells(found, 2) == {JANUARY.index: [1_000_000] * 4}


def test_parts_add_to_their_bases_in_their_months() -> None:
    parts = [
        part(1200, bases=["invoiced"]),
        part(1000, bases=["cash", "net"], occurred_at=at(2, 5)),
        part(-167, bases=["net"], kind="tax", occurred_at=at(2, 5)),
        part(590, bases=["accrual"], kind="line", occurred_at=at(1, 1), until=at(3, 1)),
    ]
    assert month_cells(parts, 2) == {
        JANUARY.index: [12_000_000, 0, 0, 3_100_000],
        FEBRUARY.index: [0, 10_000_000, 8_330_000, 2_800_000],
    }


def test_nobody_s_and_foreign_revenue_is_not_counted_unless_it_is_converted() -> None:
    assert recognized(fact(customer_id=None), CONFIGURED) is None
    assert recognized(fact(currency="eur"), Conversion()) is None
    assert recognized(fact(currency="eur", rate=STRIPES), Conversion()) is None
    assert recognized(fact(currency="sek"), CONFIGURED) is None
    assert unconverted_cells(fact(currency="eur").all_parts) == {JANUARY.index: [100] * 4}


def test_the_provider_s_rate_goes_before_the_operator_s_and_a_part_s_before_the_fact_s() -> None:
    own = ExchangeRate(value=Decimal(2), source="stripe", on=date(2026, 1, 9))
    found = recognized(fact(part(), part(rate=own), currency="eur", rate=STRIPES), CONFIGURED)
    assert found is not None
    assert [each.rate for each in found] == [STRIPES, own]
    assert month_cells(found, 2)[JANUARY.index][0] == 1_076_500 + 2_000_000


def test_the_operator_s_rate_is_that_of_the_part_s_month() -> None:
    service = part(kind="line", occurred_at=at(3, 1), until=at(3, 2))
    parts = [part(), part(occurred_at=at(3, 2)), part(occurred_at=at(2, 2)), service]
    found = recognized(fact(*parts, currency="eur"), CONFIGURED)
    assert found is not None
    # February has none, and a service is converted where it was invoiced.
    assert [str(each.rate.value) for each in found if each.rate] == ["1.1", "1.3", "1.1", "1.1"]
    rate = found[1].rate
    assert rate is not None
    assert (rate.source, rate.on) == ("configuration", date(2026, 3, 1))


def test_one_part_that_cannot_be_converted_leaves_the_whole_out() -> None:
    parts = [part(occurred_at=at(3, 2)), part(occurred_at=at(2, 2))]
    late = fact(*parts, currency="eur", occurred_at=at(2, 1))
    assert recognized(late, CONFIGURED) is None


@pytest.mark.parametrize(
    ("currency", "amount", "digits", "rate", "microdollars"),
    [
        ("jpy", 1000, 0, "0.0066", 6_600_000),
        ("kwd", 1234, 3, "3.25", 4_010_500),
        ("eur", 1, 2, "1.00005", 10_001),  # 10,000.5: half up
        ("eur", 1, 2, "1.00004", 10_000),
        ("clf", 10_000, 4, "40", 40_000_000),
    ],
)
def test_amounts_are_in_the_minor_unit_of_their_currency(
    currency: str, amount: int, digits: int, rate: str, microdollars: int
) -> None:
    assert minor_digits_of(currency) == digits
    assert converted(amount, digits, Decimal(rate)) == microdollars
    whole = ExchangeRate(value=Decimal(rate), source="x", on=date(2026, 1, 1))
    for sign in (1, -1):  # what is taken back mirrors what was given
        [share] = part_shares(part(sign * amount, rate=whole), digits)
        assert share.microdollars == sign * microdollars


@given(
    st.integers(-(10**12), 10**12),
    st.integers(0, 1200),
    st.decimals("0.0001", 500, places=4),
    st.sampled_from([0, 2, 3]),
)
def test_converted_shares_add_up_to_the_converted_whole(
    amount: int, days: int, rate: Decimal, digits: int
) -> None:
    until = datetime.fromordinal(at(1, 10).toordinal() + days).replace(tzinfo=UTC)
    own = ExchangeRate(value=rate, source="stripe", on=date(2026, 1, 1))
    exact = Fraction(rate) * amount * 1_000_000 / 10**digits
    assume(abs(exact) < MAX_MICRODOLLARS)  # more is refused
    found = part_shares(part(amount, until=until, rate=own), digits)
    assert sum(share.amount_minor for share in found) == amount
    assert abs(sum(share.microdollars for share in found) - exact) <= Fraction(1, 2)
    for share in found:
        own_worth = Fraction(rate) * share.amount_minor * 1_000_000 / 10**digits
        assert abs(share.microdollars - own_worth) <= 1


def test_more_than_a_cell_can_hold_is_refused() -> None:
    dear = ExchangeRate(value=Decimal(10**6), source="x", on=date(2026, 1, 1))
    with pytest.raises(ValidationFailed, match=r"9\.2 trillion"):
        part_shares(part(10**14, rate=dear), 2)


@pytest.mark.parametrize("cells", [lambda parts: month_cells(parts, 2), unconverted_cells])
@pytest.mark.parametrize("sign", [1, -1])
def test_parts_that_together_are_more_than_a_cell_can_hold_are_refused(
    cells: Callable[[list[RevenuePart]], MonthCells], sign: int
) -> None:
    many = [part(sign * MAX_MINOR_AMOUNT)] * 10_001
    with pytest.raises(ValidationFailed, match=r"9\.2 trillion"):
        cells(many)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_basis_that_a_part_names_twice_is_held_to_the_limit_too(sign: int) -> None:
    half = sign * (MAX_COUNTED_CENTS // 2)
    assert month_cells([part(half, bases=["net", "net"])], 2) == {
        JANUARY.index: [0, 0, 2 * half * 10_000, 0]
    }
    with pytest.raises(ValidationFailed, match=r"9\.2 trillion"):
        month_cells([part(half + sign, bases=["net", "net"])], 2)
