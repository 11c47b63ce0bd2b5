"""Delivers alerts while the product runs, so that a retry does not wait for the next cron call."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from nullspend_margins.errors import MarginsError
from nullspend_margins.services.alerts import AlertService
from nullspend_margins.services.notifier_queue import NotifierQueue

_JITTER = 0.1

Pause = Callable[[float], Awaitable[object]]
_log = logging.getLogger("nullspend_margins.alerts")


class AlertLoop:
    """Looks every ``seconds`` (0: never) whether something is due; one cheap read if not.

    Every notifier has a task of its own, so that a slow one keeps no other waiting. Tests bring
    their own ``pause``.
    """

    def __init__(self, alerts: AlertService, seconds: float, pause: Pause = asyncio.sleep) -> None:
        self._alerts = alerts
        self._seconds = seconds
        self._pause = pause
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_away = False

    def start(self) -> None:
        """Begin, on the running event loop."""
        if self._seconds > 0:
            self._spawn(self._run(), "margins-alerts")

    async def close(self) -> None:
        """Stop. An alert that is cut off on its way is tried again a minute later."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    async def look(self) -> None:
        """Start the delivery of what is due. Never raises: the loop goes on, come what may."""
        try:
            queues = await self._alerts.due()
        except MarginsError as problem:
            self._tell_away(problem)
            return
        except Exception:
            _log.exception("looking for alerts failed; it is tried again")
            return
        self._is_away = False
        for queue in queues:
            if not queue.is_busy:
                self._spawn(self._deliver(queue), f"margins-alerts-{queue.name}")

    async def _run(self) -> None:
        while True:
            # Many workers start at the same moment; jitter is no secret.
            spread = 1 + _JITTER * random.uniform(-1, 1)  # noqa: S311
            await self._pause(self._seconds * spread)
            await self.look()

    async def _deliver(self, queue: NotifierQueue) -> None:
        try:
            await queue.deliver_due()
        except MarginsError as problem:
            self._tell_away(problem)
        except Exception:
            _log.exception("delivering alerts by %s failed; it is tried again", queue.name)

    def _tell_away(self, problem: MarginsError) -> None:
        """Once an outage, not once a look."""
        if not self._is_away:
            self._is_away = True
            _log.warning("alerts wait: %s", problem.message)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
