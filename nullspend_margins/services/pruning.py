"""Forgets raw cost events that are too old to come again; what they cost stays in the rollups."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nullspend_margins.domain.cost import forgotten_before
from nullspend_margins.domain.delivery import ALL_ORGS
from nullspend_margins.errors import MarginsError
from nullspend_margins.services.leasing import leased_sources
from nullspend_margins.storage import leases
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.events import lock_pruning, orgs_with_events, prune_events
from nullspend_margins.storage.rollups import RollupOverflow

_AT_ONCE = 10_000

_log = logging.getLogger("nullspend_margins.sync")


@dataclass(frozen=True, slots=True)
class Pruning:
    """What may be let go at ``now``: events older than ``days``, but those of sources in ``keep``.

    Nor those of a source that is being read, by whatever process: the rest of a day of which some
    was forgotten would seem to be counted already.
    """

    now: datetime
    days: int
    keep: Sequence[str]

    async def run(self, database: Database, deadline: float) -> None:
        """Org by org, some in a transaction, until ``deadline`` (of ``time.monotonic()``).

        Never raises for a database that is away, or a cell that is full: the rest is tried next
        time.
        """
        try:
            for org_id in await database.read(orgs_with_events, is_long=True):
                await self._prune_org(database, org_id, deadline)
        except MarginsError as problem:
            _log.warning("old events not pruned: %s", problem.message)

    async def _prune_org(self, database: Database, org_id: str, deadline: float) -> None:
        gone = _AT_ONCE
        try:
            while gone == _AT_ONCE and time.monotonic() < deadline:
                gone = await database.write(lambda tx: self._prune_some(tx, org_id))
        except RollupOverflow as problem:  # this org's alone
            _log.warning("old events of org %s not pruned: %s", org_id, problem.message)

    def _prune_some(self, tx: Transaction, org_id: str) -> int:
        lock_pruning(tx, org_id)  # first: who begins to read now stores nothing old before the end
        being_read = leased_sources(leases.held(tx, ALL_ORGS, self.now))
        before = forgotten_before(self.now, self.days)
        return prune_events(tx, org_id, before, _AT_ONCE, keep=[*self.keep, *being_read])
