"""Alerts, each written once, and how far their deliveries are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from nullspend_margins.domain.alert import (
    NOT_LOADED_AFTER,
    Alert,
    AlertDelivery,
    AlertRecord,
    Occurrence,
)
from nullspend_margins.domain.crossing import THRESHOLD_CROSSED, crossing_occasion
from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.period import Months
from nullspend_margins.storage.alert_outbox import is_pending
from nullspend_margins.storage.dialects import insert_into
from nullspend_margins.storage.tables import alert_deliveries, alerts

_ONCE = ("org_id", "type", "occasion", "provider", "subject")
_deliveries = alert_deliveries.c


class Raised(NamedTuple):
    """What was told already."""

    provider: str
    subject: str
    occasion: str


def raised(tx: Connection, org_id: str, kind: str, occasions: Collection[str]) -> set[Raised]:
    """The occurrences of one type, on any of a few ``occasions``, that have an alert."""
    found = tx.execute(
        select(alerts.c.provider, alerts.c.subject, alerts.c.occasion).where(
            alerts.c.org_id == org_id, alerts.c.type == kind, alerts.c.occasion.in_(occasions)
        )
    )
    return {Raised._make(row) for row in found}


def enqueue(
    tx: Connection,
    org_id: str,
    occurrences: Mapping[str, Occurrence],
    now: datetime,
    notifiers: Sequence[str],
) -> int:
    """Keep an alert, by its id, for each of ``notifiers``, due at once. Returns how many are new.

    Once per (org, type, provider, subject, occasion), for ever: the others are left out.
    """
    if not occurrences:
        return 0
    statement = (
        insert_into(tx, alerts)
        .on_conflict_do_nothing(index_elements=_ONCE)
        .returning(alerts.c.alert_id)
    )
    rows = [_row(org_id, alert_id, each, now) for alert_id, each in occurrences.items()]
    new = tx.execute(statement, rows).scalars().all()
    deliveries = [
        {"alert_id": alert_id, "notifier": name, "attempts": 0, "next_attempt_at": now}
        for alert_id in new
        for name in notifiers
    ]
    if deliveries:
        tx.execute(sa.insert(alert_deliveries), deliveries)
    return len(new)


def _row(org_id: str, alert_id: str, told: Occurrence, now: datetime) -> dict[str, object]:
    return {
        "alert_id": alert_id,
        "org_id": org_id,
        "type": told.type,
        "occasion": told.occasion,
        "provider": told.provider,
        "subject": told.subject,
        "about": told.about,
        "payload": told.event(alert_id, now),
        "created_at": now,
    }


class DeliveryFilter(NamedTuple):
    """Which deliveries are asked for; ``None``: whatever it is.

    ``loaded`` names the notifiers that the process has. ``dead``: those alone that are dead
    ``now``.
    """

    loaded: Collection[str]
    now: datetime
    alert_id: str | None = None
    notifier: str | None = None
    dead: bool = False
    limit: int | None = None


def deliveries(tx: Connection, org_id: str, wanted: DeliveryFilter) -> list[AlertDelivery]:
    """The org's deliveries, newest alert first."""
    return _read(tx, _select(wanted).where(alerts.c.org_id == org_id), wanted)


def deliveries_of_every_org(tx: Connection, wanted: DeliveryFilter) -> list[AlertDelivery]:
    """The same across orgs: for the operator alone."""
    return _read(tx, _select(wanted), wanted)


