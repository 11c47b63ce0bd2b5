"""One amount a day of a month, as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from nullspend_margins.dashboard.charts.scale import (
    LEAST_STEP,
    Scale,
    Slots,
    Tick,
    round_ticks,
    span_of,
)
from nullspend_margins.domain.period import Period, day_number

HEIGHT = 156
_SPAN = (12, 126)
_STEPS = 3
_BAR_AT, _BAR = 15, 70


class DayBar(NamedTuple):
    """One day. ``is_open``: it goes on, or has not begun."""

    day: date
    amount: int
    x: str
    middle: str
    bar_x: str
    y: str
    height: str
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChart:
    """All that is drawn; ``ticks`` in microdollars, from the highest down."""

    width: str
    bar_width: str
    days: Sequence[DayBar]
    ticks: Sequence[Tick]
    zero: str
    height: int = HEIGHT
    top: int = _SPAN[0]
    bottom: int = _SPAN[1]


def day_chart(period: Period, amounts: Mapping[int, int], today: date) -> DayChart:
    """The days of ``period``; ``amounts`` in microdollars by day since 1970-01-01."""
    first = period.start.date()
    days = [first + timedelta(days=after) for after in range((period.end - period.start).days)]
    shown = [amounts.get(day_number(day), 0) for day in days]
    ticks = round_ticks(*span_of(shown), _STEPS, LEAST_STEP)
    scale, slots = Scale(ticks[0], ticks[-1], *_SPAN), Slots(len(days))
    return DayChart(
        width=slots.width(100),
        bar_width=slots.width(_BAR),
        days=[
            DayBar(
                day,
                amount,
                slots.x(index),
                slots.x(index, 50),
                slots.x(index, _BAR_AT),
                *scale.bar(amount),
                day >= today,
            )
            for index, (day, amount) in enumerate(zip(days, shown, strict=True))
        ],
        ticks=[Tick(scale.y(each), each) for each in reversed(ticks)],
        zero=scale.y(0),
    )
