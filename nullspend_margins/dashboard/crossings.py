"""Alerts of a customer as rows: what was told, and who has heard."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec

from nullspend_margins.domain.alert import AlertRecord, DeliveryState
from nullspend_margins.domain.period import Period


class DeliveryRow(NamedTuple):
    """One notifier. ``moment`` is when it heard, or is tried again; ``None``: never more."""

    notifier: str
    state: DeliveryState
    moment: datetime | None
    attempts: int
    reason: str | None


class CrossingRow(NamedTuple):
    """A margin that fell into a worse tier; percents in hundredths.

    ``current`` is ``None`` without revenue to measure it by.
    """

    raised_at: datetime
    period: Period
    tag_value: str
    previous: int
    current: int | None
    previous_tier: str
    current_tier: str
    deliveries: list[DeliveryRow]


class _Margin(msgspec.Struct, rename="camel"):
    previous: float
    current: float
    previous_tier: str
    current_tier: str


class _Told(msgspec.Struct):
    margin: _Margin
    revenue_microdollars: int
    period: str


class _Data(msgspec.Struct):
    object: _Told


class _Event(msgspec.Struct):
    data: _Data


def crossing_rows(records: Iterable[AlertRecord], now: datetime) -> list[CrossingRow]:
    """The same in the same order, read from the events as they were sent."""
    return [_row(record, now) for record in records]


def _row(record: AlertRecord, now: datetime) -> CrossingRow:
    told = msgspec.convert(record.alert.payload, _Event).data.object
    return CrossingRow(
        raised_at=record.raised_at,
        period=Period.parse(told.period),
        tag_value=record.about,
        previous=round(told.margin.previous * 100_00),
        current=round(told.margin.current * 100_00) if told.revenue_microdollars > 0 else None,
        previous_tier=told.margin.previous_tier,
        current_tier=told.margin.current_tier,
        deliveries=[
            DeliveryRow(
                each.notifier,
                state := each.state(now),
                {"delivered": each.delivered_at, "waiting": each.next_attempt_at}.get(state),
                each.attempts,
                each.reason(now),
            )
            for each in record.deliveries
        ],
    )
