"""What an org's data add up to, kept for as long as the org's revision stays."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

MAX_ROWS = 20_000
MAX_LARGE_ROWS = 100_000
"""Of the one large table. Without its ``known``, 50,000 rows are 30 MB."""
_THINGS = 1_000

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(NamedTuple, Generic[Value]):
    """A thing, and the revision it was made from."""

    revision: int | None
    value: Value
    weight: int


class RevisionCache(Generic[Key, Value]):
    """What was last asked for, up to ``room`` of weight together. Safe between threads.

    A thing is given out only for the very revision it was made from, which the caller reads in
    its snapshot: what comes out is what a new computation would give.
    """

    def __init__(self, room: int = _THINGS) -> None:
        self._room = room
        self._weight = 0
        self._kept: OrderedDict[Key, Kept[Value]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key, revision: int | None) -> Value | None:
        """The thing at ``revision``, if it is here."""
        with self._lock:
            known = self._kept.get(key)
            if known is None or known.revision != revision:
                return None
            self._kept.move_to_end(key)
            return known.value

    def latest(self, key: Key) -> Value | None:
        """The one that was made last, at whatever revision, if it is here."""
        known = self.last(key)
        return None if known is None else known.value

    def last(self, key: Key) -> Kept[Value] | None:
        """The same with its revision, for whoever asks whether that is still the org's."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Key, revision: int | None, value: Value, *, weight: int = 1) -> None:
        """Keep a thing, and let go of those asked for longest ago."""
        with self._lock:
            self._drop(key)
            self._kept[key] = Kept(revision, value, weight)
            self._weight += weight
            while self._weight > self._room:
                self._drop(next(iter(self._kept)))

    def drop(self, key: Key) -> None:
        """Let go of a thing, if it is here."""
        with self._lock:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        known = self._kept.pop(key, None)
        if known is not None:
            self._weight -= known.weight


class TableCache(Generic[Key, Value]):
    """Tables up to 20,000 rows together, and one that is larger than that."""

    def __init__(self, max_rows: int = MAX_ROWS, max_large_rows: int = MAX_LARGE_ROWS) -> None:
        self._max_rows = max_rows
        self._max_large_rows = max_large_rows
        self._tables: RevisionCache[Key, Value] = RevisionCache(max_rows)
        self._large: RevisionCache[Key, Value] = RevisionCache(1)

    def get(self, key: Key, revision: int | None) -> Value | None:
        """The table at ``revision``, if it is here."""
        known = self._tables.get(key, revision)
        return self._large.get(key, revision) if known is None else known

    def latest(self, key: Key) -> Value | None:
        """The one that was built last, at whatever revision; never the large one."""
        return self._tables.latest(key)

    def put(self, key: Key, revision: int | None, table: Value, *, rows: int) -> None:
        """Keep a table of ``rows`` rows.

        One that is larger than all the room there is takes the place of the last such one, since
        it would empty the rest.
        """
        rows += 1  # an empty table takes room too
        if rows <= self._max_rows:
            self._large.drop(key)
            self._tables.put(key, revision, table, weight=rows)
            return
        self._tables.drop(key)
        self._large.drop(key)
        if rows <= self._max_large_rows:
            self._large.put(key, revision, table)

    def is_large(self, rows: int) -> bool:
        """Whether a table of ``rows`` rows is the large one: worth being kept small."""
        return rows >= self._max_rows
