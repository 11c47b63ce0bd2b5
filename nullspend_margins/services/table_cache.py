"""Margin tables that are still true: kept until the org's revision moves."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

MAX_ROWS = 20_000

Table = TypeVar("Table")


class _Kept(NamedTuple, Generic[Table]):
    revision: int | None
    table: Table
    rows: int


class TableCache(Generic[Table]):
    """The tables last asked for, up to 20,000 rows together. Safe between threads.

    A table is given out only for the very revision it was built from, which the caller reads in
    its snapshot: what comes out is what a new computation would give.
    """

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._max_rows = max_rows
        self._rows = 0
        self._kept: OrderedDict[tuple[str, int, str], _Kept[Table]] = OrderedDict()
        self._lock = Lock()

    def get(self, org_id: str, month: int, basis: str, revision: int | None) -> Table | None:
        """The table of one month and basis at ``revision``, if it is here."""
        with self._lock:
            known = self._kept.get((org_id, month, basis))
            if known is None or known.revision != revision:
                return None
            self._kept.move_to_end((org_id, month, basis))
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

        One that is larger than all the room there is is not kept: it would empty the rest.
        """
        rows += 1  # an empty table takes room too
        if rows > self._max_rows:
            return
        with self._lock:
            self._drop((org_id, month, basis))
            self._kept[org_id, month, basis] = _Kept(revision, table, rows)
            self._rows += rows
            while self._rows > self._max_rows:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, int, str]) -> None:
        known = self._kept.pop(key, None)
        if known is not None:
            self._rows -= known.rows
