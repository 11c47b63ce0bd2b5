"""What stands in a field is read exactly, or refused with a reason."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.domain.period import day_of
from nullspend_margins.importing.values import (
    MAX_COST,
    Misfit,
    cost_of,
    count_of,
    day_of_value,
    name_of,
    tags_of,
)

USD = 27
decimals = st.decimals(
    allow_nan=False, allow_infinity=False, places=9, min_value=-(10**9), max_value=10**9
)


@given(decimals, st.sampled_from(["{}", "{:f}", "{:e}", "{:E}", " {:f} "]))
def test_a_cost_is_exactly_what_is_written(value: Decimal, form: str) -> None:
    assert Fraction(cost_of(form.format(value), USD), 10**USD) == Fraction(value)


@given(decimals)
def test_a_cost_is_the_same_in_every_unit(value: Decimal) -> None:
    units = {27: 0, 25: 2, 21: 6, 18: 9}
    assert {cost_of(f"{value.scaleb(up):f}", places) for places, up in units.items()} == {
        cost_of(value, USD)
    }


@given(st.floats(-(10**6), 10**6))
def test_a_float_is_the_shortest_decimal_that_means_it(value: float) -> None:
    exact = Fraction(Decimal(repr(value)))
    assert abs(Fraction(cost_of(value, USD), 10**USD) - exact) <= Fraction(1, 2 * 10**USD)


@pytest.mark.parametrize(
    ("written", "nanodollars"),
    [
        ("1", 10**9),
        (".5", 5 * 10**8),
        ("+2.", 2 * 10**9),
        ("-1e-9", -1),
        ("1E+3", 10**12),
        (3, 3 * 10**9),
    ],
)
def test_numbers_are_taken_as_they_are_usually_written(written: object, nanodollars: int) -> None:
    assert cost_of(written, USD) == nanodollars * 10**18


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "is empty"),
        (None, "is empty"),
        ("1,234.50", "may be read in two ways"),
        ("1.234,50", "may be read in two ways"),
        ("1 234", "may be read in two ways"),
        ("1'234", "may be read in two ways"),
        ("$1.50", "has a currency in it"),
        ("1.50 USD", "has a currency in it"),
        ("(1.50)", "with a minus sign"),
        ("NaN", "is no number"),
        ("inf", "is no number"),
        (float("nan"), "is empty"),
        (float("inf"), "is no number"),
        ("1.2.3", "is no number"),
        ("0x10", "is no number"),
        ("١٢", "is no number"),
        ("\u22125", "is no number"),
        (".", "is no number"),
        ("1e9999", "is no number"),
        ("1e999", "more than a cost can be"),
        ("9" * 101, "is no number"),
        (True, "is no number"),
        ([1], "is no number"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_what_to_do(written: object, reason: str) -> None:
    with pytest.raises(Misfit, match=re.escape(reason)):
        cost_of(written, USD)


def test_the_largest_cost_is_the_largest_fact() -> None:
    assert cost_of(str(2**62), 18) == MAX_COST
    with pytest.raises(Misfit, match="more than a cost can be"):
        cost_of(str(2**62 + 1), 18)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-10-31", "2026-10-31"),
        (" 2026-10-31 ", "2026-10-31"),
        ("2026-10-31T23:59:59", "2026-10-31"),
        ("2026-10-31T23:59:59.999999999Z", "2026-10-31"),
        ("2026-10-31 23:59", "2026-10-31"),
        ("2026-10-31T23:59:59-01:00", "2026-11-01"),
        ("2026-11-01T00:30:00+0100", "2026-10-31"),
        ("2026-11-01 00:30:00 UTC", "2026-11-01"),
        (date(2026, 10, 31), "2026-10-31"),
        (datetime(2026, 10, 31, 23), "2026-10-31"),  # noqa: DTZ001 - what a table without zones has
        (datetime(2026, 10, 31, 23, tzinfo=timezone(timedelta(hours=-2))), "2026-11-01"),
        (datetime(2026, 10, 31, 23, tzinfo=UTC), "2026-10-31"),
    ],
)  # fmt: skip
def test_days_are_those_of_utc(written: object, day: str) -> None:
    assert str(day_of(day_of_value(written))) == day


@pytest.mark.parametrize(
    "written",
    ["", "31.10.2026", "10/31/2026", "20261031", "2026-13-01", "2026-02-30", "2026-10-31T25:00",
     "1767225600", "2026-W01-1", "1969-12-31", "9999-01-01", "0001-01-01T00:00+23:59", None, 5,
     True, 1.5],
)  # fmt: skip
def test_what_is_no_day_that_a_period_has_is_refused(written: object) -> None:
    with pytest.raises(Misfit):
        day_of_value(written)


def test_counts_are_whole_and_may_be_left_out() -> None:
    assert [count_of(each) for each in ("", None, "0", "12", 12, "3.0", 1e3)] == [
        0,
        0,
        0,
        12,
        12,
        3,
        1000,
    ]
    for wrong in ("1.5", "-1", "many", 2**53):
        with pytest.raises(Misfit):
            count_of(wrong)


def test_names_are_text_as_it_stands_there() -> None:
    assert [name_of(each, 10) for each in (" a ", 7, None, float("nan"))] == [" a ", "7", "", ""]
    for wrong in (True, 1.5, ["a"], "a\nb", "a" * 11, "\ud800"):
        with pytest.raises(Misfit):
            name_of(wrong, 10)


@pytest.mark.parametrize(
    "written",
    [
        '{"a": "b"}',
        {"a": "b"},
        [("a", "b")],
        '[["a", "b"]]',
        '[{"key": "a", "value": "b"}]',
        [{"key": "a", "value": "b", "namespace": "n"}],
    ],
)
def test_tags_are_json_or_mappings_or_pairs(written: object) -> None:
    assert tags_of(written) == {"a": "b"}


@pytest.mark.parametrize(
    "written",
    ["{", "[]x", '"a"', "5", 5, [1], ["a", "b", "c"], ["ab"], [{"a": 1, "b": 2}], [[1, "b"]]],
)
def test_what_is_no_set_of_tags_is_refused(written: object) -> None:
    with pytest.raises(Misfit):
        tags_of(written)


@pytest.mark.parametrize("written", [None, "", "null", "{}", {}, []])
def test_no_tags_are_no_problem(written: object) -> None:
    assert tags_of(written) == {}


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=9))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-9))),
    ],
)
def test_a_time_that_leads_out_of_the_years_that_there_are_is_refused(moment: datetime) -> None:
    with pytest.raises(Misfit, match="does not exist"):
        day_of_value(moment)
