"""Months and days in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from nullspend_margins.domain.period import Period, day_number, day_of
from nullspend_margins.errors import ValidationFailed


@pytest.mark.parametrize("text", ["2026-04", "1970-01", "9998-12"])
def test_a_calendar_month_reads_back_as_it_was_written(text: str) -> None:
    assert str(Period.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "2026", "2026-4", "2026-00", "2026-13", "26-04", "2026/04", "2026-04-01",
        "2026-04\n", " 2026-04", "1969-12", "9999-01", "٢٠٢٦-04", "-026-04", "2026-+4",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValidationFailed, match="YYYY-MM") as caught:
        Period.parse(text)
    assert caught.value.issues[0]["path"] == "period"


def test_a_moment_belongs_to_its_month_in_utc_whatever_its_offset() -> None:
    new_york = timezone(timedelta(hours=-5))
    assert str(Period.containing(datetime(2026, 3, 31, 22, 0, tzinfo=new_york))) == "2026-04"
    tokyo = timezone(timedelta(hours=9))
    assert str(Period.containing(datetime(2026, 4, 1, 3, 0, tzinfo=tokyo))) == "2026-03"


def test_a_moment_without_a_time_zone_names_no_month() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Period.containing(datetime(2026, 4, 1))  # noqa: DTZ001


def test_months_are_half_open_and_shift_across_years() -> None:
    december = Period.parse("2026-12")
    assert december.shift(1) == Period.parse("2027-01")
    assert december.shift(-12) == Period.parse("2025-12")
    assert december.start == datetime(2026, 12, 1, tzinfo=UTC)
    assert december.end == datetime(2027, 1, 1, tzinfo=UTC)
    assert Period.containing(december.end - timedelta(microseconds=1)) == december
    assert Period.containing(december.end) == Period.parse("2027-01")


def test_the_month_after_the_last_year_can_still_be_projected() -> None:
    assert str(Period.parse("9998-12").shift(1)) == "9999-01"


def test_a_day_number_gives_its_date_back() -> None:
    moment = datetime(2026, 3, 1, 0, 0, tzinfo=timezone(timedelta(hours=2)))
    assert day_of(day_number(moment)).isoformat() == "2026-02-28"
