"""Whether a month is over: figures of one that is not will change."""

from __future__ import annotations

from datetime import datetime, timedelta

from nullspend_margins.domain.period import Period

_DAY = timedelta(days=1)


def month_state(period: Period, now: datetime) -> str | None:
    """``so far, 3 days left`` while it runs, today included; ``None`` when it is over."""
    if now >= period.end:
        return None
    if now < period.start:
        return "not begun yet"
    left = -(-(period.end - now) // _DAY)
    return "so far, last day" if left == 1 else f"so far, {left} days left"