def of_customer(
    tx: Connection,
    org_id: str,
    provider: str,
    customer_id: str,
    months: Months,
    loaded: Collection[str],
) -> list[AlertRecord]:
    """What was raised of one customer's margin in some months, newest first.

    ``loaded`` names the notifiers that the process has.
    """
    # Each month and tier by itself, not a range: the unique key continues with the customer.
    occasions = [crossing_occasion(period, tier) for period in months for tier in HealthTier]
    statement = (
        select(alerts, alert_deliveries)
        .outerjoin(alert_deliveries, _deliveries.alert_id == alerts.c.alert_id)
        .where(
            alerts.c.org_id == org_id,
            alerts.c.type == THRESHOLD_CROSSED,
            alerts.c.occasion.in_(occasions),
            alerts.c.provider == provider,
            alerts.c.subject == customer_id,
        )
        .order_by(alerts.c.created_at.desc(), alerts.c.alert_id, _deliveries.notifier)
    )
    found = groupby(tx.execute(statement), key=lambda row: row.alert_id)
    return [_record([*rows], loaded) for _, rows in found]


def orphans(
    tx: Connection, loaded: Collection[str], now: datetime, since: datetime
) -> dict[str, int]:
    """Notifiers that are not ``loaded``, and how many deliveries each left undone ``since``."""
    statement = (
        select(_deliveries.notifier, sa.func.count())
        .where(
            is_pending(),
            _is_orphan(loaded, now),
            _deliveries.next_attempt_at > since,
        )
        .group_by(_deliveries.notifier)
        .order_by(_deliveries.notifier)
    )
    return {row[0]: row[1] for row in tx.execute(statement)}


def delete_provider(tx: Connection, org_id: str, provider: str) -> None:
    """Forget all alerts that speak of one provider's data, delivered or not."""
    condition = and_(alerts.c.org_id == org_id, alerts.c.provider == provider)
    mine = select(alerts.c.alert_id).where(condition)
    tx.execute(sa.delete(alert_deliveries).where(_deliveries.alert_id.in_(mine)))
    tx.execute(sa.delete(alerts).where(condition))


def _is_orphan(loaded: Collection[str], now: datetime) -> ColumnElement[bool]:
    overdue = _deliveries.next_attempt_at < now - NOT_LOADED_AFTER
    return and_(_deliveries.notifier.not_in(loaded), overdue)


def _select(wanted: DeliveryFilter) -> Select[Any]:
    statement = (
        select(alerts, alert_deliveries)
        .join(alert_deliveries, _deliveries.alert_id == alerts.c.alert_id)
        .order_by(alerts.c.created_at.desc(), alerts.c.alert_id, _deliveries.notifier)
        .limit(wanted.limit)
    )
    if wanted.alert_id is not None:
        statement = statement.where(alerts.c.alert_id == wanted.alert_id)
    if wanted.notifier is not None:
        statement = statement.where(_deliveries.notifier == wanted.notifier)
    if wanted.dead:
        gone = or_(_deliveries.given_up_at.is_not(None), _is_orphan(wanted.loaded, wanted.now))
        statement = statement.where(_deliveries.delivered_at.is_(None), gone)
    return statement


def _read(tx: Connection, statement: Select[Any], wanted: DeliveryFilter) -> list[AlertDelivery]:
    return [_delivery(row, wanted.loaded) for row in tx.execute(statement)]


def _record(rows: Sequence[Row[Any]], loaded: Collection[str]) -> AlertRecord:
    """One alert with its deliveries; one row without a notifier where nobody takes the org."""
    return AlertRecord(
        alert=_alert(rows[0]),
        about=rows[0].about,
        occasion=rows[0].occasion,
        raised_at=rows[0].created_at,
        deliveries=[_delivery(row, loaded) for row in rows if row.notifier is not None],
    )


def _alert(row: Row[Any]) -> Alert:
    return Alert(alert_id=row.alert_id, org_id=row.org_id, type=row.type, payload=row.payload)


def _delivery(row: Row[Any], loaded: Collection[str]) -> AlertDelivery:
    return AlertDelivery(
        alert=_alert(row),
        about=row.about,
        occasion=row.occasion,
        notifier=row.notifier,
        is_loaded=row.notifier in loaded,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        delivered_at=row.delivered_at,
        given_up_at=row.given_up_at,
        last_error=row.last_error,
    )
