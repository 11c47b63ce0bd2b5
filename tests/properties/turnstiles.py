"""Processes that a property lets go on step by step, over one database and one provider.

Every question to the database and every page of the provider is a step: a process stops before
and after it, until it is let through, is cancelled there, or may run to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from nullspend_margins import Credential, Margins, RevenueFact
from nullspend_margins.app.runtime import build_services
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue import RevenueWindow
from nullspend_margins.services import Services
from nullspend_margins.services.sync_report import SyncReport
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
    complete: bool = False


@dataclass(eq=False)
class Process:
    """One process of the product: its own services and caches over the shared database."""

    name: str
    clock: FixedClock
    database: Database
    turnstile: Turnstile = field(default_factory=Turnstile)
    services: Services = field(init=False)
    task: asyncio.Task[SyncReport] | None = None
    told: Told | None = None
    failure: tuple[int, Exception] | None = None
    raised: Exception | None = None
    last_looked: datetime | None = None
    busy: int = 0

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
            yield
        finally:
            self.busy -= 1

    @property
    def is_running(self) -> bool:
        """In the middle of a sync."""
        return self.task is not None


stepping: ContextVar[Process | None] = ContextVar("stepping", default=None)
"""The process that this code belongs to."""


@dataclass(frozen=True)
class Invoice:
    """An invoice as the provider has it."""

    customer: str | None
    cents: int
    currency: str
    status: str
    moment: datetime


@dataclass
class Account:
    """What the provider knows: invoices, and (name, suggested tag) of its customers."""

    invoices: dict[str, Invoice] = field(default_factory=dict)
    customers: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)

    def paid(self, window: RevenueWindow | None = None) -> list[str]:
        """Ids of the paid invoices, of these months or of all, newest first."""
        found = [
            (invoice.moment, object_id)
            for object_id, invoice in self.invoices.items()
            if invoice.status == "paid" and (window is None or is_within(invoice.moment, window))
        ]
        return [object_id for _, object_id in sorted(found, reverse=True)]

    def fact(self, object_id: str) -> RevenueFact:
        invoice = self.invoices[object_id]
        name, tag = self.customers.get(invoice.customer or "", (None, None))
        return RevenueFact(
            object_id=object_id,
            customer_id=invoice.customer,
            amount_minor=invoice.cents,
            currency=invoice.currency,
            occurred_at=invoice.moment,
            customer_name=name,
            suggested_tag=tag,
        )

    def change(self, object_id: str, **values: object) -> None:
        self.invoices[object_id] = replace(self.invoices[object_id], **values)


def is_within(moment: datetime, window: RevenueWindow) -> bool:
    return window.first <= Period.containing(moment) <= window.last


@dataclass
class PagedProvider:
    """One account for all credentials, in pages of two; the first comes twice.

    It tells more than it is asked for: invoices outside the window too, which are to be kept.
    """

    account: Account = field(default_factory=Account)
    commits: int = 0
    """How many syncs have gone well; each notes how many before it."""
    connects: int = 0
    """How often the org was connected, disconnected, or given another key; noted likewise."""
    name = "stripe"

    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        return Credential(secret=str(body["key"]), label="key")

    async def check_credential(self, secret: str) -> None:
        pass

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return True

    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncIterator[Sequence[RevenueFact]]:
        process = stepping.get()
        assert process is not None
        assert process.last_looked is not None
        told = process.told = Told(process.last_looked, window, self.commits, self.connects)
        ids = self.account.paid()
        pages = [ids[start : start + 2] for start in range(0, len(ids), 2)]
        for number, page in enumerate([*pages, *pages[:1]]):
            await process.turnstile.stop()
            _fail(process, number)
            paid = set(self.account.paid())
            facts = [self.account.fact(object_id) for object_id in page if object_id in paid]
            told.facts |= {fact.object_id: fact for fact in facts}
            yield facts
        await process.turnstile.stop()
        _fail(process, None)
        told.complete = True


def _fail(process: Process, number: int | None) -> None:
    """At the page that was said; a failure for a page that never comes comes at the end."""
    if process.failure is not None and number in (None, process.failure[0]):
        _, process.raised = process.failure
        process.failure = None
        raise process.raised


def process(name: str, margins: Margins, clock: FixedClock, database: Database) -> Process:
    made = Process(name, clock, database)
    stepped: Any = made  # a clock and a database as far as services know one
    made.services = build_services(
        margins.config, margins.registry, stepped, stepped, margins.recorder
    )
    return made


async def start(one: Process, org_id: str, *, stepwise: bool = True) -> None:
    """Begin a sync; it stops at its first step."""

    async def run() -> SyncReport:
        stepping.set(one)
        return await one.services.sync.sync(org_id, "stripe")

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


async def ended(one: Process) -> SyncReport | BaseException:
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


async def cancelled(one: Process) -> SyncReport | BaseException:
    """Stop it where it is, as the end of its process would."""
    closing = asyncio.create_task(one.services.sync.close())
    await asyncio.sleep(0)
    outcome = await ended(one)
    await closing
    return outcome
