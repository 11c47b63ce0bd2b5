"""The outbox of alerts: what is due to which notifier, and what came of it.

A delivery is claimed by moving its next attempt to when the claim lapses, so that no two
processes try it at a time and a process that died frees what it held.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, and_, select

from nullspend_margins.domain.alert import Alert
from nullspend_margins.storage.tables import alert_deliveries, alerts

_deliveries = alert_deliveries.c


def due_notifiers(tx: Connection, notifiers: Collection[str], now: datetime) -> list[str]:
    """Those of ``notifiers`` that have something to deliver now. One index probe each."""
    return [
        name
        for name in notifiers
        if tx.execute(select(_deliveries.alert_id).where(*_is_due(name, now)).limit(1)).first()
    ]


def claim_due(
    tx: Connection, notifier: str, now: datetime, until: datetime
) -> tuple[Alert, int] | None:
    """The alert that has waited longest, with the attempts made so far; ``None``: none is due.

    Nobody else gets it before ``until``: a claim that is never reported on (the process died)
    comes up again then.
    """
    statement = (
        select(alerts.c.alert_id, alerts.c.org_id, alerts.c.type, alerts.c.payload)
        .add_columns(_deliveries.attempts)
        .join(alert_deliveries, _deliveries.alert_id == alerts.c.alert_id)
        .where(*_is_due(notifier, now))
        .order_by(_deliveries.next_attempt_at)  # and nothing else: the index has this order
        .limit(1)
        .with_for_update(of=alert_deliveries, skip_locked=True)
    )
    row = tx.execute(statement).one_or_none()
    if row is None:
        return None
    alert = Alert(alert_id=row[0], org_id=row[1], type=row[2], payload=row[3])
    _change(tx, alert.alert_id, notifier, next_attempt_at=until)
    return alert, row[4]


def mark_delivered(tx: Connection, alert_id: str, notifier: str, now: datetime) -> None:
    """The notifier has it."""
    _change(
        tx,
        alert_id,
        notifier,
        delivered_at=now,
        last_attempt_at=now,
        attempts=_deliveries.attempts + 1,
        given_up_at=None,
        last_error=None,
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
    _change(
        tx,
        alert_id,
        notifier,
        _is_pending(),
        attempts=_deliveries.attempts + 1,
        last_attempt_at=now,
        next_attempt_at=next_attempt_at,
        last_error=error,
    )


def give_up(tx: Connection, alert_id: str, notifier: str, now: datetime, error: str) -> bool:
    """The notifier failed for the last time. ``False``: delivered or given up already."""
    return _change(
        tx,
        alert_id,
        notifier,
        _is_pending(),
        attempts=_deliveries.attempts + 1,
        last_attempt_at=now,
        given_up_at=now,
        last_error=error,
    )


def revive(tx: Connection, org_id: str, alert_id: str, notifier: str, due_at: datetime) -> bool:
    """Put a dead delivery back, as if never tried. ``False``: it is not dead (any more)."""
    return _change(
        tx,
        alert_id,
        notifier,
        _deliveries.given_up_at.is_not(None),
        _deliveries.delivered_at.is_(None),
        _deliveries.alert_id.in_(select(alerts.c.alert_id).where(alerts.c.org_id == org_id)),
        attempts=0,
        next_attempt_at=due_at,
        given_up_at=None,
    )


def _is_pending() -> ColumnElement[bool]:
    return and_(_deliveries.delivered_at.is_(None), _deliveries.given_up_at.is_(None))


def _is_due(notifier: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (_deliveries.notifier == notifier, _is_pending(), _deliveries.next_attempt_at <= now)


def _change(
    tx: Connection, alert_id: str, notifier: str, *also: ColumnElement[bool], **values: object
) -> bool:
    """Whether there was such a delivery."""
    statement = sa.update(alert_deliveries).where(
        _deliveries.alert_id == alert_id, _deliveries.notifier == notifier, *also
    )
    return tx.execute(statement.values(**values)).rowcount > 0
