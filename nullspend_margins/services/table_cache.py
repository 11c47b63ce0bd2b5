"""Margin tables that are still true: kept until the org's revision moves."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nullspend_margins.services.margins import MarginTable

MAX_ROWS = 20_000


class TableCache:
    """The tables last asked for, up to 20,000 rows together. Safe between threads.

    A table is given out only for the very revision it was built from, which the caller reads in
    its snapshot: what comes out is what a new computation would give.
    """

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self._max_rows = max_rows
        self._rows = 0
        self._tables: OrderedDict[tuple[str, int], tuple[int | None, MarginTable]] = OrderedDict()
        self._lock = Lock()

    def get(self, org_id: str, month: int, revision: int | None) -> MarginTable | None:
        """The table of one month at ``revision``, if it is here."""
        with self._lock:
            known = self._tables.get((org_id, month))
            if known is None or known[0] != revision:
                return None
            self._tables.move_to_end((org_id, month))
            return known[1]

    def put(self, org_id: str, month: int, revision: int | None, table: MarginTable) -> None:
        """Keep a table, and let go of those asked for longest ago."""
        if _weight(table) > self._max_rows:
            return
        with self._lock:
            self._drop((org_id, month))
            self._tables[org_id, month] = (revision, table)
            self._rows += _weight(table)
            while self._rows > self._max_rows and self._tables:
                self._drop(next(iter(self._tables)))

    def _drop(self, key: tuple[str, int]) -> None:
        known = self._tables.pop(key, None)
        if known is not None:
            self._rows -= _weight(known[1])


def _weight(table: MarginTable) -> int:
    return len(table.rows) + 1
