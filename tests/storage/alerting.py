"""Alerts to store, and short ways to ask what became of them."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from nullspend_margins.domain.crossing import Crossing
from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.margin import MonthAmounts
from nullspend_margins.storage import alert_outbox, alerts
from nullspend_margins.storage.alert_outbox import Claim
from nullspend_margins.storage.alerts import DeliveryFilter
from tests.storage.builders import NOVEMBER, NOW, ORG

SOON = NOW + timedelta(minutes=1)
NOBODY = "org_nobody"
CROSSING = Crossing(
    provider="stripe",
    customer_id="cus_1",
    customer_name="Äcme",
    tag_value="acme",
    period=NOVEMBER,
    previous=MonthAmounts(100, 10),
    current=MonthAmounts(100, 105),
    previous_tier=HealthTier.HEALTHY,
    current_tier=HealthTier.CRITICAL,
)


def enqueue(
    tx: Connection,
    alert_id: str = "evt_1",
    org_id: str = ORG,
    now: datetime = NOW,
    notifiers: tuple[str, ...] = ("log", "slack"),
    **changes: Any,
) -> bool:
    crossing = dataclasses.replace(CROSSING, **changes)
    return alerts.enqueue(tx, org_id, {alert_id: crossing}, now, notifiers) == 1


def due(tx: Connection, now: datetime = NOW) -> list[str]:
    return alert_outbox.due_notifiers(tx, ["log", "slack", "other"], now)


def taken(tx: Connection, notifier: str, now: datetime = NOW) -> Claim | None:
    return alert_outbox.claim_due(tx, notifier, now, lambda attempt: timedelta(minutes=attempt))


def claim(tx: Connection, notifier: str, now: datetime = NOW) -> str | None:
    found = taken(tx, notifier, now)
    return found and found.alert.alert_id


def given_up(tx: Connection, notifier: str = "slack") -> bool:
    found = taken(tx, notifier)
    return found is not None and alert_outbox.give_up(
        tx, found, notifier, NOW, "HTTP 500", attempts=found.attempt
    )


def wanted(now: datetime = NOW, **values: Any) -> DeliveryFilter:
    return DeliveryFilter(loaded=("log", "slack"), now=now, **values)


def told(found: list[Any], now: datetime = NOW) -> list[tuple[str, str, str]]:
    return [(each.alert.alert_id, each.notifier, each.state(now)) for each in found]
