"""How far one sync is, written down while it runs: any process may be asked about it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal

from nullspend_margins.domain.period import Period
from nullspend_margins.errors import MarginsError
from nullspend_margins.protocols import Clock
from nullspend_margins.services.sync_staging import ProgressListener, SyncProgress
from nullspend_margins.storage import syncs
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.leases import Lease

Stage = Literal["reading", "costs", "storing"]
"""``reading``: pages of the provider come in. ``costs``: cost sources outside are asked, for
matches and alerts. ``storing``: all of it is applied at once."""

EVERY_SECONDS = 1.0

Sleep = Callable[[float], Awaitable[None]]

_log = logging.getLogger("nullspend_margins.sync")


class SyncBook:
    """Of one run. It writes a row at the beginning, then what is new: once a second, and where a
    stage begins.

    Each write is for the lease's fence alone: a run that lost its lease cannot write over its
    successor. A database that is away is logged and no reason to stop.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        org_id: str,
        provider: str,
        month: Period | None = None,
        listener: ProgressListener | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._mine = org_id, provider
        self._month = month
        self._listener = listener
        self._sleep = sleep
        self._now: tuple[Stage, int] = ("reading", 0)
        self._written: tuple[Stage, int] = self._now
        self._is_long = False

    def note(self, progress: SyncProgress) -> None:
        """The listener of the run's staging."""
        self._now = self._now[0], progress.invoices_fetched
        if self._listener is not None:
            self._listener(progress)

    async def turn_to(self, stage: Stage, lease: Lease) -> None:
        """The run goes on to ``stage``: written at once, but for a run that is over soon."""
        self._now = stage, self._now[1]
        if self._is_long:
            await self._write(lease)

    async def begin(self, lease: Lease) -> None:
        """The run has the lease, and begins."""
        stage, _ = self._now
        month = None if self._month is None else self._month.index
        await self._database.write(
            lambda tx: syncs.begin(
                tx, *self._mine, lease.fence, self._clock.now(), stage=stage, month=month
            )
        )

    @asynccontextmanager
    async def kept(self, lease: Lease) -> AsyncIterator[None]:
        """While the body runs, what is new is written once a second."""
        keeping = asyncio.create_task(self._keep(lease), name="margins-sync-progress")
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    async def _keep(self, lease: Lease) -> None:
        while True:
            await self._sleep(EVERY_SECONDS)
            self._is_long = True
            if self._now != self._written:
                await self._write(lease)

    async def _write(self, lease: Lease) -> None:
        stage, fetched = self._written = self._now
        try:
            await self._database.write(
                lambda tx: syncs.tell(
                    tx,
                    *self._mine,
                    lease.fence,
                    self._clock.now(),
                    stage=stage,
                    invoices_fetched=fetched,
                )
            )
        except MarginsError as problem:
            _log.warning("progress of a sync not written: %s", problem.message)
