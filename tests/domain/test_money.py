"""Rounding, splitting and writing money."""

from decimal import ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.domain.money import (
    format_dollars,
    round_half_up,
    split_microdollars,
    to_microdollars,
)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 10, 1), (-5, 10, 0), (-6, 10, -1), (15, 10, 2), (-15, 10, -1), (14, 10, 1), (0, 7, 0)],
)
def test_halves_go_toward_plus_infinity(numerator: int, denominator: int, expected: int) -> None:
    assert round_half_up(numerator, denominator) == expected


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**20))
def test_rounding_is_exact_for_integers_of_any_size(numerator: int, denominator: int) -> None:
    rounded = round_half_up(numerator, denominator)
    assert -denominator <= 2 * (numerator - rounded * denominator) < denominator


@given(st.lists(st.integers(-(10**15), 10**15), max_size=30))
def test_rounded_parts_add_up_to_the_rounded_total(parts: list[int]) -> None:
    rounded = split_microdollars(parts)
    assert sum(rounded) == to_microdollars(sum(parts))
    assert all(abs(whole * 1000 - part) < 1000 for whole, part in zip(rounded, parts, strict=True))


def test_the_largest_remainder_gets_the_missing_microdollar() -> None:
    assert split_microdollars([1_400, 1_600, 1_500]) == [1, 2, 2]
    assert split_microdollars([400, 400, 400]) == [1, 0, 0]


@pytest.mark.parametrize(
    ("microdollars", "text"),
    [
        (0, "0.00"), (1_000_000, "1.00"), (4_999, "0.00"), (5_000, "0.01"), (-5_000, "0.00"),
        (-5_001, "-0.01"), (1_234_567_890_000, "1234567.89"), (-594_754_978, "-594.75"),
    ],
)  # fmt: skip
def test_dollars_have_two_decimals_half_up(microdollars: int, text: str) -> None:
    assert format_dollars(microdollars) == text


@given(st.integers(-(10**18), 10**18))
def test_dollars_agree_with_decimal_arithmetic(microdollars: int) -> None:
    cents = (Decimal(microdollars) / 10_000 + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
    assert Decimal(format_dollars(microdollars)) == cents / 100
