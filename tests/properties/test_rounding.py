"""Rounding: one rule, exact for integers of any size, and what is rounded adds up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from nullspend_margins.domain.health import HealthThresholds, HealthTier
from nullspend_margins.domain.margin import (
    customer_margin,
    health_tier,
    margin_hundredths,
    projected_hundredths,
    spark_hundredths,
    summarize,
)
from nullspend_margins.domain.money import (
    format_dollars,
    format_hundredths,
    round_half_up,
    round_to_microdollars,
    split_microdollars,
    to_microdollars,
)
from nullspend_margins.web.wire.base import encode, percent
from tests.properties import arithmetic
from tests.properties.arithmetic import Thresholds
from tests.properties.profile import examples

HUGE = 10**40
numbers = st.one_of(
    st.integers(-20_000, 20_000),
    st.integers(2**53 - 3, 2**53 + 3),
    st.integers(-(2**63) - 3, -(2**63) + 3),
    st.integers(-HUGE, HUGE),
)
"""Beyond 2^53 a float is not exact, beyond 2^63 a column is not."""
revenues = st.one_of(st.integers(-3, 6).map(lambda cents: cents * 10_000), numbers)
percents = st.fractions(-500, 100, max_denominator=100)
thresholds = st.lists(percents, min_size=3, max_size=3).map(
    lambda three: Thresholds(*sorted(three, reverse=True))
)


def settings_of(wanted: Thresholds) -> HealthThresholds:
    return HealthThresholds(**wanted._asdict())


@examples(300)
@given(numbers, st.integers(1, HUGE))
def test_a_quotient_is_rounded_to_the_nearest_and_halves_up(above: int, below: int) -> None:
    assert round_half_up(above, below) == arithmetic.rounded(Fraction(above, below))


@examples(300)
@given(numbers, st.integers(1, HUGE))
def test_exactly_a_half_goes_up_for_gains_and_losses_alike(whole: int, half: int) -> None:
    assert round_half_up(whole * 2 * half + half, 2 * half) == whole + 1
    assert round_half_up(whole * 2 * half + half - 1, 2 * half) == whole
    assert round_half_up(whole * 2 * half - half, 2 * half) == whole


@examples(300)
@given(st.lists(numbers, max_size=6), numbers)
def test_a_cell_of_cost_is_rounded_once(cells: list[int], whole: int) -> None:
    expected = [arithmetic.rounded(Fraction(cell, 1_000)) for cell in cells]
    assert [to_microdollars(cell) for cell in cells] == expected
    assert [*round_to_microdollars(cells)] == expected
    assert to_microdollars(1_000 * whole + 500) == whole + 1
    assert to_microdollars(1_000 * whole + 499) == whole
    assert to_microdollars(1_000 * whole - 500) == whole
    assert to_microdollars(1_000 * whole - 501) == whole - 1


@examples(300)
@given(st.lists(numbers, max_size=12))
@example([500])
@example([-500, -500])
@example([999, 1, 1])
def test_parts_are_beside_their_exact_values_and_add_up_to_the_total(parts: list[int]) -> None:
    rounded = split_microdollars(parts)
    assert sum(rounded) == arithmetic.rounded(Fraction(sum(parts), 1_000))
    bumped = [whole - part // 1_000 for whole, part in zip(rounded, parts, strict=True)]
    assert set(bumped) <= {0, 1}
    order = sorted(range(len(parts)), key=lambda index: (-(parts[index] % 1_000), index))
    assert {index for index, up in enumerate(bumped) if up} == set(order[: sum(bumped)])


@examples(300)
@given(st.lists(numbers, max_size=12).map(lambda parts: sorted(parts, reverse=True)))
def test_rounding_never_turns_an_order_around(parts: list[int]) -> None:
    rounded = split_microdollars(parts)
    assert rounded == sorted(rounded, reverse=True)


@examples(300)
@given(numbers, st.integers(-HUGE, HUGE))
def test_dollars_have_two_decimals_halves_up(microdollars: int, cents: int) -> None:
    assert format_dollars(microdollars) == arithmetic.two_decimals(Fraction(microdollars, 10_000))
    assert Decimal(format_dollars(cents * 10_000 + 5_000)) == Decimal(f"{cents + 1}e-2")
    assert Decimal(format_dollars(cents * 10_000 + 4_999)) == Decimal(f"{cents}e-2")
    assert Decimal(format_dollars(cents * 10_000 - 5_000)) == Decimal(f"{cents}e-2")
    assert Decimal(format_hundredths(cents)) == Decimal(f"{cents}e-2")
    assert not format_dollars(-5_000).startswith("-")


@examples(300)
@given(revenues, numbers, thresholds)
def test_percent_tier_and_sparkline_are_those_of_exact_fractions(
    revenue: int, cost: int, wanted: Thresholds
) -> None:
    exact = arithmetic.percent(revenue, cost)
    assert margin_hundredths(revenue, cost) == arithmetic.hundredths(exact)
    assert spark_hundredths(revenue, cost) == arithmetic.spark(revenue, cost)
    found = health_tier(revenue, cost, settings_of(wanted))
    assert found.wire_name == arithmetic.tier(revenue, cost, wanted)


@examples(300)
@given(st.integers(1, HUGE), st.integers(-HUGE, 10_000))
def test_exactly_half_of_a_hundredth_percent_goes_up(units: int, wanted: int) -> None:
    """Of 20,000 units of revenue one is half of a hundredth of a percent."""
    revenue = 20_000 * units
    cost = revenue - (2 * wanted + 1) * units
    assert margin_hundredths(revenue, cost) == wanted + 1
    assert margin_hundredths(revenue, cost + 1) == wanted
    assert margin_hundredths(revenue, cost - 1) == wanted + 1


@examples(300)
@given(st.integers(1, HUGE), thresholds)
def test_a_tier_begins_exactly_at_its_threshold(units: int, wanted: Thresholds) -> None:
    for name, least in wanted._asdict().items():
        revenue = 100 * least.denominator * units
        cost = revenue - least.numerator * units
        ranks = [HealthTier[name.upper()] <= health_tier(revenue, spent, settings_of(wanted))
                 for spent in (cost, cost + 1)]  # fmt: skip
        assert ranks == [True, False]


@examples(300)
@given(st.lists(numbers, min_size=3, max_size=3))
def test_the_projection_is_the_least_squares_line(points: list[int]) -> None:
    assert projected_hundredths(*points) == arithmetic.one_month_on(points)


amounts = st.lists(st.tuples(revenues, numbers), min_size=3, max_size=3)


@examples(300)
@given(amounts, thresholds)
def test_a_row_is_the_models_row_whatever_its_size(
    months: list[tuple[int, int]], wanted: Thresholds
) -> None:
    earned, spent = zip(*months, strict=True)
    row = customer_margin("acme", list(earned), list(spent), settings_of(wanted))
    expected = expected_row(months, wanted)
    assert (row.percent, row.tier.wire_name, row.margin) == expected[:3]
    assert (row.sparkline, row.projected, row.projected_tier_worsening) == expected[3:6]
    assert row.budget_suggestion == expected[6]


def expected_row(months: Sequence[tuple[int, int]], wanted: Thresholds) -> tuple[object, ...]:
    revenue, cost = months[-1]
    points = tuple(arithmetic.spark(*month) for month in months)
    tier = arithmetic.tier(revenue, cost, wanted)
    projected, worsening, budget = None, False, None
    if all(earned or spent for earned, spent in months):
        projected = arithmetic.one_month_on(points)
        then = arithmetic.tier_of_percent(Fraction(projected, 100), wanted)
        worsening = arithmetic.SEVERITY.index(then) < arithmetic.SEVERITY.index(tier)
    if tier == "critical" and revenue > 0:
        budget = arithmetic.rounded(revenue * (1 - wanted.healthy / 100))
    percent_now = arithmetic.hundredths(arithmetic.percent(revenue, cost))
    return percent_now, tier, revenue - cost, points, projected, worsening, budget


@examples(200)
@given(st.lists(st.tuples(revenues, numbers), max_size=15), thresholds)
def test_totals_are_the_sums_of_the_rows(pairs: list[tuple[int, int]], wanted: Thresholds) -> None:
    settings = settings_of(wanted)
    rows = [
        customer_margin("a", [0, 0, earned], [0, 0, spent], settings) for earned, spent in pairs
    ]
    summary = summarize(rows)
    revenue, cost = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    assert (summary.revenue, summary.cost) == (revenue, cost)
    assert summary.revenue - summary.cost == sum(row.margin for row in rows)
    assert summary.blended_percent == arithmetic.hundredths(arithmetic.percent(revenue, cost))
    names = [arithmetic.tier(*pair, wanted) for pair in pairs]
    assert summary.critical_count == names.count("critical")
    assert summary.at_risk_count == names.count("at_risk")


@examples(300)
@given(st.one_of(st.integers(-10_000, 10_000), st.integers(-(10**15), 10**15)))
def test_a_percent_is_written_with_just_its_two_decimals(hundredths: int) -> None:
    text = encode(percent(hundredths)).decode()
    assert Decimal(text) == Decimal(hundredths) / 100
    assert json.loads(text) == arithmetic.as_json(hundredths)
    assert "." not in text or hundredths % 100


@examples(200)
@given(numbers)
def test_money_beyond_what_floats_and_columns_hold_is_written_to_the_last_digit(
    microdollars: int,
) -> None:
    assert encode(microdollars).decode() == str(microdollars)
    assert abs(Fraction(format_dollars(microdollars)) * 1_000_000 - microdollars) <= 5_000
