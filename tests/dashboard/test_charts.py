"""Where bars, lines and ticks go, whatever the amounts."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.dashboard.charts import MonthChart, MonthPoint, day_chart, month_chart
from nullspend_margins.dashboard.charts.scale import Scale, Slots, round_step, round_ticks
from nullspend_margins.domain.health import HealthThresholds
from nullspend_margins.domain.period import Period, day_number

NOVEMBER = Period.parse("2026-11")
DOLLAR = 1_000_000
TIERS = HealthThresholds()
amounts = st.integers(-(10**16), 10**16)


def chart(*months: tuple[int, int], **options: object) -> MonthChart:
    """Of (revenue, cost) in dollars, the last in November."""
    first = NOVEMBER.shift(1 - len(months))
    points = [
        MonthPoint(first.shift(after), revenue * DOLLAR, cost * DOLLAR)
        for after, (revenue, cost) in enumerate(months)
    ]
    return month_chart(points, TIERS, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("span", "at_most", "step"),
    [(0, 4, 1), (1, 4, 1), (4, 4, 1), (5, 4, 2), (9, 4, 5), (21, 4, 10), (249, 4, 100)],
)  # fmt: skip
def test_steps_are_one_two_and_five(span: int, at_most: int, step: int) -> None:
    assert round_step(span, at_most) == step


def test_steps_are_no_finer_than_asked_for() -> None:
    assert round_step(3, 4, least=10_000) == 10_000


@given(amounts, amounts, st.integers(2, 8))
def test_ticks_are_even_round_and_reach_from_end_to_end(one: int, other: int, steps: int) -> None:
    lowest, highest = sorted([one, other])
    found = round_ticks(lowest, highest, steps)
    gaps = {high - low for low, high in pairwise(found)}
    assert len(gaps) == 1
    assert str(gaps.pop()).rstrip("0") in {"1", "2", "5"}
    assert found[0] <= lowest <= highest <= found[-1]
    assert 0 in found
    assert len(found) <= steps + 3


@given(st.integers(-1000, 1000), st.integers(1, 1000), amounts)
def test_a_scale_keeps_everything_between_its_edges(low: int, size: int, value: int) -> None:
    scale = Scale(low, low + size, 10, 110)
    assert scale.y(low + size) == "10.00"
    assert scale.y(low) == "110.00"
    assert 10_00 <= scale.at(value) <= 110_00
    assert scale.covers(value) is (low <= value <= low + size)


def test_bars_grow_from_zero_in_both_directions() -> None:
    scale = Scale(-100, 100, 0, 200)
    assert scale.bar(50) == ("50.00", "50.00")
    assert scale.bar(-50) == ("100.00", "50.00")
    assert scale.bar(0) == ("100.00", "0.00")


def test_what_is_not_nothing_can_be_seen() -> None:
    scale = Scale(-(10**9), 10**9, 0, 200)
    assert scale.bar(1) == ("99.00", "1.00")
    assert scale.bar(-1) == ("100.00", "1.00")


def test_slots_share_the_width() -> None:
    slots = Slots(3)
    assert [slots.x(0), slots.x(1), slots.x(2), slots.x(3)] == ["0.00", "33.33", "66.66", "100.00"]
    assert slots.x(1, 50) == "50.00"


def test_axes_have_round_values() -> None:
    found = chart((249, 150), (249, 281))
    assert [tick.value // DOLLAR for tick in found.money_ticks] == [300, 200, 100, 0]
    assert [tick.value for tick in found.margin_ticks] == [100_00, 50_00, 0, -50_00]


def test_money_that_was_given_back_is_below_the_line() -> None:
    found = chart((100, -20), (-50, 10))
    refunded = found.columns[1].revenue
    assert refunded is not None
    assert refunded.y == next(tick.y for tick in found.money_ticks if tick.value == 0)
    assert [tick.value // DOLLAR for tick in found.money_ticks] == [100, 50, 0, -50]


def test_a_month_without_revenue_breaks_the_line_and_has_no_dot() -> None:
    found = chart((100, 50), (0, 50), (100, 60), (100, 70))
    assert [column.dot is not None for column in found.columns] == [True, False, True, True]
    assert [column.tier for column in found.columns] == [
        "healthy", "critical", "moderate", "moderate",
    ]  # fmt: skip
    assert len(found.segments) == 1
    assert found.segments[0].x1 == found.columns[2].middle
    assert found.margin_ticks[-1].value == -50_00  # where such a month's tier is


def test_a_month_with_nothing_has_no_bars_and_no_tier() -> None:
    column = chart((0, 0), (1, 0)).columns[0]
    assert (column.revenue, column.cost, column.dot, column.tier) == (None, None, None, None)


def test_nothing_at_all_is_a_chart_too() -> None:
    found = chart((0, 0), (0, 0))
    assert not found.has_margin
    assert [tick.value for tick in found.money_ticks] == [10_000, 0]


@pytest.mark.parametrize(("cost", "at"), [(1_000, "margin_bottom"), (-1_000, "margin_top")])
def test_a_margin_beyond_the_axis_is_at_its_edge_and_says_so(cost: int, at: str) -> None:
    found = chart((1, cost), (1, 0))
    assert found.columns[0].beyond
    assert found.columns[0].dot == f"{getattr(found, at)}.00"
    assert not found.columns[1].beyond


def test_the_month_that_runs_is_marked() -> None:
    found = chart((1, 1), (1, 1), running=NOVEMBER)
    assert [column.is_running for column in found.columns] == [False, True]
    assert not any(column.is_running for column in chart((1, 1)).columns)


def test_the_trend_has_a_place_of_its_own_to_the_right() -> None:
    months = (100, 40), (100, 60), (100, 80)
    found, without = chart(*months, projected=-1_00), chart(*months)
    assert found.projection is not None
    assert found.projection.period == NOVEMBER.shift(1)
    assert found.projection.tier == "critical"
    assert found.projection.segment.x1 == found.columns[-1].middle
    assert (found.width, without.width) == ("25.00", "33.33")
    assert Decimal(found.projection.middle) > Decimal(found.columns[-1].middle)
    assert found.margin_ticks[-1].value == -50_00


def test_a_trend_goes_on_from_a_margin_alone() -> None:
    found = chart((100, 40), (100, 60), (0, 80), projected=-1_00)
    assert found.projection is None
    assert found.width == "33.33"


@given(
    st.fractions(60, 300),
    st.fractions(10, 50),
    st.fractions(-300, 5),
    st.integers(0, 500),
)
def test_bands_of_tiers_cover_the_axis_wherever_they_begin(
    healthy: Fraction, moderate: Fraction, at_risk: Fraction, cost: int
) -> None:
    tiers = HealthThresholds(healthy=healthy, moderate=moderate, at_risk=at_risk)
    found = month_chart([MonthPoint(NOVEMBER, 100 * DOLLAR, cost * DOLLAR)], tiers)
    at = Decimal(found.margin_top)
    for band in found.bands:
        assert Decimal(band.y) == at
        at += Decimal(band.height)
        assert Decimal(band.height) > 0
    assert at == found.margin_bottom


@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=12))
def test_everything_is_within_the_drawing(months: list[tuple[int, int]]) -> None:
    points = [MonthPoint(NOVEMBER.shift(at), *each) for at, each in enumerate(months)]
    found = month_chart(points, TIERS, running=NOVEMBER, projected=12_34)
    for column in found.columns:
        assert 0 <= Decimal(column.x) < Decimal(column.middle) <= 100
        for bar in (column.revenue, column.cost):
            if bar is not None:
                assert 0 <= Decimal(bar.x) < Decimal(bar.x) + Decimal(bar.width) <= 100
                assert found.money_top - 1 <= Decimal(bar.y)
                assert Decimal(bar.y) + Decimal(bar.height) <= found.money_bottom + 1
        if column.dot is not None:
            assert found.margin_top <= Decimal(column.dot) <= found.margin_bottom


def test_days_have_their_bars_and_those_to_come_are_open() -> None:
    third = day_number(date(2026, 11, 3))
    found = day_chart(NOVEMBER, {third: 25 * DOLLAR, third + 1: -DOLLAR}, date(2026, 11, 20))
    assert len(found.days) == 30
    assert [each.day.day for each in found.days if each.amount] == [3, 4]
    assert found.days[3].y == found.zero
    assert [each.day.day for each in found.days if each.is_open] == [*range(20, 31)]
    assert [tick.value // DOLLAR for tick in found.ticks] == [30, 20, 10, 0, -10]


def test_every_month_has_its_days() -> None:
    lengths = [
        len(day_chart(Period.parse(month), {}, date(2030, 1, 1)).days)
        for month in ("2026-02", "2028-02", "2026-04", "2026-12")
    ]
    assert lengths == [28, 29, 30, 31]
