"""Revenue and cost as bars, month by month, below the margin as a line with an axis of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from nullspend_margins.dashboard.charts.scale import (
    LEAST_STEP,
    Scale,
    Slots,
    Tick,
    round_ticks,
    span_of,
)
from nullspend_margins.domain.health import HealthThresholds, HealthTier
from nullspend_margins.domain.margin import health_tier, margin_hundredths
from nullspend_margins.domain.period import Period

HEIGHT = 366
_MARGIN = (14, 116)
_MONEY = (154, 322)
_LOWEST, _HIGHEST = -100_00, 100_00
_HALF = 50_00
_MONEY_STEPS = 4
# Of a month's width, in percent: where its bars begin, and how wide each is.
_REVENUE_AT, _COST_AT, _BAR = 14, 51, 35


class MonthPoint(NamedTuple):
    """One month in microdollars."""

    period: Period
    revenue: int
    cost: int

    @property
    def margin(self) -> int:
        """Revenue less cost."""
        return self.revenue - self.cost

    @property
    def is_empty(self) -> bool:
        """Neither revenue nor cost."""
        return self.revenue == self.cost == 0

    @property
    def percent(self) -> int | None:
        """The margin in hundredths of a percent; ``None`` without revenue: there is none."""
        return margin_hundredths(self.revenue, self.cost) if self.revenue > 0 else None


class Band(NamedTuple):
    """Where the margins of one health tier are."""

    tier: str
    y: str
    height: str
    middle: str


class Bar(NamedTuple):
    """A rectangle."""

    x: str
    y: str
    width: str
    height: str


class Column(NamedTuple):
    """One month. ``dot`` is its place on the line, ``None`` without a margin; ``tier`` is ``None``
    without revenue and cost.

    ``beyond``: the margin is further down (or up) than the axis goes: its dot is at the edge.
    """

    point: MonthPoint
    x: str
    middle: str
    revenue: Bar | None
    cost: Bar | None
    dot: str | None
    tier: str | None
    beyond: bool
    is_running: bool


class Segment(NamedTuple):
    """A piece of the margin's line."""

    x1: str
    y1: str
    x2: str
    y2: str


class Projection(NamedTuple):
    """Where the margin goes next month if the trend goes on."""

    period: Period
    percent: int
    middle: str
    dot: str
    tier: str
    segment: Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthChart:
    """All that is drawn. ``margin_ticks`` are in hundredths of a percent, ``money_ticks`` in
    microdollars, each from the highest down.
    """

    width: str
    columns: Sequence[Column]
    segments: Sequence[Segment]
    bands: Sequence[Band]
    margin_ticks: Sequence[Tick]
    money_ticks: Sequence[Tick]
    has_margin: bool
    projection: Projection | None
    height: int = HEIGHT
    margin_top: int = _MARGIN[0]
    margin_bottom: int = _MARGIN[1]
    money_top: int = _MONEY[0]
    money_bottom: int = _MONEY[1]


def month_chart(
    points: Sequence[MonthPoint],
    thresholds: HealthThresholds,
    *,
    running: Period | None = None,
    projected: int | None = None,
) -> MonthChart:
    """The chart of ``points``, oldest first; one at least.

    ``running`` is the month that goes on; ``projected`` the margin of the month after the last.
    """
    if points[-1].percent is None:
        projected = None  # there is nothing that the line could come from
    percents = [each.percent for each in points if each.percent is not None]
    # Cost alone has no margin, but belongs where losses are.
    lost = [-1 for each in points if each.percent is None and each.cost > each.revenue]
    margin = _margin_scale([*percents, *lost, projected or 0])
    amounts = round_ticks(
        *span_of(amount for each in points for amount in (each.revenue, each.cost)),
        _MONEY_STEPS,
        LEAST_STEP,
    )
    money = Scale(amounts[0], amounts[-1], *_MONEY)
    slots = Slots(len(points) + (projected is not None))
    columns = [
        _column(index, point, slots, margin, money, thresholds, is_running=point.period == running)
        for index, point in enumerate(points)
    ]
    return MonthChart(
        width=slots.width(100),
        columns=columns,
        segments=[*_segments(columns)],
        bands=[*_bands(margin, thresholds)],
        margin_ticks=[Tick(margin.y(each), each) for each in _margin_ticks(margin)],
        money_ticks=[Tick(money.y(each), each) for each in reversed(amounts)],
        has_margin=bool(percents),
        projection=_projection(columns[-1], projected, slots, margin, thresholds),
    )


def _margin_scale(percents: Sequence[int]) -> Scale:
    """Down to where losses are, in steps of 50 %, but not below -100 %: the rest is at the edge."""
    lowest = max(min(percents, default=0) // _HALF * _HALF, _LOWEST)
    return Scale(min(lowest, 0), _HIGHEST, *_MARGIN)


def _margin_ticks(scale: Scale) -> list[int]:
    return [*range(scale.high, scale.low - 1, -_HALF)]


def _column(
    index: int,
    point: MonthPoint,
    slots: Slots,
    margin: Scale,
    money: Scale,
    thresholds: HealthThresholds,
    *,
    is_running: bool,
) -> Column:
    percent = point.percent
    return Column(
        point=point,
        x=slots.x(index),
        middle=slots.x(index, 50),
        revenue=_bar(point.revenue, index, _REVENUE_AT, slots, money),
        cost=_bar(point.cost, index, _COST_AT, slots, money),
        dot=None if percent is None else margin.y(percent),
        tier=_tier(point, thresholds),
        beyond=percent is not None and not margin.covers(percent),
        is_running=is_running,
    )


def _tier(point: MonthPoint, thresholds: HealthThresholds) -> str | None:
    if point.is_empty:
        return None
    return health_tier(point.revenue, point.cost, thresholds).wire_name


def _bar(amount: int, index: int, at: int, slots: Slots, money: Scale) -> Bar | None:
    if amount == 0:
        return None
    y, height = money.bar(amount)
    return Bar(slots.x(index, at), y, slots.width(_BAR), height)


def _segments(columns: Sequence[Column]) -> list[Segment]:
    """Between months that follow each other and have a margin both."""
    return [
        Segment(one.middle, one.dot, other.middle, other.dot)
        for one, other in pairwise(columns)
        if one.dot is not None and other.dot is not None
    ]


def _projection(
    last: Column,
    projected: int | None,
    slots: Slots,
    margin: Scale,
    thresholds: HealthThresholds,
) -> Projection | None:
    if projected is None or last.dot is None:
        return None
    middle, dot = slots.x(slots.count - 1, 50), margin.y(projected)
    return Projection(
        period=last.point.period.shift(1),
        percent=projected,
        middle=middle,
        dot=dot,
        tier=thresholds.tier_of_hundredths(projected).wire_name,
        segment=Segment(last.middle, last.dot, middle, dot),
    )


def _bands(margin: Scale, thresholds: HealthThresholds) -> list[Band]:
    """The tiers from the best down, as far as the axis reaches."""
    least = [
        (HealthTier.HEALTHY, thresholds.healthy),
        (HealthTier.MODERATE, thresholds.moderate),
        (HealthTier.AT_RISK, thresholds.at_risk),
        (HealthTier.CRITICAL, None),
    ]
    found, high = [], margin.high
    for tier, percent in least:
        low = margin.low if percent is None else max(round(percent * 100), margin.low)
        if low < high:
            y, height = margin.span(low, high)
            middle = margin.y((low + high) // 2)
            found.append(Band(tier.wire_name, y, height, middle))
            high = low
    return found
