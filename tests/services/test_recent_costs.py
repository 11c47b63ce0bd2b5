"""Since when costs are looked at for what is unmatched."""

from datetime import date, datetime, timedelta, timezone

from nullspend_margins.services.unmatched import recent_since


def test_it_is_a_day_in_utc_whatever_the_zone_of_the_clock() -> None:
    ahead = datetime(2026, 11, 20, 1, tzinfo=timezone(timedelta(hours=9)))
    assert recent_since(ahead) == date(2026, 8, 21)
    assert recent_since(ahead + timedelta(hours=8)) == date(2026, 8, 22)
