"""Customers' details, kept for as long as nothing is written."""

from __future__ import annotations

from typing import Generic, NamedTuple

from nullspend_margins.services.revision_cache import MAX_ROWS, Kept, Key, RevisionCache, Value


class _Told(NamedTuple, Generic[Value]):
    detail: Value
    stays: bool


class DetailCache(Generic[Key, Value]):
    """What was last told of each customer, with the org's revision it was read at.

    To ask whether that is still the revision takes a question of its own, and in PostgreSQL a
    round trip, where reading the customer anew is just one. So it pays only for what stays: what
    was found unchanged, or is asked for the second time.
    """

    def __init__(self, room: int = MAX_ROWS) -> None:
        self._kept: RevisionCache[Key, _Told[Value]] = RevisionCache(room)

    def likely(self, key: Key) -> Kept[Value] | None:
        """What to give out if the org's revision is still its own; ``None``: do not ask."""
        known = self._kept.last(key)
        if known is None or not known.value.stays:
            return None
        return Kept(known.revision, known.value.detail, known.weight)

    def put(self, key: Key, revision: int | None, detail: Value, *, weight: int = 1) -> None:
        """Keep what was read at ``revision``, in one snapshot with it."""
        last = self._kept.last(key)
        stays = last is None or last.revision == revision
        self._kept.put(key, revision, _Told(detail, stays), weight=weight)
