"""Stores what was read from a file of costs, and tells beforehand what that would change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

from nullspend_margins.domain.cost import CostFact
from nullspend_margins.domain.delivery import ALL_ORGS, Delivery
from nullspend_margins.domain.period import Period, day_number
from nullspend_margins.errors import Conflict
from nullspend_margins.protocols import Clock
from nullspend_margins.services.leasing import LeaseKeeper, source_lease
from nullspend_margins.storage import cost_deliveries, leases, revisions
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.facts import compare_facts, fact_keys, remove_facts, replace_facts
from nullspend_margins.storage.leases import Lease
from nullspend_margins.storage.scratch import Scratch

_AT_ONCE = 1000
_POLL_SECONDS = 0.25

Tell = Callable[[int], None]
"""Hears how many facts are done."""


class Outcome(NamedTuple):
    """Facts: not stored before, stored otherwise, stored like this, and not in the file."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0

    def and_(self, other: Outcome) -> Outcome:
        """Both together."""
        return Outcome(*map(sum, zip(self, other, strict=True)))


class _Place(NamedTuple):
    """Whose facts are stored, by which right."""

    lease: Lease
    source: str
    org_id: str


class CostImportService:
    """Facts are replaced by key, so that whatever was stored before, the file is what counts.

    One import of a source at a time. ``patience_seconds`` is how long one waits for another that
    runs, or was killed: as long as a lease lasts.
    """

    def __init__(
        self, database: Database, keeper: LeaseKeeper, clock: Clock, patience_seconds: float
    ) -> None:
        self._database = database
        self._keeper = keeper
        self._clock = clock
        self._patience_seconds = patience_seconds

    async def compare(self, source: str, scratch: Scratch, tell: Tell, *, replace: bool) -> Outcome:
        """What ``store`` would do, without doing it."""
        outcome, read = Outcome(), self._database.read
        for org_id, period in scratch.months():
            for facts in scratch.facts(org_id, period, _AT_ONCE):
                compared = partial(_compared, org_id=org_id, source=source, facts=facts)
                outcome = outcome.and_(await read(compared))
                tell(sum(outcome[:3]))
            if replace:
                count = partial(_removable, org_id, source, period, scratch)
                outcome = outcome.and_(Outcome(removed=await read(count)))
        return outcome

    async def store(self, source: str, scratch: Scratch, tell: Tell, *, replace: bool) -> Outcome:
        """Store the facts, a thousand in a transaction.

        With ``replace`` a month of an org is one transaction, which removes as well what the
        source has there and the file has not. Whatever stops this on the way, all of it again
        does the rest. Raises ``Conflict`` when another import of the source goes on and on, and
        ``ValidationFailed`` when a sum fits no cell.
        """
        outcome = Outcome()
        async with self._lease(source) as lease:
            for org_id, period in scratch.months():
                place = _Place(lease, source, org_id)
                async for done in self._month(place, period, scratch, replace=replace):
                    outcome = outcome.and_(done)
                    tell(sum(outcome[:3]))
        return outcome

    async def _month(
        self, place: _Place, period: Period, scratch: Scratch, *, replace: bool
    ) -> AsyncIterator[Outcome]:
        if replace:
            yield await self._database.write(partial(self._replace, place, period, scratch))
            return
        for facts in scratch.facts(place.org_id, period, _AT_ONCE):
            yield await self._database.write(partial(self._store, place, facts))

    def _store(self, place: _Place, facts: list[CostFact], tx: Transaction) -> Outcome:
        leases.verify(tx, place.lease)
        return _ended(tx, place, self._put(tx, place, facts))

    def _replace(self, place: _Place, period: Period, scratch: Scratch, tx: Transaction) -> Outcome:
        leases.verify(tx, place.lease)
        outcome = Outcome()
        for facts in scratch.facts(place.org_id, period, _AT_ONCE):
            outcome = outcome.and_(self._put(tx, place, facts))
        for keys in _vanished(place.org_id, place.source, period, scratch, tx):
            gone = remove_facts(tx, place.org_id, place.source, keys)
            outcome = outcome.and_(Outcome(removed=gone))
        return _ended(tx, place, outcome)

    def _put(self, tx: Transaction, place: _Place, facts: list[CostFact]) -> Outcome:
        org_id, source, now = place.org_id, place.source, self._clock.now()
        outcome = _compared(tx, org_id, source, facts)
        if outcome.new or outcome.changed:
            replace_facts(tx, org_id, source, facts, now)
        # Also when all of it was known: the source has been heard of.
        cost_deliveries.record(tx, [Delivery.of(org_id, source, now, facts=facts)])
        return outcome

    @asynccontextmanager
    async def _lease(self, source: str) -> AsyncIterator[Lease]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience_seconds
        while True:
            # A file may have costs of many orgs, so its lease belongs to none.
            async with self._keeper.hold(ALL_ORGS, source_lease(source)) as lease:
                if lease is not None:
                    yield lease
                    return
            if loop.time() > deadline:
                raise Conflict(f"Another import of {source} is running: try again after it.")
            await asyncio.sleep(_POLL_SECONDS)


def _compared(tx: Transaction, org_id: str, source: str, facts: list[CostFact]) -> Outcome:
    new, changed = compare_facts(tx, org_id, source, facts)
    return Outcome(new, changed, len(facts) - new - changed)


def _vanished(
    org_id: str, source: str, period: Period, scratch: Scratch, tx: Transaction
) -> Iterator[list[str]]:
    """Keys of what the source has in a month and the file has not, some at a time."""
    days = range(day_number(period.start), day_number(period.end))
    after = ""
    while keys := fact_keys(tx, org_id, source, days, after, _AT_ONCE):
        after = keys[-1]
        yield scratch.without(org_id, keys)


def _removable(org_id: str, source: str, period: Period, scratch: Scratch, tx: Transaction) -> int:
    return sum(map(len, _vanished(org_id, source, period, scratch, tx)))


def _ended(tx: Transaction, place: _Place, outcome: Outcome) -> Outcome:
    if outcome.new or outcome.changed or outcome.removed:
        revisions.advance(tx, place.org_id)
    return outcome
