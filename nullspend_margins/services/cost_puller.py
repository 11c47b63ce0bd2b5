"""Reads cost sources that are pulled: each batch with its cursor in one transaction.

A source that was read has delivered, even when there was nothing new; one that fails keeps the
time when it last did, and its error.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum, auto
from typing import NamedTuple

from nullspend_margins.domain.cost import CostEvent
from nullspend_margins.domain.delivery import ALL_ORGS, Delivery
from nullspend_margins.domain.fields import string_problem
from nullspend_margins.domain.text import MAX_TEXT, one_line
from nullspend_margins.errors import MarginsError, ValidationFailed
from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import MAX_CURSOR, Clock, CostBatch, PulledCostSource
from nullspend_margins.services.closing import closing
from nullspend_margins.services.delivery_log import DeliveryLog
from nullspend_margins.services.leasing import LeaseKeeper, source_lease
from nullspend_margins.storage import cost_deliveries, costs, leases, revisions
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.events import insert_events, without_pruned
from nullspend_margins.storage.facts import replace_facts
from nullspend_margins.storage.leases import Lease

_log = logging.getLogger("nullspend_margins.costs")


class PullReport(NamedTuple):
    """How many sources failed, and the names of all that were not read to their end.

    Those are the failed ones too, those that go on next time, and those that are read elsewhere.
    """

    failed: int
    unread: Sequence[str]


class _End(Enum):
    READ, FAILED, UNFINISHED = auto(), auto(), auto()


class CostPuller:
    """Pulls every source from where it stopped; one failing does not stop another."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        keeper: LeaseKeeper,
        clock: Clock,
        dedupe_days: int | None,
    ) -> None:
        self._database = database
        self._sources = [
            source for source in registry.cost_sources if isinstance(source, PulledCostSource)
        ]
        self._keeper = keeper
        self._clock = clock
        self._dedupe_days = dedupe_days
        self._deliveries = DeliveryLog()

    async def pull_all(self, seconds: float | None = None) -> PullReport:
        """Pull every source that nobody else is pulling.

        A source that takes longer than ``seconds`` is stopped and goes on from its last stored
        batch next time; that is no failure.
        """
        ends = await asyncio.gather(*(self._try(source, seconds) for source in self._sources))
        named = zip(self._sources, ends, strict=True)
        unread = [source.name for source, end in named if end is not _End.READ]
        return PullReport(ends.count(_End.FAILED), unread)

    async def _try(self, source: PulledCostSource, seconds: float | None) -> _End:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await self._pull(source)
        except MarginsError as problem:
            _log.warning("cost source %s stopped: %s", source.name, problem.message)
        except Exception as problem:
            # A source has time-outs of its own, and so has the system.
            if isinstance(problem, TimeoutError) and limit.expired():
                _log.warning("cost source %s goes on next time: its time is up", source.name)
                return _End.UNFINISHED
            _log.exception("cost source %s failed", source.name)
        return _End.FAILED

    async def _pull(self, source: PulledCostSource) -> _End:
        # A source delivers for many orgs, so its lease belongs to none.
        async with self._keeper.hold(ALL_ORGS, source_lease(source.name)) as lease:
            if lease is None:
                return _End.UNFINISHED
            try:
                await self._read(source, lease)
            except Exception as problem:
                await self._record_failure(source.name, problem, lease)
                raise
        return _End.READ

    async def _read(self, source: PulledCostSource, lease: Lease) -> None:
        cursor = await self._database.read(lambda tx: costs.load_cursor(tx, source.name))
        async with closing(lambda: source.pull(cursor)) as batches:
            async for batch in batches:
                await self._write(source.name, batch, lease)

        def mark(tx: Transaction) -> None:
            leases.verify(tx, lease)
            cost_deliveries.mark_answered(tx, source.name, self._clock.now())

        await self._database.write(mark)

    async def _record_failure(self, name: str, problem: Exception, lease: Lease) -> None:
        if isinstance(problem, MarginsError):
            error = one_line(problem.message)
        else:  # what a driver says may quote an address or a query
            error = f"{type(problem).__name__}; the log says more."

        def mark(tx: Transaction) -> None:
            leases.verify(tx, lease)
            cost_deliveries.mark_failed(tx, name, error)

        try:
            await self._database.write(mark)
        except MarginsError as unrecorded:
            _log.warning("failure of cost source %s not kept: %s", name, unrecorded.message)

    async def _write(self, name: str, batch: CostBatch, lease: Lease) -> None:
        _check(batch)
        written = await self._database.write(lambda tx: self._store(tx, name, batch, lease))
        self._deliveries.note(written)

    def _store(self, tx: Transaction, name: str, batch: CostBatch, lease: Lease) -> list[Delivery]:
        """Returns which deliveries were written down: of the org, and of the source."""
        now = self._clock.now()
        leases.verify(tx, lease)
        if batch.events:
            insert_events(tx, batch.org_id, name, self._countable(tx, name, batch), now)
        if batch.facts:
            replace_facts(tx, batch.org_id, name, batch.facts, now)
        costs.save_cursor(tx, name, batch.cursor, now)
        unwritten = self._deliveries.unwritten(
            [
                Delivery.of(batch.org_id, name, now, batch.events, batch.facts),
                Delivery.of(ALL_ORGS, name, now),
            ]
        )
        cost_deliveries.record(tx, unwritten)
        revisions.advance(tx, batch.org_id)
        return unwritten

    def _countable(self, tx: Transaction, name: str, batch: CostBatch) -> Sequence[CostEvent]:
        """A source goes back a little at each pull; a quiet one to what was pruned since."""
        if self._dedupe_days is None:
            return batch.events
        # A little later than what is let go: the clock of whoever did may be ahead of this one.
        before = self._clock.now() - timedelta(days=self._dedupe_days)
        events = without_pruned(tx, batch.org_id, name, batch.events, before)
        if len(events) < len(batch.events):
            _log.info(
                "cost source %s: %d events older than [ingest] dedupe_days were counted before",
                name,
                len(batch.events) - len(events),
            )
        return events


def _check(batch: CostBatch) -> None:
    """What keys rows, and comes back, is a text: no database takes another thing for one alike."""
    texts = (("org_id", batch.org_id, MAX_TEXT), ("cursor", batch.cursor, MAX_CURSOR))
    for name, text, at_most in texts:
        if problem := string_problem(text, 1, at_most):
            raise ValidationFailed.of((f"CostBatch.{name}", problem))
