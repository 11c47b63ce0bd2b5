"""Figures beside others."""

from nullspend_margins.dashboard.charts import MonthPoint
from nullspend_margins.dashboard.comparing import Change, ModelRow, change, model_rows, month_change
from nullspend_margins.domain.period import Period

OCTOBER, NOVEMBER = Period.parse("2026-10"), Period.parse("2026-11")


def test_a_change_is_told_in_dollars_and_as_a_part_of_what_was() -> None:
    assert change(150, 100) == Change(50, 50_00)
    assert change(0, 3) == Change(-3, -100_00)
    assert change(4, 3) == Change(1, 33_33)


def test_a_part_of_nothing_or_of_a_loss_tells_nothing() -> None:
    assert change(5, 0) == Change(5, None)
    assert change(5, -5) == Change(10, None)
    assert change(-5, 5) == Change(-10, None)


def test_margins_differ_by_percentage_points() -> None:
    found = month_change(MonthPoint(NOVEMBER, 100, 113), MonthPoint(OCTOBER, 100, 77))
    assert found.points == -36_00
    assert (found.revenue.amount, found.cost.amount, found.margin.amount) == (0, 36, -36)
    assert found.before.period == OCTOBER


def test_without_revenue_there_are_no_points_to_tell() -> None:
    some, none = MonthPoint(NOVEMBER, 100, 50), MonthPoint(OCTOBER, 0, 50)
    assert month_change(some, none).points is None
    assert month_change(none, some).points is None


def test_models_are_told_with_their_share_and_what_a_request_costs() -> None:
    assert model_rows([("big", 3_000, 2), ("small", 1_000, 3), ("free", 0, 0)]) == [
        ModelRow("big", 3_000, 2, 75_00, "75.00", 1_500),
        ModelRow("small", 1_000, 3, 25_00, "25.00", 333),
        ModelRow("free", 0, 0, 0, "0.00", None),
    ]


def test_credits_have_no_bar_and_a_total_of_nothing_no_shares() -> None:
    assert model_rows([("big", 5, 1), ("credit", -5, 1)]) == [
        ModelRow("big", 5, 1, None, "100.00", 5),
        ModelRow("credit", -5, 1, None, "0.00", -5),
    ]
    assert model_rows([]) == []
