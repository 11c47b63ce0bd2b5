"""Alerts: written with the numbers they speak of, delivered later through an outbox."""

from __future__ import annotations

import asyncio
import logging
import math
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta

from nullspend_margins.config import Config
from nullspend_margins.domain.alert import AlertDelivery, AlertRecord, Occurrence
from nullspend_margins.domain.cost import MonthCost
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.period import Months
from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import Clock
from nullspend_margins.services.cost_reader import CostReader
from nullspend_margins.services.crossings import CrossingFinder
from nullspend_margins.services.notifier_queue import NOTIFY_SECONDS, NotifierQueue, Resent
from nullspend_margins.storage import alert_outbox, alerts, mappings
from nullspend_margins.storage.alerts import DeliveryFilter
from nullspend_margins.storage.database import Database, Transaction

LIST_LIMIT = 50
MAX_LIST_LIMIT = 1000
_ORPHANS_SINCE = timedelta(days=3)
"""Older ones are only listed: who took a notifier away need not hear of it at every start."""

_log = logging.getLogger("nullspend_margins.alerts")


class AlertService:
    """Writes alerts, and tells the notifiers until each has heard."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        costs: CostReader,
        clock: Clock,
        config: Config,
        notify_seconds: float = NOTIFY_SECONDS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._crossings = CrossingFinder(costs, config.health.thresholds, config.revenue.basis)
        self._queues = {
            each.name: NotifierQueue(each, database, clock, config, notify_seconds)
            for each in registry.notifiers
        }
        self._looked_for_orphans = False

    def months(self, now: datetime) -> Months:
        """The two months a crossing is judged by."""
        return self._crossings.months(now)

    def enqueue_crossings(
        self, tx: Transaction, org_id: str, now: datetime, remote: Sequence[MonthCost]
    ) -> int:
        """Write an alert for each customer whose tier got worse since last period.

        Once for each (org, customer, period, tier). Returns how many are new.
        """
        return self.enqueue(tx, org_id, now, self._crossings.find(tx, org_id, now, remote))

    def enqueue(
        self, tx: Transaction, org_id: str, now: datetime, found: Iterable[Occurrence]
    ) -> int:
        """Write an alert for each of ``found`` that has none, whatever its type.

        Due at once, for each notifier that is loaded and takes the org. Returns how many are new.
        """
        audience = [queue.name for queue in self._queues.values() if queue.takes(org_id)]
        named = {f"evt_{uuid.uuid4().hex}": each for each in found}
        return alerts.enqueue(tx, org_id, named, now, audience)

    async def due(self) -> list[NotifierQueue]:
        """The queues with something to deliver now. One read, no write.

        The first time it also logs what waits for notifiers that are not loaded. Raises
        ``ServiceUnavailable``.
        """
        now = self._clock.now()
        look_for_orphans = not self._looked_for_orphans

        def look(tx: Transaction) -> tuple[list[str], dict[str, int]]:
            found = {}
            if look_for_orphans:
                found = alerts.orphans(tx, tuple(self._queues), now, now - _ORPHANS_SINCE)
            return alert_outbox.due_notifiers(tx, self._queues, now), found

        names, orphans = await self._database.read(look)
        self._looked_for_orphans = True
        for name, count in orphans.items():
            _log.warning(
                "%d alert(s) wait for the notifier %s, which is not loaded here; "
                "`nullspend-margins alerts list --dead` shows them",
                count,
                name,
            )
        return [self._queues[name] for name in names]

    async def deliver_due(self, deadline: float = math.inf) -> None:
        """Try every alert that is due, each notifier on its own; wait for running attempts.

        At ``deadline`` (of ``time.monotonic()``) it starts no further attempt; the rest is due
        next time. Raises ``ServiceUnavailable``, after the others are done.
        """
        due = await self.due()
        busy = [queue for queue in self._queues.values() if queue.is_busy and queue not in due]
        outcomes = await asyncio.gather(
            *(queue.deliver_due(deadline) for queue in (*due, *busy)), return_exceptions=True
        )
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def deliveries(
        self, org_id: str, *, dead: bool = False, limit: int = LIST_LIMIT
    ) -> list[AlertDelivery]:
        """The org's deliveries, newest alert first; with ``dead`` those alone that are dead."""
        wanted = self._filter(dead=dead, limit=limit)
        return await self._database.read(lambda tx: alerts.deliveries(tx, org_id, wanted))

    async def of_customer(self, org_id: str, tag_value: str, months: Months) -> list[AlertRecord]:
        """What was raised of the margin of one customer in ``months``, newest first.

        Of whom the tag value is mapped to now, whatever it was called then.
        """

        def read(tx: Transaction) -> list[AlertRecord]:
            return [
                record
                for mapped in mappings.for_tag(tx, org_id, CUSTOMER_TAG_KEY, tag_value)
                for record in alerts.of_customer(
                    tx, org_id, mapped.provider, mapped.customer_id, months, tuple(self._queues)
                )
            ]

        found = await self._database.read(read)
        return sorted(found, key=lambda record: record.raised_at, reverse=True)

    async def deliveries_of_every_org(
        self, *, dead: bool = False, limit: int = LIST_LIMIT
    ) -> list[AlertDelivery]:
        """The same across orgs: for the operator alone."""
        wanted = self._filter(dead=dead, limit=limit)
        return await self._database.read(lambda tx: alerts.deliveries_of_every_org(tx, wanted))

    async def resend(
        self, org_id: str, *, alert_id: str | None = None, notifier: str | None = None
    ) -> AsyncIterator[Resent]:
        """Put the org's dead deliveries back, their attempts starting anew, and try each now.

        ``alert_id`` and ``notifier`` narrow them down. Oldest alert first.
        """
        wanted = self._filter(dead=True, alert_id=alert_id, notifier=notifier)
        found = await self._database.read(lambda tx: alerts.deliveries(tx, org_id, wanted))
        for delivery in reversed(found):
            yield await self._resend(delivery)

    async def resend_of_every_org(
        self, *, alert_id: str | None = None, notifier: str | None = None
    ) -> AsyncIterator[Resent]:
        """The same across orgs: for the operator alone."""
        wanted = self._filter(dead=True, alert_id=alert_id, notifier=notifier)
        found = await self._database.read(lambda tx: alerts.deliveries_of_every_org(tx, wanted))
        for delivery in reversed(found):
            yield await self._resend(delivery)

    async def _resend(self, delivery: AlertDelivery) -> Resent:
        queue = self._queues.get(delivery.notifier)
        if queue is None:
            await self._put_back(delivery)
            return Resent(delivery, "put back")
        return await queue.resend(delivery)

    async def _put_back(self, delivery: AlertDelivery) -> None:
        alert, now = delivery.alert, self._clock.now()
        await self._database.write(
            lambda tx: alert_outbox.revive(tx, alert.org_id, alert.alert_id, delivery.notifier, now)
        )

    def _filter(
        self,
        *,
        dead: bool,
        alert_id: str | None = None,
        notifier: str | None = None,
        limit: int | None = None,
    ) -> DeliveryFilter:
        return DeliveryFilter(
            loaded=frozenset(self._queues),
            now=self._clock.now(),
            alert_id=alert_id,
            notifier=notifier,
            dead=dead,
            limit=None if limit is None else min(limit, MAX_LIST_LIMIT),
        )
