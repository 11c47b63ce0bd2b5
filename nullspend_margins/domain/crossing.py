"""Customers whose health tier got worse: what it takes, and what an alert says of it. Pure."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

from nullspend_margins.domain.alert import envelope
from nullspend_margins.domain.health import HealthThresholds, HealthTier
from nullspend_margins.domain.margin import MonthAmounts, health_tier, margin_hundredths
from nullspend_margins.domain.period import Period

THRESHOLD_CROSSED = "margin.threshold_crossed"
GRACE_AFTER_LAST_INVOICE = timedelta(days=2)


def crossing_occasion(period: Period, tier: HealthTier) -> str:
    """A crossing is told once for each month and tier: ``2026-11 critical``."""
    return f"{period} {tier.wire_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A customer whose tier is more severe in ``period`` than in the one before."""

    provider: str
    customer_id: str
    customer_name: str | None
    tag_value: str
    period: Period
    previous: MonthAmounts
    current: MonthAmounts
    previous_tier: HealthTier
    current_tier: HealthTier

    @property
    def type(self) -> str:
        """``margin.threshold_crossed``."""
        return THRESHOLD_CROSSED

    @property
    def subject(self) -> str:
        """The customer, by the provider's id."""
        return self.customer_id

    @property
    def about(self) -> str:
        """The customer, by its tag value."""
        return self.tag_value

    @property
    def occasion(self) -> str:
        """The month and the tier."""
        return crossing_occasion(self.period, self.current_tier)

    def event(self, alert_id: str, created_at: datetime) -> dict[str, object]:
        """The event as it is sent: money in microdollars, margins as fractions of revenue."""
        content = {
            "customer": {
                "stripeId": self.customer_id,
                "name": self.customer_name,
                "tagValue": self.tag_value,
            },
            "margin": {
                "previous": ratio(self.previous),
                "current": ratio(self.current),
                "previousTier": self.previous_tier.wire_name,
                "currentTier": self.current_tier.wire_name,
            },
            "revenue_microdollars": self.current.revenue,
            "cost_microdollars": self.current.cost,
            "period": str(self.period),
        }
        return envelope(self.type, alert_id, created_at, content)


def tier_change(
    previous: MonthAmounts, current: MonthAmounts, thresholds: HealthThresholds
) -> tuple[HealthTier, HealthTier] | None:
    """Last period's tier and this period's when this one is more severe; else ``None``.

    A period with neither revenue nor cost has no tier to compare.
    """
    if previous.is_empty or current.is_empty:
        return None
    before = health_tier(previous.revenue, previous.cost, thresholds)
    now = health_tier(current.revenue, current.cost, thresholds)
    return (before, now) if now < before else None


def may_await_invoice(previous: MonthAmounts, current: MonthAmounts) -> bool:
    """There was revenue last period, and there is none yet: the invoice may still come."""
    return previous.revenue > 0 and current.revenue <= 0


def awaits_invoice(last_invoice_at: datetime | None, now: datetime) -> bool:
    """Costs run ahead of invoices on the 1st: is it too early to judge without revenue?

    True until two days after the day of the month of last period's last invoice (the last day,
    in shorter months): an invoice of the 15th is waited for through the 16th.
    """
    if last_invoice_at is None:
        return False
    start = Period.containing(now).start
    last_day = monthrange(start.year, start.month)[1]
    due = start.replace(day=min(last_invoice_at.day, last_day))
    return now < due + GRACE_AFTER_LAST_INVOICE


def ratio(amounts: MonthAmounts) -> float:
    """The margin as a fraction of revenue, as exact as the table's percent; 0 without revenue."""
    return margin_hundredths(amounts.revenue, amounts.cost) / 100_00
