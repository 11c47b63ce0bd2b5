"""Notifiers of every temper, and an alert service over them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from nullspend_margins import Alert
from nullspend_margins.config import AlertSettings, Config
from nullspend_margins.plugins import Registry
from nullspend_margins.services.alerts import AlertService
from nullspend_margins.services.cost_reader import CostReader
from nullspend_margins.storage import alerts
from nullspend_margins.storage.database import Database
from tests.storage.alerting import CROSSING
from tests.world import ORG, FixedClock

NOBODY_ELSE = timedelta(minutes=1, seconds=1)
"""After this a claim has lapsed."""


class Listener:
    """Hears, or raises what it is told to."""

    def __init__(self, name: str = "listener", problem: BaseException | None = None) -> None:
        self.name = name
        self.problem = problem
        self.heard: list[str] = []
        self.asked = 0

    async def notify(self, alert: Alert) -> None:
        self.asked += 1
        if self.problem is not None:
            raise self.problem
        self.heard.append(alert.alert_id)


class Hanging:
    """Waits until it is let go, or cancelled."""

    def __init__(self, name: str = "hanging", *, obeys: bool = True) -> None:
        self.name = name
        self.entered = asyncio.Event()
        self.released = asyncio.Event()
        self.was_cancelled = False
        self._obeys = obeys

    async def notify(self, alert: Alert) -> None:
        self.entered.set()
        while not self.released.is_set():
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                self.was_cancelled = True
                if self._obeys:
                    raise


class Outbox:
    """An alert service, its clock, and what is in its database."""

    def __init__(
        self,
        database: Database,
        *notifiers: Any,
        attempts: int = 10,
        notify_seconds: float = 15,
        clock: FixedClock | None = None,
    ) -> None:
        registry = Registry(notifiers=notifiers)
        config = replace(Config(), alerts=AlertSettings(attempts=attempts))
        self.database = database
        self.clock = clock or FixedClock()
        self.service = AlertService(
            database, registry, CostReader(registry), self.clock, config, notify_seconds
        )

    async def put(self, *alert_ids: str, to: str = "listener", org_id: str = ORG) -> None:
        """Alerts for one notifier, due at once."""
        now = self.clock.now()
        for alert_id in alert_ids:
            crossing = replace(CROSSING, customer_id=f"cus_of_{alert_id}")
            await self.database.write(
                lambda tx, alert_id=alert_id, crossing=crossing: alerts.enqueue(
                    tx, org_id, {alert_id: crossing}, now, [to]
                )
            )

    async def deliver(self) -> None:
        await self.service.deliver_due()

    async def states(self) -> dict[str, tuple[str, int, str | None]]:
        """State, attempts and reason of each alert, by its id and notifier."""
        now = self.clock.now()
        found = await self.service.deliveries_of_every_org()
        return {
            f"{each.alert.alert_id} {each.notifier}": (
                each.state(now), each.attempts, each.reason(now),
            )
            for each in found
        }  # fmt: skip

    async def next_attempt(self, alert_id: str) -> datetime:
        found = await self.service.deliveries_of_every_org()
        return next(each.next_attempt_at for each in found if each.alert.alert_id == alert_id)

    async def until_dead(self, alert_id: str = "evt_1") -> int:
        """Let time pass until it is given up; how many attempts that took."""
        for attempt in range(1, 1000):
            await self.deliver()
            found = await self.service.deliveries_of_every_org(dead=True)
            if alert_id in {each.alert.alert_id for each in found}:
                return attempt
            self.clock.moment = max(self.clock.moment, await self.next_attempt(alert_id))
        raise AssertionError("never given up")


class CountingDatabase(Database):
    """Counts writes; ``fail_at`` is the number of one that does not get through."""

    def __init__(self, url: str, fails: Callable[[int], bool] = lambda number: False) -> None:
        super().__init__(url)
        self.writes = 0
        self.reads = 0
        self._fails = fails

    async def read(self, work: Any, *, is_long: bool = False) -> Any:
        self.reads += 1
        return await super().read(work, is_long=is_long)

    async def write(self, work: Any) -> Any:
        from nullspend_margins import ServiceUnavailable

        self.writes += 1
        if self._fails(self.writes):
            raise ServiceUnavailable("The database does not answer; try again.")
        return await super().write(work)
