"""Joining provider customers with tag values, for people and programs."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY, CustomerMapping
from nullspend_margins.domain.mapping_changes import (
    Changes,
    Held,
    Outcome,
    Seen,
    Undo,
    Wanted,
    changes_of,
    pair_of,
    removals_of,
)
from nullspend_margins.errors import NotFound
from nullspend_margins.protocols import Clock
from nullspend_margins.services.mapping_batches import (
    MOST_AT_ONCE,
    check_connected,
    check_free,
    check_seen,
    limit,
    of_connections,
    planned,
    still_there,
    store,
)
from nullspend_margins.storage import mappings, revenue
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.mapping_pages import IsWanted, MappingPage, read_page
from nullspend_margins.storage.revenue import CustomerProfile


class MappingService:
    """Creates, changes and removes mappings; remembers the pairs that people turned down."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def list(self, org_id: str) -> Sequence[CustomerMapping]:
        """All mappings of the org, oldest first."""
        return await self._database.read(lambda tx: mappings.list_mappings(tx, org_id))

    async def newest(
        self, org_id: str, page: int, rows: int, is_wanted: IsWanted | None = None
    ) -> MappingPage:
        """One page of the org's mappings, newest first, of those that are wanted."""
        return await self._database.read(lambda tx: read_page(tx, org_id, page, rows, is_wanted))

    async def of_customer(self, org_id: str, tag_value: str) -> Sequence[CustomerMapping]:
        """The mappings that make up one customer, at most one a provider; oldest first."""
        return await self._database.read(
            lambda tx: mappings.for_tag(tx, org_id, CUSTOMER_TAG_KEY, tag_value)
        )

    async def save(self, org_id: str, wanted: Wanted) -> CustomerMapping:
        """Create or update the mapping of one customer and tag key, by hand or not.

        Raises ``Conflict``, naming the holder, when the tag value belongs to another customer of
        that provider; a manual mapping displaces an unconfirmed automatic one instead.
        """

        def save(tx: Transaction) -> CustomerMapping:
            mappings.lock(tx, org_id)
            (outcome,) = planned(tx, org_id, [wanted])
            check_free(outcome)
            changes = self._store(tx, org_id, [outcome])
            if outcome.before is not None and not changes.new:
                return outcome.before
            return changes.new[0]

        return await self._database.write(save)

    async def delete(self, org_id: str, mapping_id: str) -> None:
        """Remove a mapping; its pair is not matched again by itself. Raises ``NotFound``."""

        def remove(tx: Transaction) -> None:
            mappings.lock(tx, org_id)
            gone = mappings.of_ids(tx, org_id, [mapping_id])
            if not gone:
                raise NotFound(f"This org has no mapping with the id {mapping_id}.")
            # Nobody takes this back, so whether its pair was turned down before does not matter.
            store(tx, org_id, removals_of(gone, ()))

        await self._database.write(remove)

    async def customer(
        self, org_id: str, provider: str, customer_id: str
    ) -> CustomerProfile | None:
        """What revenue tells of a customer, if it tells anything."""
        return await self._database.read(
            lambda tx: revenue.profile(tx, org_id, provider, customer_id)
        )

    async def preview(
        self, org_id: str, wanted: Sequence[Wanted], released: Collection[str] = ()
    ) -> Sequence[Outcome]:
        """What ``save_many`` would do with each."""
        limit(wanted)
        return await self._database.read(lambda tx: planned(tx, org_id, wanted, released))

    async def save_many(
        self,
        org_id: str,
        wanted: Sequence[Wanted],
        *,
        seen: Sequence[Seen] | None = None,
        released: Collection[str] = (),
    ) -> Changes:
        """Map customers by hand, all of them or none. Returns what was changed.

        ``seen`` is what a person was told of each, ``released`` the ids of manual mappings whose
        tag values may be taken. Raises ``Conflict`` when one is refused, or is not as it was seen:
        ``details.positions`` tells which. At most ``MOST_AT_ONCE``: ``ValidationFailed``.
        """
        limit(wanted)

        def save(tx: Transaction) -> Changes:
            mappings.lock(tx, org_id)
            outcomes = planned(tx, org_id, wanted, released)
            check_seen(outcomes, seen)
            changes = self._store(tx, org_id, outcomes)
            return of_connections(tx, org_id, changes)

        return await self._database.write(save)

    async def delete_many(self, org_id: str, seen: Sequence[Held]) -> Changes:
        """Remove mappings that are as they were seen, all of them or none.

        Their pairs are not matched again by themselves. Raises ``Conflict``, and
        ``ValidationFailed`` for more than ``MOST_AT_ONCE``.
        """
        limit(seen)

        def remove(tx: Transaction) -> Changes:
            mappings.lock(tx, org_id)
            gone = still_there(tx, org_id, seen)
            rejected = mappings.rejected_among(tx, org_id, [*map(pair_of, gone)])
            changes = removals_of(gone, rejected)
            store(tx, org_id, changes)
            return of_connections(tx, org_id, changes)

        return await self._database.write(remove)

    async def restore(self, org_id: str, undo: Undo) -> None:
        """Take changes back, as a whole.

        Raises ``Conflict`` when something of it has changed, or its provider was disconnected.
        """
        limit(undo.gone)
        limit(undo.new, 2 * MOST_AT_ONCE)  # each may have taken another's tag value

        def put_back(tx: Transaction) -> None:
            mappings.lock(tx, org_id)
            check_connected(tx, org_id, undo.connections)
            gone = still_there(tx, org_id, undo.gone)
            changes = Changes(
                gone=gone, new=undo.new, rejected=undo.rejected, forgiven=undo.forgiven
            )
            store(tx, org_id, changes)

        await self._database.write(put_back)

    def _store(self, tx: Transaction, org_id: str, outcomes: Sequence[Outcome]) -> Changes:
        pairs = [pair for each in outcomes for pair in each.pairs]
        changes = changes_of(
            outcomes,
            org_id=org_id,
            now=self._clock.now(),
            rejected=mappings.rejected_among(tx, org_id, pairs),
            new_id=lambda: str(uuid.uuid4()),
        )
        store(tx, org_id, changes)
        return changes
