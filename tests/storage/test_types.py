"""How instants are spelled in SQLite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nullspend_margins.storage.types import instant_text

OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.integers(86_400 * 10**6, 253_000_000_000 * 10**6).flatmap(
    lambda ticks: OFFSETS.map(
        lambda zone: (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=ticks)).astimezone(
            zone
        )
    )
)


@given(moment=MOMENTS)
@example(moment=datetime(2026, 11, 1, tzinfo=UTC))
@example(moment=datetime(2026, 11, 1, 0, 0, 0, 1, tzinfo=UTC))
@example(moment=datetime(2026, 11, 1, 0, 0, 0, 100_000, tzinfo=UTC))
def test_an_instant_is_always_as_long_and_in_utc(moment: datetime) -> None:
    text = instant_text(moment)
    assert text == moment.astimezone(UTC).isoformat("T", "microseconds")
    assert len(text) == 32


def test_a_moment_without_a_time_zone_names_no_instant() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        instant_text(datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None))


class OthersDatetime(datetime):
    """As libraries of times and of test clocks have them."""


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=45))])
@pytest.mark.parametrize("microsecond", [0, 1])
def test_a_subclass_of_datetime_is_spelled_like_any_other(zone: timezone, microsecond: int) -> None:
    moment = datetime(2026, 11, 1, 9, 30, 0, microsecond, tzinfo=zone)
    others = OthersDatetime(2026, 11, 1, 9, 30, 0, microsecond, tzinfo=zone)
    assert instant_text(others) == instant_text(moment)
