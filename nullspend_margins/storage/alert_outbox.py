"""The outbox of alerts: what is due to which notifier, and what came of it.

A delivery is claimed by counting the attempt and moving the next one to when the claim lapses:
no two processes try it at a time, a process that died frees what it held, and an alert that kills
each process that tries it comes to its end, too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, and_, select

from nullspend_margins.domain.alert import Alert
from nullspend_margins.storage.tables import alert_deliveries, alerts

UNREPORTED = "the outcome of the last attempt is not known"
"""The reason that is shown from the beginning of an attempt to its end."""

_deliveries = alert_deliveries.c


class Claim(NamedTuple):
    """An alert that one process alone tries, for the ``attempt``-th time, before ``until``.

    ``due_at`` and ``last_error`` are what they were before.
    """

    alert: Alert
    attempt: int
    until: datetime
    due_at: datetime
    last_error: str | None


def due_notifiers(tx: Connection, notifiers: Collection[str], now: datetime) -> list[str]:
    """Those of ``notifiers`` that have something to deliver now. One index probe each."""
    return [
        name
        for name in notifiers
        if tx.execute(select(_deliveries.alert_id).where(*_is_due(name, now)).limit(1)).first()
    ]


def claim_due(
    tx: Connection, notifier: str, now: datetime, hold: Callable[[int], timedelta]
) -> Claim | None:
    """The alert that has waited longest, the attempt counted already; ``None``: none is due.

    Nobody else gets it for as long as ``hold`` says of that attempt: a claim that is never
    reported on (the process died) comes up again then.
    """
    statement = (
        select(alerts.c.alert_id, alerts.c.org_id, alerts.c.type, alerts.c.payload)
        .add_columns(_deliveries.attempts, _deliveries.next_attempt_at, _deliveries.last_error)
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
    attempt = row[4] + 1
    claim = Claim(alert, attempt, now + hold(attempt), row[5], row[6])
    values = {"attempts": attempt, "next_attempt_at": claim.until, "last_error": UNREPORTED}
    _change(tx, alert.alert_id, notifier, **values)
    return claim


def release(tx: Connection, claim: Claim, notifier: str) -> bool:
    """Put a claim back as if it had never been taken. ``False``: it is not ours any more."""
    return _settle(
        tx,
        claim,
        notifier,
        attempts=claim.attempt - 1,
        next_attempt_at=claim.due_at,
        last_error=claim.last_error,
    )


def mark_delivered(tx: Connection, alert_id: str, notifier: str, now: datetime) -> None:
    """The notifier has it, whoever has a claim by now."""
    _change(
        tx,
        alert_id,
        notifier,
        delivered_at=now,
        last_attempt_at=now,
        given_up_at=None,
        last_error=None,
    )


def mark_failed(
    tx: Connection,
    claim: Claim,
    notifier: str,
    now: datetime,
    next_attempt_at: datetime,
    error: str,
) -> bool:
    """The notifier failed; it is due again at ``next_attempt_at``.

    ``False``: the claim is not ours any more, or the alert was deleted.
    """
    return _settle(
        tx,
        claim,
        notifier,
        last_attempt_at=now,
        next_attempt_at=next_attempt_at,
        last_error=error,
    )


def give_up(
    tx: Connection, claim: Claim, notifier: str, now: datetime, error: str, *, attempts: int
) -> bool:
    """The notifier failed for the last time, after so many ``attempts``.

    ``False``: the claim is not ours any more, or the alert was deleted.
    """
    return _settle(
        tx,
        claim,
        notifier,
        attempts=attempts,
        last_attempt_at=now,
        given_up_at=now,
        last_error=error,
    )


def postpone(tx: Connection, notifier: str, now: datetime, until: datetime) -> None:
    """Let everything that waits for a notifier wait ``until`` then; no attempt is counted.

    What somebody tries just now is theirs.
    """
    is_tried = and_(_deliveries.next_attempt_at > now, _deliveries.last_error == UNREPORTED)
    statement = sa.update(alert_deliveries).where(
        *_is_due(notifier, until), is_tried.is_not(sa.true())
    )
    tx.execute(statement.values(next_attempt_at=until))


def revive(
    tx: Connection,
    org_id: str,
    alert_id: str,
    notifier: str,
    due_at: datetime,
    *,
    attempts: int = 0,
) -> bool:
    """Put a dead delivery back, as if never tried. ``False``: it is not dead (any more).

    ``attempts=1`` is for who tries it at once and holds it until ``due_at``.
    """
    return _change(
        tx,
        alert_id,
        notifier,
        _deliveries.given_up_at.is_not(None),
        _deliveries.delivered_at.is_(None),
        _deliveries.alert_id.in_(select(alerts.c.alert_id).where(alerts.c.org_id == org_id)),
        attempts=attempts,
        next_attempt_at=due_at,
        given_up_at=None,
        **({"last_error": UNREPORTED} if attempts else {}),
    )


def is_pending() -> ColumnElement[bool]:
    """Neither delivered nor given up."""
    return and_(_deliveries.delivered_at.is_(None), _deliveries.given_up_at.is_(None))


def _is_due(notifier: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (_deliveries.notifier == notifier, is_pending(), _deliveries.next_attempt_at <= now)


def _settle(tx: Connection, claim: Claim, notifier: str, **values: object) -> bool:
    """Write the outcome of a claim, unless it lapsed and somebody else took the alert."""
    is_ours = _deliveries.next_attempt_at == claim.until
    return _change(tx, claim.alert.alert_id, notifier, is_pending(), is_ours, **values)


def _change(
    tx: Connection, alert_id: str, notifier: str, *also: ColumnElement[bool], **values: object
) -> bool:
    """Whether there was such a delivery."""
    statement = sa.update(alert_deliveries).where(
        _deliveries.alert_id == alert_id, _deliveries.notifier == notifier, *also
    )
    return tx.execute(statement.values(**values)).rowcount > 0
