"""Figures beside others: against the month before, and each against the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nullspend_margins.dashboard.charts import MonthPoint
from nullspend_margins.domain.money import format_hundredths, round_half_up

_WHOLE = 100_00


class Change(NamedTuple):
    """From one amount to another; ``percent`` in hundredths, ``None`` where it tells nothing."""

    amount: int
    percent: int | None


class MonthChange(NamedTuple):
    """What is different from the month before. ``points`` are hundredths of a percentage point;
    ``None`` where one of the months has no margin.
    """

    before: MonthPoint
    points: int | None
    revenue: Change
    cost: Change
    margin: Change


class ModelRow(NamedTuple):
    """One model of a customer, microdollars. ``share`` of the cost in hundredths of a percent.

    ``width`` is its bar's, in percent of the largest one's. ``share`` and ``per_request`` are
    ``None`` where they tell nothing.
    """

    model: str
    cost: int
    requests: int
    share: int | None
    width: str
    per_request: int | None


def change(now: int, before: int) -> Change:
    """The difference, and what part of ``before`` it is, where neither is below 0."""
    tells = before > 0 and now >= 0
    percent = round_half_up((now - before) * _WHOLE, before) if tells else None
    return Change(now - before, percent)


def month_change(now: MonthPoint, before: MonthPoint) -> MonthChange:
    """Every figure of a month against those of the one before."""
    points = None
    if now.percent is not None and before.percent is not None:
        points = now.percent - before.percent
    return MonthChange(
        before=before,
        points=points,
        revenue=change(now.revenue, before.revenue),
        cost=change(now.cost, before.cost),
        margin=change(now.margin, before.margin),
    )


def model_rows(models: Sequence[tuple[str, int, int]]) -> list[ModelRow]:
    """(model, cost, requests) with what they are of the whole, in the same order."""
    total = sum(cost for _, cost, _ in models)
    track = max(total, 1)  # a correction may be less than nothing: no bar, or a full one
    return [
        ModelRow(
            model=model,
            cost=cost,
            requests=requests,
            share=round_half_up(cost * _WHOLE, total) if total > 0 else None,
            width=format_hundredths(min(max(cost, 0), track) * _WHOLE // track),
            per_request=round_half_up(cost, requests) if requests > 0 else None,
        )
        for model, cost, requests in models
    ]
