"""What alerts are written for, above all health tiers that got worse, and when. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from nullspend_margins.domain.health import HealthThresholds, HealthTier
from nullspend_margins.domain.margin import MonthAmounts, health_tier, margin_hundredths
from nullspend_margins.domain.period import Period

THRESHOLD_CROSSED = "margin.threshold_crossed"
API_VERSION = "2026-11-01"
GRACE_AFTER_LAST_INVOICE = timedelta(days=2)
RETRY_PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The schedule that Standard Webhooks suggests: ten attempts in a little over three days."""
_JITTER = 0.1
NOT_LOADED_AFTER = timedelta(hours=1)
"""Overdue for so long, a delivery has no process that loads its notifier."""

DeliveryState = Literal["waiting", "delivered", "dead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something a person should hear about. ``payload`` is the whole event as it is sent.

    ``alert_id`` (``evt_…``) is the same at every attempt: receivers deduplicate by it.
    """

    alert_id: str
    """``evt_…``, the same at every attempt."""
    org_id: str
    """Whose alert it is."""
    type: str
    """``margin.threshold_crossed`` or ``cost_source.stale``; others may follow."""
    payload: Mapping[str, object]
    """The whole event; what is in its ``data.object`` follows from the type."""


class Occurrence(Protocol):
    """What an alert is written for: once for each (org, type, provider, subject, occasion).

    ``provider`` is the revenue provider whose data it speaks of, ``""`` for none: the alerts go
    when that provider is disconnected. ``about`` is what people call the subject.
    """

    @property
    def type(self) -> str:
        """The event's type, for example ``margin.threshold_crossed``."""
        ...

    @property
    def provider(self) -> str:
        """A revenue provider, or ``""``."""
        ...

    @property
    def subject(self) -> str:
        """What it happened to: the id of a customer, say."""
        ...

    @property
    def about(self) -> str:
        """The subject by the name that people know."""
        ...

    @property
    def occasion(self) -> str:
        """Tells it from what happened to the same subject at another time."""
        ...

    def event(self, alert_id: str, created_at: datetime) -> dict[str, object]:
        """The whole event as it is sent."""
        ...


def envelope(
    kind: str, alert_id: str, created_at: datetime, content: Mapping[str, object]
) -> dict[str, object]:
    """An event of any type as it is sent, around what is particular to it."""
    return {
        "id": alert_id,
        "type": kind,
        "api_version": API_VERSION,
        "created_at": int(created_at.timestamp()),
        "data": {"object": dict(content)},
    }


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDelivery:
    """One alert on its way to one notifier.

    ``about`` and ``occasion`` are its occurrence's. ``attempts`` counts those that began.
    ``is_loaded``: the process that asks has the notifier.
    """

    alert: Alert
    about: str
    occasion: str
    notifier: str
    is_loaded: bool
    attempts: int
    next_attempt_at: datetime
    delivered_at: datetime | None
    given_up_at: datetime | None
    last_error: str | None

    def state(self, now: datetime) -> DeliveryState:
        """``dead``: given up, or of a notifier that no process seems to load any more."""
        if self.delivered_at is not None:
            return "delivered"
        if self.given_up_at is not None or self.is_orphan(now):
            return "dead"
        return "waiting"

    def is_orphan(self, now: datetime) -> bool:
        """Long overdue, and its notifier is not loaded here: nobody is there to deliver it."""
        overdue = self.next_attempt_at < now - NOT_LOADED_AFTER
        return self.delivered_at is None and not self.is_loaded and overdue

    def reason(self, now: datetime) -> str | None:
        """Why it is not delivered yet, as far as is known."""
        if self.given_up_at is None and self.is_orphan(now):
            return "no such notifier is loaded here"
        return self.last_error


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """An alert that was raised, and what became of it with each notifier, by name.

    ``about`` and ``occasion`` are its occurrence's.
    """

    alert: Alert
    about: str
    occasion: str
    raised_at: datetime
    deliveries: Sequence[AlertDelivery]


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


def retry_pause(failed_attempts: int, chance: float) -> timedelta:
    """How long to wait after the ``failed_attempts``-th failure in a row.

    ``chance`` (0 to 1, random) spreads it by a tenth either way, so that what failed together
    does not come back together.
    """
    pause = RETRY_PAUSES[min(failed_attempts, len(RETRY_PAUSES)) - 1]
    return pause * (1 + _JITTER * (2 * chance - 1))
