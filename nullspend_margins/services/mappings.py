"""Joining provider customers with tag values, by hand."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY, CustomerMapping, MatchType
from nullspend_margins.domain.mapping_changes import (
    MANUAL_CONFIDENCE,
    Changes,
    Held,
    Outcome,
    Seen,
    Undo,
    Wanted,
    changes_of,
    removals_of,
)
from nullspend_margins.errors import Conflict, NotFound
from nullspend_margins.protocols import Clock
from nullspend_margins.services.mapping_batches import (
    MOST_AT_ONCE,
    check_connected,
    check_seen,
    limit,
    of_connections,
    planned,
    still_there,
    store,
)
from nullspend_margins.storage import mappings, revenue, revisions
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

    async def save(
        self,
        org_id: str,
        provider: str,
        customer_id: str,
        tag_key: str,
        tag_value: str,
        match_type: MatchType,
    ) -> CustomerMapping:
        """Create or update the mapping of one customer and tag key.

        Raises ``Conflict``, naming the holder, when the tag value belongs to another customer of
        that provider; a manual mapping displaces an unconfirmed automatic one instead.
        """
        wanted = CustomerMapping(
            id=str(uuid.uuid4()),
            org_id=org_id,
            provider=provider,
            customer_id=customer_id,
            tag_key=tag_key,
            tag_value=tag_value,
            match_type=match_type,
            confidence=MANUAL_CONFIDENCE if match_type == "manual" else None,
            created_at=self._clock.now(),
        )

        def save(tx: Transaction) -> CustomerMapping:
            mappings.lock(tx, org_id)
            saved = _save(tx, wanted)
            revisions.advance(tx, org_id)
            return saved

        return await self._database.write(save)

    async def delete(self, org_id: str, mapping_id: str) -> None:
        """Remove a mapping; its pair is not matched again by itself. Raises ``NotFound``."""

        def remove(tx: Transaction) -> None:
            mappings.lock(tx, org_id)
            removed = mappings.delete(tx, org_id, mapping_id)
            if removed is None:
                raise NotFound(f"This org has no mapping with the id {mapping_id}.")
            _reject(tx, removed)
            revisions.advance(tx, org_id)

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
            changes = changes_of(
                outcomes,
                org_id=org_id,
                now=self._clock.now(),
                rejected=mappings.all_rejected(tx, org_id),
                new_id=lambda: str(uuid.uuid4()),
            )
            store(tx, org_id, changes)
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
            changes = removals_of(still_there(tx, org_id, seen), mappings.all_rejected(tx, org_id))
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


def _save(tx: Transaction, wanted: CustomerMapping) -> CustomerMapping:
    org_id, provider, tag_key = wanted.org_id, wanted.provider, wanted.tag_key
    holder = mappings.holder(tx, org_id, provider, tag_key, wanted.tag_value)
    if holder is not None and holder.customer_id != wanted.customer_id:
        _displace(tx, holder, wanted)
    current = mappings.for_customer(tx, org_id, provider, wanted.customer_id, tag_key)
    mappings.forget_rejection(tx, org_id, provider, wanted.customer_id, tag_key, wanted.tag_value)
    if current is None:
        return mappings.insert(tx, wanted)
    if current.match_type == "auto" and current.tag_value != wanted.tag_value:
        _reject(tx, current)
    return mappings.update(
        tx,
        CustomerMapping(
            id=current.id,
            org_id=org_id,
            provider=provider,
            customer_id=current.customer_id,
            tag_key=tag_key,
            tag_value=wanted.tag_value,
            match_type=wanted.match_type,
            confidence=wanted.confidence,
            created_at=current.created_at,
        ),
    )


def _displace(tx: Transaction, holder: CustomerMapping, wanted: CustomerMapping) -> None:
    """A person's word counts more than the matcher's, and less than another person's."""
    if wanted.match_type != "manual" or holder.match_type != "auto":
        raise Conflict(
            f"The tag value {wanted.tag_value!r} belongs to the customer {holder.customer_id}; "
            "remove that mapping first.",
            details={"stripeCustomerId": holder.customer_id, "mappingId": holder.id},
        )
    mappings.delete(tx, holder.org_id, holder.id)
    _reject(tx, holder)


def _reject(tx: Transaction, mapping: CustomerMapping) -> None:
    mappings.reject(
        tx,
        mapping.org_id,
        mapping.provider,
        mapping.customer_id,
        mapping.tag_key,
        mapping.tag_value,
    )
