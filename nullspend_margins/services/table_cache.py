"""What an org's data add up to, kept for as long as the org's revision stays."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

MAX_ROWS = 20_000
MAX_LARGE_ROWS = 100_000
"""Of the one large table. Without its ``known``, 50,000 rows are 30 MB."""

Table = TypeVar("Table")


class _Kept(NamedTuple, Generic[Table]):
    revision: int | None
    table: Table
    rows: int


class TableCache(Generic[Table]):
    """The tables last asked for, up to 20,000 rows together, and one that is larger than that.

    Safe between threads.

    A table is given out only for the very revision it was built from, which the caller reads in
    its snapshot: what comes out is what a new computation would give.
    """

    def __init__(self, max_rows: int = MAX_ROWS, max_large_rows: int = MAX_LARGE_ROWS) -> None:
        self._max_rows = max_rows
        self._max_large_rows = max_large_rows
        self._rows = 0
        self._large: tuple[tuple[str, int, str], _Kept[Table]] | None = None
        self._kept: OrderedDict[tuple[str, int, str], _Kept[Table]] = OrderedDict()
        self._lock = Lock()

    def get(self, org_id: str, month: int, basis: str, revision: int | None) -> Table | None:
        """The table of one month and basis at ``revision``, if it is here."""
        with self._lock:
            key = org_id, month, basis
            if self._large is not None and self._large[0] == key:
                large = self._large[1]
                return large.table if large.revision == revision else None
            known = self._kept.get(key)
            if known is None or known.revision != revision:
                return None
            self._kept.move_to_end(key)
            return known.table

    def latest(self, org_id: str, month: int, basis: str) -> Table | None:
        """The one that was built last, at whatever revision, if it is here."""
        with self._lock:
            known = self._kept.get((org_id, month, basis))
            return None if known is None else known.table

    def put(
        self, org_id: str, month: int, basis: str, revision: int | None, table: Table, *, rows: int
    ) -> None:
        """Keep a table of ``rows`` rows, and let go of those asked for longest ago.

        One that is larger than all the room there is takes the place of the last such one, since
        it would empty the rest.
        """
        rows += 1  # an empty table takes room too
        key, kept = (org_id, month, basis), _Kept(revision, table, rows)
        with self._lock:
            self._drop(key)
            if self._large is not None and self._large[0] == key:
                self._large = None
            if rows > self._max_rows:
                if rows <= self._max_large_rows:
                    self._large = key, kept
                return
            self._kept[key] = kept
            self._rows += rows
            while self._rows > self._max_rows:
                self._drop(next(iter(self._kept)))

    def is_large(self, rows: int) -> bool:
        """Whether a table of ``rows`` rows is the large one: worth being kept small."""
        return rows >= self._max_rows

    def _drop(self, key: tuple[str, int, str]) -> None:
        known = self._kept.pop(key, None)
        if known is not None:
            self._rows -= known.rows
