"""Revenue syncs: one on request, or all that are due (the cron route and the command)."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from nullspend_margins.config import Config
from nullspend_margins.domain.period import Period
from nullspend_margins.errors import InternalError, MarginsError, SyncInProgress
from nullspend_margins.plugins import Registry
from nullspend_margins.recording import Recorder
from nullspend_margins.services.access import AccessService
from nullspend_margins.services.backfill import Backfill, BackfillReport
from nullspend_margins.services.connections import installed_provider
from nullspend_margins.services.cost_puller import CostPuller
from nullspend_margins.services.pruning import Pruning
from nullspend_margins.services.staleness import StalenessWatch
from nullspend_margins.services.sync_report import SyncReport
from nullspend_margins.services.sync_run import SyncRun, SyncTools
from nullspend_margins.services.sync_staging import ProgressListener
from nullspend_margins.storage import connections

_Result = TypeVar("_Result")
_SHARE_FOR_REPLAYING = 0.25
"""Of a cron call's time: journals may be longer than it."""
_SHARE_FOR_PULLING = 0.5
"""Of what is left then: a slow cost source must not keep revenue from being synced."""
_SHARE_FOR_TELLING = 0.5
"""Of what is left each time, for silent sources or alerts: no receiver may take all of it."""

_log = logging.getLogger("nullspend_margins.sync")


@dataclass(frozen=True, slots=True)
class CronReport:
    """Connections synced, and those that failed. Busy ones count as neither."""

    synced: int
    errors: int


