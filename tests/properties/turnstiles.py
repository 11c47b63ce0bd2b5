"""Processes that a property lets go on step by step, over one database and one provider.

Every question to the database and every page of the provider is a step: a process stops before
and after it, until it is let through, is cancelled there, or may run to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from nullspend_margins import Margins, Period, RevenueFact
from nullspend_margins.app.runtime import build_services
from nullspend_margins.domain.revenue import RevenueWindow
from nullspend_margins.errors import ServiceUnavailable
from nullspend_margins.services import Services
from nullspend_margins.services.backfill import BackfillReport
from nullspend_margins.services.sync_report import SyncReport
from nullspend_margins.services.sync_staging import SyncProgress
from nullspend_margins.storage.database import Database, Transaction
from tests.world import FixedClock

T = TypeVar("T")

PATIENCE_SECONDS = 60


class Turnstile:
    """Stops whoever comes, unless it stands open."""

    def __init__(self) -> None:
        self.open = True
        self.arrived = asyncio.Event()
        self._passes = asyncio.Semaphore(0)

    async def stop(self) -> None:
        """Wait here for a pass."""
        if not self.open:
            self.arrived.set()
            await self._passes.acquire()

    def close(self) -> None:
        """From now on nobody passes by themselves."""
        self.open = False
        self.arrived = asyncio.Event()
        self._passes = asyncio.Semaphore(0)

    def let_one_through(self) -> None:
        self.arrived.clear()
        self._passes.release()

    def let_all_through(self) -> None:
        self.open = True
        for _ in range(10):  # more than ever wait at once
            self._passes.release()


@dataclass(eq=False)
class Told:
    """What the provider has told one sync, and when that sync began by its own clock."""

    began: datetime
    window: RevenueWindow
    commits: int
    connects: int
    facts: dict[str, RevenueFact] = field(default_factory=dict)
    cursor: str | None = None
    fetched: int = 0
    """Invoices of the window, each as often as it was told."""
    complete: bool = False


@dataclass(eq=False)
class Process:
    """One process of the product: its own services and caches over the shared database."""

    name: str
    clock: FixedClock
    database: Database
    turnstile: Turnstile = field(default_factory=Turnstile)
    services: Services = field(init=False)
    task: asyncio.Task[SyncReport | BackfillReport] | None = None
    told: Told | None = None
    failure: tuple[int, Exception] | None = None
    raised: Exception | None = None
    last_looked: datetime | None = None
    busy: int = 0
    is_dead: bool = False
    progress: list[SyncProgress] = field(default_factory=list)

    def now(self) -> datetime:
        """The clock all processes share; it is remembered when a sync of this one looked at it."""
        moment = self.clock.now()
        if stepping.get() is self:
            self.last_looked = moment
        return moment

    async def read(self, work: Callable[[Transaction], T]) -> T:
        async with self._step():
            return await self.database.read(work)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        async with self._step():
            result = await self.database.write(work)
            if stepping.get() is self:  # written, and the one who asked does not know it yet
                await self.turnstile.stop()
            return result

    @asynccontextmanager
    async def _step(self) -> AsyncIterator[None]:
        self.busy += 1
        try:
            if stepping.get() is self:
                await self.turnstile.stop()
            if self.is_dead:
                raise ServiceUnavailable("This process does not live any more.")
            yield
        finally:
            self.busy -= 1

    @property
    def is_running(self) -> bool:
        """In the middle of a sync."""
        return self.task is not None


stepping: ContextVar[Process | None] = ContextVar("stepping", default=None)
"""The process that this code belongs to."""


def process(name: str, margins: Margins, clock: FixedClock, database: Database) -> Process:
    made = Process(name, clock, database)
    stepped: Any = made  # a clock and a database as far as services know one
    made.services = build_services(
        margins.config, margins.registry, stepped, stepped, margins.recorder
    )
    return made


async def start(
    one: Process, org_id: str, *, stepwise: bool = True, since: Period | None = None
) -> None:
    """Begin a sync, or a backfill ``since`` a month; it stops at its first step."""

    async def run() -> SyncReport | BackfillReport:
        stepping.set(one)
        if since is not None:
            return await one.services.sync.backfill(org_id, "stripe", since)
        return await one.services.sync.sync(org_id, "stripe", one.progress.append)

    one.told = one.raised = None
    if stepwise:
        one.turnstile.close()
    one.task = asyncio.create_task(run())
    if stepwise:
        await _arrival(one)


async def step(one: Process) -> None:
    """Let it go on to its next step, or to its end."""
    one.turnstile.let_one_through()
    await _arrival(one)


async def _arrival(one: Process) -> None:
    assert one.task is not None
    arrived = asyncio.create_task(one.turnstile.arrived.wait())
    done, _ = await asyncio.wait(
        {one.task, arrived}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE_SECONDS
    )
    arrived.cancel()
    assert done, f"{one.name} hangs"


async def ended(one: Process) -> SyncReport | BackfillReport | BaseException:
    """Let it run to its end, and all that it has left behind."""
    assert one.task is not None
    one.turnstile.let_all_through()
    await asyncio.wait({one.task}, timeout=PATIENCE_SECONDS)
    assert one.task.done(), f"{one.name} hangs"
    task, one.task, one.failure = one.task, None, None
    quiet = 0
    while quiet < 5:  # what was shielded from a cancellation goes on after it
        await asyncio.sleep(0)
        quiet = 0 if one.busy else quiet + 1
    if task.cancelled():
        return asyncio.CancelledError()
    return task.exception() or task.result()


async def cancelled(one: Process) -> SyncReport | BackfillReport | BaseException:
    """Stop it where it is, as the end of its process would."""
    closing = asyncio.create_task(one.services.sync.close())
    await asyncio.sleep(0)
    outcome = await ended(one)
    await closing
    return outcome


async def killed(one: Process) -> None:
    """End it where it is, with all that it would still have written; then it is there again."""
    one.is_dead = True
    await cancelled(one)
    one.is_dead = False
