"""Alerts, what they are written for (``crossing``, ``silence``), and when they are sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

API_VERSION = "2026-11-01"
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


def retry_pause(failed_attempts: int, chance: float) -> timedelta:
    """How long to wait after the ``failed_attempts``-th failure in a row.

    ``chance`` (0 to 1, random) spreads it by a tenth either way, so that what failed together
    does not come back together.
    """
    pause = RETRY_PAUSES[min(failed_attempts, len(RETRY_PAUSES)) - 1]
    return pause * (1 + _JITTER * (2 * chance - 1))
