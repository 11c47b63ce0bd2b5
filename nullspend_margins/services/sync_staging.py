"""What one sync reads, kept beside the numbers in use until it is applied."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nullspend_margins.domain.period import Period
from nullspend_margins.domain.recognition import Conversion
from nullspend_margins.domain.revenue import (
    INVOICE,
    RevenueCursor,
    RevenueFact,
    RevenueGap,
    RevenueItem,
    RevenueWindow,
)
from nullspend_margins.errors import MarginsError
from nullspend_margins.protocols import RevenueProvider
from nullspend_margins.services.behind import Behind
from nullspend_margins.services.closing import closing
from nullspend_margins.storage import leases, staging
from nullspend_margins.storage.bulk import Row
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.leases import Lease

_log = logging.getLogger("nullspend_margins.sync")
_STAGED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncProgress:
    """How far a sync is, told after every page. ``month``: of a backfill, the one it is at."""

    org_id: str
    provider: str
    invoices_fetched: int
    month: Period | None = None


ProgressListener = Callable[[SyncProgress], None]


class _Read(NamedTuple):
    """Rows that were read and are not staged yet, by object."""

    whole: dict[str, Row]
    partial: dict[str, Row]


class SyncStaging:
    """The staging of one run."""

    def __init__(
        self,
        database: Database,
        source: RevenueProvider,
        org_id: str,
        sync_id: str,
        progress: ProgressListener | None,
        conversion: Conversion,
        month: Period | None = None,
    ) -> None:
        self._database = database
        self._conversion = conversion
        self._month = month
        self.cursor: RevenueCursor | None = None
        self.gaps: dict[str, RevenueGap] = {}
        self._source = source
        self._org_id = org_id
        self._sync_id = sync_id
        self._progress = progress

    async def fill(self, secret: str, window: RevenueWindow, lease: Lease) -> None:
        """Pages go into staging as they come: constant memory, and no transaction waits for one.

        Some at a time: for the database a page is little, and a commit for each much. The next
        ones are read meanwhile.
        """
        await self._clear(lease)
        if self._month is not None:
            self._tell(0)  # a month with no pages is one that is done, too
        first, end = window.first.start, window.last.end
        fetched, unstaged = 0, _Read({}, {})
        async with (
            Behind() as writing,
            closing(lambda: self._source.fetch_revenue(secret, window)) as pages,
        ):
            async for page in pages:
                facts = self._facts_in(page)
                fetched += sum(
                    fact.kind == INVOICE and first <= fact.occurred_at < end for fact in facts
                )
                self._keep(facts, unstaged)
                if len(unstaged.whole) + len(unstaged.partial) >= _STAGED_AT_ONCE:
                    await writing.begin(self._stage(unstaged, window, lease))
                    unstaged = _Read({}, {})
                self._tell(fetched)
            await writing.begin(self._stage(unstaged, window, lease))

    def _facts_in(self, page: Sequence[RevenueItem]) -> list[RevenueFact]:
        """The facts of a page; what the provider tells of itself is kept."""
        facts = []
        for item in page:
            if isinstance(item, RevenueFact):
                facts.append(item)
            elif isinstance(item, RevenueGap):
                self.gaps[item.permission] = item
            elif isinstance(item, RevenueCursor):
                self.cursor = item
            else:
                raise TypeError(
                    f"revenue provider {self._source.name!r} told a {type(item).__name__}, "
                    "not a RevenueFact"
                )
        return facts

    def _keep(self, facts: Sequence[RevenueFact], read: _Read) -> None:
        """As rows at once: tuples of texts and numbers, which no garbage collection looks at."""
        mine = self._org_id, self._source.name, self._sync_id
        whole = [fact for fact in facts if not fact.is_partial]
        read.whole.update(staging.fact_rows(*mine, whole, self._conversion))
        if len(whole) < len(facts):
            partial = [fact for fact in facts if fact.is_partial]
            read.partial.update(staging.fact_rows(*mine, partial, self._conversion))

    async def discard(self) -> None:
        """Remove what this run staged. A database that is away then is only logged."""
        try:
            await asyncio.shield(
                self._database.write(
                    lambda tx: staging.discard_staged(
                        tx, self._org_id, self._source.name, sync_id=self._sync_id
                    )
                )
            )
        except MarginsError as problem:
            _log.warning("staging not cleared: %s", problem.message)

    async def _clear(self, lease: Lease) -> None:
        """Remove what runs left that died. Whoever holds the lease may."""

        def clear(tx: Transaction) -> None:
            leases.verify(tx, lease)
            staging.discard_staged(tx, self._org_id, self._source.name)

        await self._database.write(clear)

    async def _stage(self, read: _Read, window: RevenueWindow, lease: Lease) -> None:
        mine = self._org_id, self._source.name, self._sync_id

        def stage(tx: Transaction) -> None:
            leases.verify(tx, lease)
            staging.stage(tx, read.whole)
            if read.partial:
                known = staging.whole_objects(tx, *mine, window, sorted(read.partial))
                staging.stage(
                    tx, {name: read.partial[name] for name in read.partial.keys() - known}
                )

        if read.whole or read.partial:
            await self._database.write(stage)

    def _tell(self, fetched: int) -> None:
        if self._progress is not None:
            self._progress(
                SyncProgress(
                    org_id=self._org_id,
                    provider=self._source.name,
                    invoices_fetched=fetched,
                    month=self._month,
                )
            )
