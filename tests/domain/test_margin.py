"""Percents, tiers, projections, budgets and the order of the table."""

from fractions import Fraction

import pytest
from hypothesis import given
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

DEFAULT = HealthThresholds()
amounts = st.integers(0, 10**15)


@given(amounts.filter(bool), amounts)
def test_percent_is_exact_and_rounded_half_up(revenue: int, cost: int) -> None:
    exact = Fraction(revenue - cost, revenue) * 100_00
    assert 0 <= margin_hundredths(revenue, cost) - exact + Fraction(1, 2) <= 1
    assert margin_hundredths(revenue, cost) - exact <= Fraction(1, 2)
    assert exact - margin_hundredths(revenue, cost) < Fraction(1, 2)


@pytest.mark.parametrize(
    ("revenue", "cost", "tier"),
    [
        (100, 50, HealthTier.HEALTHY),
        (100, 51, HealthTier.MODERATE),
        (100, 80, HealthTier.MODERATE),
        (100, 81, HealthTier.AT_RISK),
        (100, 100, HealthTier.AT_RISK),
        (100, 101, HealthTier.CRITICAL),
        (0, 0, HealthTier.AT_RISK),
        (0, 1, HealthTier.CRITICAL),
        (10**9, 5 * 10**8 + 1, HealthTier.MODERATE),  # 49.9999999 % shows as 50 and is not
        (10**9, 10**9 + 1, HealthTier.CRITICAL),  # shows as 0 and is a loss
    ],
)
def test_the_tier_comes_from_the_unrounded_percent(
    revenue: int, cost: int, tier: HealthTier
) -> None:
    assert health_tier(revenue, cost, DEFAULT) is tier


def test_cost_without_revenue_shows_zero_percent_and_is_critical() -> None:
    row = customer_margin("acme", [0, 0, 0], [0, 0, 7], DEFAULT)
    assert (row.percent, row.tier) == (0, HealthTier.CRITICAL)
    assert row.sparkline == (0, 0, -100_00)
    assert row.budget_suggestion is None
    assert row.projected is None


@given(st.lists(st.integers(-(10**9), 10**4), min_size=3, max_size=3))
def test_the_projection_is_the_least_squares_line_one_month_on(points: list[int]) -> None:
    mean_y = Fraction(sum(points), 3)
    slope = sum((x - 1) * (y - mean_y) for x, y in enumerate(points)) / Fraction(2)
    exact = mean_y + slope * 2
    assert -Fraction(1, 2) < projected_hundredths(*points) - exact <= Fraction(1, 2)


def test_projection_needs_three_months_with_revenue_or_cost() -> None:
    whole = customer_margin("a", [10, 0, 10], [1, 5, 1], DEFAULT)
    assert whole.projected == projected_hundredths(90_00, -100_00, 90_00)
    gap = customer_margin("a", [10, 0, 10], [1, 0, 1], DEFAULT)
    assert gap.projected is None
    assert not gap.projected_tier_worsening


def test_a_projection_into_a_worse_tier_is_a_warning() -> None:
    falling = customer_margin("a", [100, 100, 100], [10, 30, 49], DEFAULT)
    assert falling.tier is HealthTier.HEALTHY
    assert falling.projected_tier_worsening
    rising = customer_margin("a", [100, 100, 100], [60, 50, 30], DEFAULT)
    assert not rising.projected_tier_worsening


def test_a_critical_customer_with_revenue_gets_a_budget_at_which_it_is_healthy() -> None:
    row = customer_margin("a", [0, 0, 101], [0, 0, 500], DEFAULT)
    assert row.budget_suggestion == 51
    strict = HealthThresholds(healthy=Fraction(70), moderate=Fraction(20), at_risk=Fraction(0))
    assert customer_margin("a", [0, 0, 100], [0, 0, 500], strict).budget_suggestion == 30


def test_a_month_with_revenue_and_no_cost_is_a_hundred_percent() -> None:
    assert spark_hundredths(5, 0) == 100_00
    assert spark_hundredths(0, 0) == 0


def test_the_worst_comes_first_and_ties_go_by_severity_then_code_point() -> None:
    rows = [
        customer_margin("b", [0, 0, 10], [0, 0, 10], DEFAULT),
        customer_margin("a", [0, 0, 10], [0, 0, 10], DEFAULT),
        customer_margin("z", [0, 0, 0], [0, 0, 10], DEFAULT),
        customer_margin("Z", [0, 0, 10], [0, 0, 1], DEFAULT),
        customer_margin("y", [0, 0, 10], [0, 0, 100], DEFAULT),
    ]
    ordered = [row.tag_value for row in sorted(rows, key=lambda row: row.sort_key)]
    assert ordered == ["y", "z", "a", "b", "Z"]


@given(st.lists(st.tuples(amounts, amounts), max_size=20))
def test_totals_are_the_sums_of_the_rows_shown(pairs: list[tuple[int, int]]) -> None:
    rows = [
        customer_margin(str(index), [0, 0, revenue], [0, 0, cost], DEFAULT)
        for index, (revenue, cost) in enumerate(pairs)
    ]
    summary = summarize(rows)
    assert summary.revenue == sum(row.revenue for row in rows)
    assert summary.cost == sum(row.cost for row in rows)
    assert summary.revenue - summary.cost == sum(row.margin for row in rows)
    assert summary.critical_count == sum(row.tier is HealthTier.CRITICAL for row in rows)
