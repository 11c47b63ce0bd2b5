"""Which health tiers got worse from last period to this one. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from nullspend_margins.domain.health import HealthThresholds
from nullspend_margins.domain.margin import MonthAmounts, health_tier
from nullspend_margins.domain.period import Period

THRESHOLD_CROSSED = "margin.threshold_crossed"
GRACE_AFTER_LAST_INVOICE = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something a person should hear about. ``payload`` is the whole event as it is sent.

    ``alert_id`` (``evt_…``) is the same at every attempt: receivers deduplicate by it.
    """

    alert_id: str
    org_id: str
    type: str
    payload: Mapping[str, object]


def is_crossing(
    previous: MonthAmounts,
    current: MonthAmounts,
    thresholds: HealthThresholds,
) -> bool:
    """The tier is more severe now than a month before. Without a month before: no."""
    if previous.is_empty or current.is_empty:
        return False
    now = health_tier(current.revenue, current.cost, thresholds)
    return now < health_tier(previous.revenue, previous.cost, thresholds)


def awaits_invoice(
    previous: MonthAmounts,
    current: MonthAmounts,
    last_invoice_at: datetime | None,
    now: datetime,
) -> bool:
    """Costs run ahead of invoices on the 1st: is it too early to judge this customer?

    True while there was revenue last period, none yet this period, and it is not yet two days
    after the day of the month of last period's last invoice (the last day, in shorter months):
    an invoice of the 15th is waited for through the 16th.
    """
    if current.revenue > 0 or previous.revenue <= 0 or last_invoice_at is None:
        return False
    start = Period.containing(now).start
    last_day = monthrange(start.year, start.month)[1]
    due = start.replace(day=min(last_invoice_at.day, last_day))
    return now < due + GRACE_AFTER_LAST_INVOICE


def ratio(revenue: int, cost: int) -> float:
    """The margin as a fraction of revenue, for the alert's payload; 0 without revenue."""
    return 0.0 if revenue <= 0 else round((revenue - cost) / revenue, 4)
