"""Reads cost sources that are pulled: each batch with its cursor in one transaction."""

from __future__ import annotations

import asyncio
import logging

from nullspend_margins.errors import MarginsError
from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import Clock, CostBatch, PulledCostSource
from nullspend_margins.services.closing import closing
from nullspend_margins.services.leasing import LeaseKeeper
from nullspend_margins.storage import costs, leases, revisions
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.leases import Lease

_ALL_ORGS = ""
"""A source delivers for many orgs, so its lease belongs to none."""

_log = logging.getLogger("nullspend_margins.costs")


class CostPuller:
    """Pulls every source from where it stopped; one failing does not stop another."""

    def __init__(
        self, database: Database, registry: Registry, keeper: LeaseKeeper, clock: Clock
    ) -> None:
        self._database = database
        self._sources = [
            source for source in registry.cost_sources if isinstance(source, PulledCostSource)
        ]
        self._keeper = keeper
        self._clock = clock

    async def pull_all(self, seconds: float | None = None) -> int:
        """Pull every source that nobody else is pulling. Returns how many failed.

        A source that takes longer than ``seconds`` is stopped and goes on from its last stored
        batch next time; that is no failure.
        """
        return sum(await asyncio.gather(*(self._try(source, seconds) for source in self._sources)))

    async def _try(self, source: PulledCostSource, seconds: float | None) -> bool:
        """Whether it failed."""
        try:
            async with asyncio.timeout(seconds):
                await self._pull(source)
        except TimeoutError:
            _log.warning("cost source %s goes on next time: its time is up", source.name)
        except MarginsError as problem:
            _log.warning("cost source %s stopped: %s", source.name, problem.message)
            return True
        except Exception:
            _log.exception("cost source %s failed", source.name)
            return True
        return False

    async def _pull(self, source: PulledCostSource) -> None:
        async with self._keeper.hold(_ALL_ORGS, f"source:{source.name}") as lease:
            if lease is None:
                return
            cursor = await self._database.read(lambda tx: costs.load_cursor(tx, source.name))
            async with closing(source.pull(cursor)) as batches:
                async for batch in batches:
                    await self._write(source.name, batch, lease)

    async def _write(self, name: str, batch: CostBatch, lease: Lease) -> None:
        await self._database.write(lambda tx: self._store(tx, name, batch, lease))

    def _store(self, tx: Transaction, name: str, batch: CostBatch, lease: Lease) -> None:
        now = self._clock.now()
        leases.verify(tx, lease)
        if batch.events:
            costs.insert_events(tx, batch.org_id, name, batch.events, now)
        if batch.facts:
            costs.replace_facts(tx, batch.org_id, name, batch.facts, now)
        costs.save_cursor(tx, name, batch.cursor, now)
        revisions.advance(tx, batch.org_id)
