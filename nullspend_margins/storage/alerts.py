"""Alerts and their delivery: an outbox, written in the transaction that found the crossing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, and_, select

from nullspend_margins.domain.alert import THRESHOLD_CROSSED, Alert
from nullspend_margins.storage.dialects import insert_into
from nullspend_margins.storage.tables import alert_deliveries, alerts

_CROSSING = ("org_id", "provider", "customer_id", "month", "tier")


def enqueue(
    tx: Connection,
    org_id: str,
    provider: str,
    customer_id: str,
    month: int,
    tier: str,
    alert_id: str,
    payload: Mapping[str, object],
    now: datetime,
    notifiers: Sequence[str],
) -> bool:
    """Keep an alert for each notifier, due at once.

    Once per (org, customer, month, tier), for ever: ``False`` when there was one. ``month`` is a
    ``Period.index``, ``tier`` the tier's wire name.
    """
    statement = (
        insert_into(tx, alerts)
        .values(
            alert_id=alert_id,
            org_id=org_id,
            provider=provider,
            customer_id=customer_id,
            month=month,
            tier=tier,
            type=THRESHOLD_CROSSED,
            payload=dict(payload),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=_CROSSING)
        .returning(alerts.c.alert_id)
    )
    if tx.execute(statement).one_or_none() is None:
        return False
    _enqueue_deliveries(tx, alert_id, now, notifiers)
    return True


def _enqueue_deliveries(
    tx: Connection, alert_id: str, now: datetime, notifiers: Sequence[str]
) -> None:
    deliveries = [
        {"alert_id": alert_id, "notifier": name, "attempts": 0, "next_attempt_at": now}
        for name in notifiers
    ]
    if deliveries:
        tx.execute(sa.insert(alert_deliveries), deliveries)


def due(
    tx: Connection, notifier: str, now: datetime, limit: int, *, for_update: bool = False
) -> list[tuple[Alert, int]]:
    """Alerts to deliver now, the longest waiting first, each with the attempts made so far."""
    statement = (
        select(
            alerts.c.alert_id,
            alerts.c.org_id,
            alerts.c.type,
            alerts.c.payload,
            alert_deliveries.c.attempts,
        )
        .join(alert_deliveries, alert_deliveries.c.alert_id == alerts.c.alert_id)
        .where(
            alert_deliveries.c.notifier == notifier,
            alert_deliveries.c.delivered_at.is_(None),
            alert_deliveries.c.given_up_at.is_(None),
            alert_deliveries.c.next_attempt_at <= now,
        )
        .order_by(alert_deliveries.c.next_attempt_at, alerts.c.alert_id)
        .limit(limit)
    )
    if for_update:
        statement = statement.with_for_update(of=alert_deliveries, skip_locked=True)
    return [
        (Alert(alert_id=row[0], org_id=row[1], type=row[2], payload=row[3]), row[4])
        for row in tx.execute(statement)
    ]


def claim_due(
    tx: Connection, notifier: str, now: datetime, until: datetime, limit: int
) -> list[tuple[Alert, int]]:
    """The same, and nobody else gets them before ``until``: a claim that is never reported on
    (the process died) comes up again then."""
    found = due(tx, notifier, now, limit, for_update=True)
    if found:
        tx.execute(
            sa.update(alert_deliveries)
            .where(
                alert_deliveries.c.notifier == notifier,
                alert_deliveries.c.alert_id.in_([alert.alert_id for alert, _ in found]),
            )
            .values(next_attempt_at=until)
        )
    return found


def mark_delivered(tx: Connection, alert_id: str, notifier: str, now: datetime) -> None:
    """The notifier has it."""
    tx.execute(
        sa.update(alert_deliveries)
        .where(_is(alert_id, notifier))
        .values(
            delivered_at=now,
            last_attempt_at=now,
            attempts=alert_deliveries.c.attempts + 1,
            last_error=None,
        )
    )


def mark_failed(
    tx: Connection,
    alert_id: str,
    notifier: str,
    now: datetime,
    next_attempt_at: datetime,
    error: str,
) -> None:
    """The notifier failed; it is due again at ``next_attempt_at``."""
    tx.execute(
        sa.update(alert_deliveries)
        .where(_is(alert_id, notifier), alert_deliveries.c.delivered_at.is_(None))
        .values(
            attempts=alert_deliveries.c.attempts + 1,
            last_attempt_at=now,
            next_attempt_at=next_attempt_at,
            last_error=error,
        )
    )


def delete_provider(tx: Connection, org_id: str, provider: str) -> None:
    """Forget all alerts about one provider's customers, delivered or not."""
    condition = and_(alerts.c.org_id == org_id, alerts.c.provider == provider)
    mine = select(alerts.c.alert_id).where(condition)
    tx.execute(sa.delete(alert_deliveries).where(alert_deliveries.c.alert_id.in_(mine)))
    tx.execute(sa.delete(alerts).where(condition))


def _is(alert_id: str, notifier: str) -> ColumnElement[bool]:
    return and_(alert_deliveries.c.alert_id == alert_id, alert_deliveries.c.notifier == notifier)
