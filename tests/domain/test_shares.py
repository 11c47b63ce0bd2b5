"""Shares that add up, by weights and over months."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from nullspend_margins.domain.period import Period, microseconds_between
from nullspend_margins.domain.shares import month_shares, split_amount

AMOUNTS = st.integers(-(2**53), 2**53)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(AMOUNTS, st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=40))
def test_shares_add_up_and_none_is_off_by_one_or_more(total: int, weights: list[int]) -> None:
    assume(sum(weights))
    found = split_amount(total, weights)
    assert sum(found) == total
    for share, weight in zip(found, weights, strict=True):
        assert abs(share - Fraction(total) * weight / sum(weights)) < 1


@given(AMOUNTS, st.lists(st.integers(0, 2**53), min_size=1, max_size=40))
def test_what_is_taken_back_mirrors_what_was_given(total: int, weights: list[int]) -> None:
    assume(sum(weights))
    assert split_amount(-total, weights) == [-share for share in split_amount(total, weights)]


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),  # the earlier one on a tie
        (-100, [1, 1, 1], [-34, -33, -33]),
        (101, [1, 1, 1], [34, 34, 33]),
        (10, [5], [10]),
        (0, [3, 4], [0, 0]),
        (100, [150, -50], [150, -50]),
        (50, [-100, -100], [25, 25]),
        (7, [0, 1], [0, 7]),
    ],
)
def test_largest_remainder(total: int, weights: list[int], shares: list[int]) -> None:
    assert split_amount(total, weights) == shares


@pytest.mark.parametrize("weights", [[], [0, 0], [5, -5]])
def test_weights_of_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="add up to nothing"):
        split_amount(1, weights)


@given(AMOUNTS, MOMENTS, st.integers(0, 4 * 366 * 86_400))
def test_months_add_up_and_have_their_seconds(total: int, start: datetime, seconds: int) -> None:
    end = start + timedelta(seconds=seconds)
    found = month_shares(total, start, end)
    assert sum(share for _, share in found) == total
    months = [month for month, _ in found]
    assert months == [*range(months[0], months[0] + len(months))]
    assert months[0] == Period.containing(start).index
    for month, share in found if seconds else ():
        time = min(end, Period(month).end) - max(start, Period(month).start)
        assert abs(share - Fraction(total) * Fraction(time / timedelta(seconds=1)) / seconds) < 1


@given(AMOUNTS, MOMENTS, st.integers(1, 62 * 86_400 * 10**6))
@example(1, datetime(2026, 1, 31, 12, tzinfo=UTC), 86_400 * 10**6)  # halves: the first has it
@example(-1, datetime(2026, 1, 31, 12, tzinfo=UTC), 86_400 * 10**6)
@example(-3, datetime(2026, 1, 31, 18, tzinfo=UTC), 86_400 * 10**6)
@example(3, datetime(2026, 1, 31, 6, tzinfo=UTC), 86_400 * 10**6)
def test_any_number_of_months_is_split_by_their_times(
    total: int, start: datetime, microseconds: int
) -> None:
    end = start + timedelta(microseconds=microseconds)
    periods = [Period.containing(start)]
    while periods[-1].end < end:
        periods.append(periods[-1].shift(1))
    times = [(min(end, each.end) - max(start, each.start)) for each in periods]
    shares = split_amount(total, [time // timedelta(microseconds=1) for time in times])
    assert month_shares(total, start, end) == [
        (period.index, share) for period, share in zip(periods, shares, strict=True)
    ]


def test_a_year_from_the_middle_of_january() -> None:
    found = month_shares(
        120_000, datetime(2026, 1, 15, tzinfo=UTC), datetime(2027, 1, 15, tzinfo=UTC)
    )
    assert [(str(Period(month)), share) for month, share in found] == [
        ("2026-01", 5589),  # 17 days of 365
        ("2026-02", 9205),
        ("2026-03", 10192),
        ("2026-04", 9863),
        ("2026-05", 10192),
        ("2026-06", 9863),
        ("2026-07", 10192),
        ("2026-08", 10192),
        ("2026-09", 9863),
        ("2026-10", 10192),
        ("2026-11", 9863),
        ("2026-12", 10192),
        ("2027-01", 4602),
    ]


@pytest.mark.parametrize("seconds", [None, 0, -5, 1, 86_400])
def test_a_point_and_a_day_are_of_one_month(seconds: int | None) -> None:
    start = datetime(2026, 1, 30, tzinfo=UTC)
    end = None if seconds is None else start + timedelta(seconds=seconds)
    assert month_shares(7, start, end) == [(Period.parse("2026-01").index, 7)]


def test_a_month_is_its_own_up_to_its_last_instant() -> None:
    start = datetime(2026, 2, 1, tzinfo=UTC)
    assert len(month_shares(5, start, datetime(2026, 3, 1, tzinfo=UTC))) == 1
    assert len(month_shares(5, start, datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC))) == 2


def test_the_two_hours_that_a_zones_clocks_show_twice_are_told_apart() -> None:
    """They are equal in Python, and an hour apart."""
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    second = first.replace(fold=1)
    assert first == second
    assert microseconds_between(first, second) == 3_600_000_000
    end = datetime(2026, 11, 2, tzinfo=UTC)
    [(_, earlier), _], [(_, later), _] = (
        month_shares(10**9, start, end) for start in (first, second)
    )
    assert earlier > later
