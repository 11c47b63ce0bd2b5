"""Bringing months of long ago, one after the other: each a sync of its own that stays."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nullspend_margins.domain.connect_form import title_of
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue import RevenueWindow
from nullspend_margins.errors import SyncInProgress, ValidationFailed
from nullspend_margins.protocols import RevenueProvider
from nullspend_margins.services.connections import connected
from nullspend_margins.services.sync_report import SyncReport
from nullspend_margins.services.sync_run import BackfillMonth, SyncRun, SyncTools
from nullspend_margins.services.sync_staging import ProgressListener
from nullspend_margins.storage import connections
from nullspend_margins.storage.database import Transaction

MAX_MONTHS = 240
_LOOK_AGAIN_SECONDS = 2.0
_MOST_LOOKS = 450
"""A quarter of an hour: no cron call lets a sync run for longer."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillReport:
    """What a backfill brought: months before the window, and invoices in them.

    ``resumed_at`` is where it went on, if one that was not done had begun with the same month.
    """

    months: int
    invoices_fetched: int
    invoices_skipped: int
    resumed_at: Period | None


class Backfill:
    """Of one connection. A month that is stored is done: a run that is killed goes on there."""

    def __init__(
        self,
        tools: SyncTools,
        source: RevenueProvider,
        org_id: str,
        since: Period,
        progress: ProgressListener | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._tools = tools
        self._source = source
        self._org_id = org_id
        self._since = since
        self._progress = progress
        self._sleep = sleep

    async def months(self) -> list[Period]:
        """What is left to bring, oldest first: up to the window that every sync reads anyway.

        Raises ``ValidationFailed`` for a beginning that lies ahead or too far back, and
        ``NotFound`` without a connection.
        """
        window = RevenueWindow.ending(self._tools.clock.now())
        if not window.last.shift(1 - MAX_MONTHS) <= self._since <= window.last:
            raise ValidationFailed.of(
                ("since", f"must be one of the last {MAX_MONTHS} months, not {self._since}")
            )
        org_id, provider = self._org_id, self._source.name
        title = title_of(self._source, provider)
        connection = await self._tools.database.read(
            lambda tx: connected(tx, org_id, provider, title=title)
        )
        start = self._since
        if connection.backfill_first == start.index and connection.backfill_next is not None:
            start = Period(connection.backfill_next)
        return [Period(index) for index in range(start.index, window.first.index)]

    async def run(self) -> BackfillReport:
        """Bring them. Raises as ``SyncRun.run`` does; what was brought before stays."""
        left = await self.months()
        reports = [await self._bring(month) for month in left]
        await self._mark_done()
        resumed = left[0] if left and left[0] != self._since else None
        return BackfillReport(
            months=len(reports),
            invoices_fetched=sum(report.invoices_fetched for report in reports),
            invoices_skipped=sum(report.invoices_skipped for report in reports),
            resumed_at=resumed,
        )

    async def _bring(self, month: Period) -> SyncReport:
        """One month. Another sync of the org is waited for: it has a window of its own."""
        for _ in range(_MOST_LOOKS):
            run = SyncRun(
                self._tools,
                self._source,
                self._org_id,
                self._progress,
                backfill=BackfillMonth(month, self._since),
            )
            try:
                return await run.run()
            except SyncInProgress:
                await self._sleep(_LOOK_AGAIN_SECONDS)
        title = title_of(self._source, self._source.name)
        raise SyncInProgress(
            f"A sync of this org with {title} does not come to its end; "
            f"the backfill stopped before {month}, and goes on there."
        )

    async def _mark_done(self) -> None:
        def mark(tx: Transaction) -> None:
            connections.mark_backfilled(tx, self._org_id, self._source.name, None, None)

        await self._tools.database.write(mark)
