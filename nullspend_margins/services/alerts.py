"""Alerts: written with the numbers they speak of, delivered later through an outbox."""

from __future__ import annotations

import asyncio
import logging
import math
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from nullspend_margins.config import Config
from nullspend_margins.domain.alert import (
    THRESHOLD_CROSSED,
    Alert,
    awaits_invoice,
    is_crossing,
    ratio,
)
from nullspend_margins.domain.cost import MonthCost
from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.margin import health_tier
from nullspend_margins.domain.period import Months, Period
from nullspend_margins.errors import MarginsError
from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import Clock, Notifier
from nullspend_margins.services.cost_reader import CostReader
from nullspend_margins.services.ledger import LedgerRow, Mapped, read_ledger
from nullspend_margins.storage import alerts, mappings, revenue
from nullspend_margins.storage.database import Database, Transaction

API_VERSION = "2026-11-01"
_AT_ONCE = 10
_NOTIFY_SECONDS = 15
_CLAIM = timedelta(seconds=2 * _AT_ONCE * _NOTIFY_SECONDS)
"""Longer than the slowest notifier needs for all of them."""
_FIRST_RETRY = timedelta(minutes=1)
_LAST_RETRY = timedelta(hours=6)

_log = logging.getLogger("nullspend_margins.alerts")


class AlertService:
    """Finds health tiers that got worse, and tells the notifiers until each has heard."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        costs: CostReader,
        clock: Clock,
        config: Config,
    ) -> None:
        self._database = database
        self._notifiers: Sequence[Notifier] = registry.notifiers
        self._costs = costs
        self._clock = clock
        self._thresholds = config.health.thresholds

    def months(self, now: datetime) -> Months:
        """The two months a crossing is judged by."""
        current = Period.containing(now)
        return Months(current.shift(-1), current)

    def enqueue_crossings(
        self, tx: Transaction, org_id: str, now: datetime, remote: Sequence[MonthCost]
    ) -> int:
        """Write an alert for each customer whose tier got worse since last period.

        Once for each (org, customer, period, tier). Returns how many are new.
        """
        months = self.months(now)
        costs = self._costs.columns(tx, org_id, months, remote)
        mapped = mappings.tag_values(tx, org_id, CUSTOMER_TAG_KEY)
        customers = _customers_by_tag(mapped)
        created = 0
        for row in read_ledger(tx, org_id, months, mapped, costs):
            previous, current = row.amounts(0), row.amounts(1)
            if not is_crossing(previous, current, self._thresholds):
                continue
            invoices = [
                revenue.last_invoice_at(tx, org_id, provider, customer_id, months.first)
                for provider, customer_id in customers[row.tag_value]
            ]
            last_invoice = max(filter(None, invoices), default=None)
            if awaits_invoice(previous, current, last_invoice, now):
                continue
            created += self._enqueue(tx, org_id, row, months.last, now)
        return created

    def _enqueue(
        self, tx: Transaction, org_id: str, row: LedgerRow, period: Period, now: datetime
    ) -> bool:
        alert_id = f"evt_{uuid.uuid4().hex}"
        tier = self._tier(row, 1)
        payload = {
            "id": alert_id,
            "type": THRESHOLD_CROSSED,
            "api_version": API_VERSION,
            "created_at": int(now.timestamp()),
            "data": {
                "object": {
                    "customer": {
                        "stripeId": row.customer_id,
                        "name": row.customer_name,
                        "tagValue": row.tag_value,
                    },
                    "margin": {
                        "previous": ratio(row.revenues[0], row.costs[0]),
                        "current": ratio(row.revenues[1], row.costs[1]),
                        "previousTier": self._tier(row, 0).wire_name,
                        "currentTier": tier.wire_name,
                    },
                    "revenue_microdollars": row.revenues[1],
                    "cost_microdollars": row.costs[1],
                    "period": str(period),
                }
            },
        }
        return alerts.enqueue(
            tx,
            org_id,
            row.provider,
            row.customer_id,
            period.index,
            tier.wire_name,
            alert_id,
            payload,
            now,
            [notifier.name for notifier in self._notifiers],
        )

    def _tier(self, row: LedgerRow, offset: int) -> HealthTier:
        return health_tier(row.revenues[offset], row.costs[offset], self._thresholds)

    async def deliver_due(self, deadline: float = math.inf) -> None:
        """Try every alert that is due, each notifier on its own.

        When ``time.monotonic()`` reaches ``deadline`` it stops; the rest is due next time.
        """
        await asyncio.gather(*(self._deliver(notifier, deadline) for notifier in self._notifiers))

    async def _deliver(self, notifier: Notifier, deadline: float) -> None:
        more = True
        while more and time.monotonic() < deadline:
            due = await self._claim(notifier.name)
            more = len(due) == _AT_ONCE
            for alert, attempts in due:
                await self._try(notifier, alert, attempts)

    async def _claim(self, name: str) -> Sequence[tuple[Alert, int]]:
        """Due alerts that no other process tries while this one does."""
        now = self._clock.now()
        return await self._database.write(
            lambda tx: alerts.claim_due(tx, name, now, now + _CLAIM, _AT_ONCE)
        )

    async def _try(self, notifier: Notifier, alert: Alert, attempts: int) -> None:
        name = notifier.name
        try:
            async with asyncio.timeout(_NOTIFY_SECONDS):
                await notifier.notify(alert)
        except Exception as problem:
            now = self._clock.now()
            later = now + min(_FIRST_RETRY * 2 ** min(attempts, 16), _LAST_RETRY)
            # Not its text: a vendor's error may quote a URL with a token in it.
            reason = (
                problem.message if isinstance(problem, MarginsError) else type(problem).__name__
            )
            _log.warning("alert %s not delivered by %s: %s", alert.alert_id, name, reason)
            await self._database.write(
                lambda tx: alerts.mark_failed(tx, alert.alert_id, name, now, later, reason[:500])
            )
        else:
            now = self._clock.now()
            await self._database.write(
                lambda tx: alerts.mark_delivered(tx, alert.alert_id, name, now)
            )


def _customers_by_tag(mapped: Mapped) -> dict[str, list[tuple[str, str]]]:
    """Each tag value's (provider, customer id) pairs."""
    found: dict[str, list[tuple[str, str]]] = {}
    for provider, customers in mapped.items():
        for customer_id, tag_value in customers.items():
            found.setdefault(tag_value, []).append((provider, customer_id))
    return found