class SyncService:
    """Runs syncs in tasks of its own: a caller that goes away does not stop one."""

    def __init__(
        self,
        tools: SyncTools,
        registry: Registry,
        access: AccessService,
        puller: CostPuller,
        watch: StalenessWatch,
        config: Config,
        recorder: Recorder,
    ) -> None:
        self._tools = tools
        self._providers = registry.revenue_providers
        self._access = access
        self._puller = puller
        self._recorder = recorder
        self._watch = watch
        self._cron = config.cron
        self._dedupe_days = config.ingest.dedupe_days
        self._running: set[asyncio.Task[Any]] = set()

    async def sync(
        self, org_id: str, provider: str, progress: ProgressListener | None = None
    ) -> SyncReport:
        """Sync one connection; see ``SyncRun.run`` for what it raises."""
        return await self._own(self._sync_and_deliver(org_id, provider, progress))

    async def begin(self, org_id: str, provider: str) -> None:
        """Sync one connection, and come back when that is at work: what becomes of it is kept
        with the connection. Raises what ``SyncRun.run`` raises before it begins.
        """
        begun = asyncio.Event()
        running = self._start(self._sync_alone(org_id, provider, begun), "margins-sync")
        waiting = self._start(begun.wait(), "margins-sync-begins")
        try:
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if not begun.is_set():
            running.result()

    async def backfill(
        self, org_id: str, provider: str, since: Period, progress: ProgressListener | None = None
    ) -> BackfillReport:
        """Bring the months from ``since`` up to the window of syncs; see ``Backfill.run``."""
        return await self._own(self._backfill(org_id, provider, since, progress).run())

    async def months_to_backfill(self, org_id: str, provider: str, since: Period) -> int:
        """How many months such a backfill has to bring."""
        return len(await self._backfill(org_id, provider, since).months())

    def _backfill(
        self, org_id: str, provider: str, since: Period, progress: ProgressListener | None = None
    ) -> Backfill:
        source = installed_provider(provider, self._providers)
        return Backfill(self._tools, source, org_id, since, progress)

    async def sync_all(self, provider: str | None = None) -> CronReport:
        """Replay journals, pull cost sources, tell of those that are silent, sync what is due,
        prune, deliver alerts.

        Connections least recently synced first, within ``[cron] time_budget_seconds``; with
        ``provider``, only that provider's. One org's failure never stops another's.
        Raises ``NotFound`` for a provider that is not installed.
        """
        if provider is not None:
            installed_provider(provider, self._providers)
        return await self._own(self._sync_due(provider))

    async def due(self, provider: str | None = None) -> list[tuple[str, str]]:
        """Connections to sync as (org, provider), least recently attempted first.

        Revoked ones are left out; whether the org's plan still qualifies is not looked at.
        """
        return await self._tools.database.read(lambda tx: connections.due(tx, provider))

    async def pull_costs(self) -> int:
        """Pull every cost source from where it stopped, and tell of those that are silent.

        Returns how many failed.
        """
        return await self._own(self._pull_and_look())

    async def replay(self, seconds: float | None = None) -> bool:
        """Store what dead processes left in their journals; whether nothing of it is left."""
        try:
            return await self._recorder.adopt(seconds)
        except OSError as problem:
            _log.warning("journals not replayed: %s", problem.strerror or problem)
            return False

    async def close(self) -> None:
        """Stop what is running; its leases are given back."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    async def _pull_and_look(self) -> int:
        pulled = await self._puller.pull_all()
        await self._watch.look()
        return pulled.failed

    async def _own(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        return await asyncio.shield(self._start(work, "margins-sync"))

    def _start(self, work: Coroutine[Any, Any, _Result], name: str) -> asyncio.Task[_Result]:
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # a caller that went away leaves nobody else to look at it

    async def _sync_alone(self, org_id: str, provider: str, begun: asyncio.Event) -> None:
        """With nobody who waits for its end."""
        try:
            await self._sync_and_deliver(org_id, provider, None, begun.set)
        except InternalError:
            _log.exception("sync of org %s (%s) failed", org_id, provider)
            raise
        except MarginsError as problem:
            if not begun.is_set():
                raise
            _log.warning("sync of org %s (%s) failed: %s", org_id, provider, problem.message)

    async def _sync_and_deliver(
        self,
        org_id: str,
        provider: str,
        progress: ProgressListener | None,
        begun: Callable[[], None] = lambda: None,
    ) -> SyncReport:
        report = await self._run(org_id, provider, progress, begun=begun)
        # Told after the answer: a slow notifier is no part of a sync.
        self._start(self._deliver_alerts(), "margins-alerts")
        return report

    async def _run(
        self,
        org_id: str,
        provider: str,
        progress: ProgressListener | None = None,
        round_began: datetime | None = None,
        begun: Callable[[], None] = lambda: None,
    ) -> SyncReport:
        source = installed_provider(provider, self._providers)
        run = SyncRun(self._tools, source, org_id, progress, round_began, begun=begun)
        return await run.run()

    async def _sync_due(self, provider: str | None) -> CronReport:
        budget = self._cron.time_budget_seconds
        deadline = time.monotonic() + budget
        began = self._tools.clock.now()
        await self.replay(budget * _SHARE_FOR_REPLAYING)
        pulled = await self._puller.pull_all((deadline - time.monotonic()) * _SHARE_FOR_PULLING)
        await self._watch.look(_end_of_telling(deadline))
        due = iter(await self._tools.database.read(lambda tx: connections.due(tx, provider)))
        outcomes: list[bool] = []

        async def work() -> None:
            for org_id, name in due:
                if time.monotonic() >= deadline:
                    _log.warning("cron stopped at its time budget; the rest is first next time")
                    return
                outcome = await self._try(org_id, name, deadline, began)
                if outcome is not None:
                    outcomes.append(outcome)

        # What is due already goes out meanwhile: syncs may take all the time there is.
        waiting = self._deliver_alerts(_end_of_telling(deadline))
        await asyncio.gather(waiting, *(work() for _ in range(self._cron.concurrency)))
        await self._prune(deadline, pulled.unread)
        await self._deliver_alerts(_end_of_telling(deadline))
        return CronReport(outcomes.count(True), outcomes.count(False))

    async def _try(
        self, org_id: str, provider: str, deadline: float, began: datetime
    ) -> bool | None:
        """True: synced; False: failed; ``None``: not ours to sync now."""
        limit = asyncio.timeout(max(0.0, deadline - time.monotonic()))
        try:
            async with limit:
                if not await self._access.has_plan(org_id):
                    return None
                await self._run(org_id, provider, round_began=began)
        except SyncInProgress:
            return None
        except Exception as problem:
            if isinstance(problem, TimeoutError) and limit.expired():
                _log.warning("sync of org %s (%s) stopped at the time budget", org_id, provider)
            elif isinstance(problem, MarginsError) and not isinstance(problem, InternalError):
                _log.warning("sync of org %s (%s) failed: %s", org_id, provider, problem.message)
            else:
                _log.exception("sync of org %s (%s) failed", org_id, provider)
            return False
        return True

    async def _deliver_alerts(self, deadline: float = math.inf) -> None:
        try:
            await self._tools.alerts.deliver_due(deadline)
        except MarginsError as problem:
            _log.warning("alerts not delivered: %s", problem.message)
        except Exception:  # a defect there is no reason to stop syncs here
            _log.exception("alerts not delivered")

    async def _prune(self, deadline: float, unread: Sequence[str]) -> None:
        """Forget raw events older than ``[ingest] dedupe_days``, but of sources in ``unread``."""
        if self._dedupe_days is not None:
            pruning = Pruning(self._tools.clock.now(), self._dedupe_days, keep=unread)
            await pruning.run(self._tools.database, deadline)


def _end_of_telling(deadline: float) -> float:
    """When to stop telling of something now, and go on until ``deadline``: monotonic times."""
    now = time.monotonic()
    return now + (deadline - now) * _SHARE_FOR_TELLING
