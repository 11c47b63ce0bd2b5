"""A cost source that copies what is new in a table, page by page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection

from nullspend_margins import Clock, CostBatch, CostEvent, CostFact, ServiceUnavailable
from nullspend_margins_sql import pages
from nullspend_margins_sql.cursors import Position, RowId
from nullspend_margins_sql.host_database import HostDatabase
from nullspend_margins_sql.kinds import Kinds, kinds_of
from nullspend_margins_sql.relation import relation_of
from nullspend_margins_sql.rows import ReadRow, RowReader
from nullspend_margins_sql.settings import SourceSettings

MOST_IN_BATCH = 1_000
_CONNECTIONS = 2


@dataclass(frozen=True, slots=True)
class _Page:
    """Rows that were understood, what stopped the reading, and whether more stand behind them."""

    rows: Sequence[ReadRow]
    problem: ServiceUnavailable | None
    is_last: bool


class PulledTable:
    """Follows (time, id), or an id that only grows. Keeps nothing between two pulls."""

    def __init__(self, name: str, settings: SourceSettings, url: URL, clock: Clock) -> None:
        self.name: str = name
        self._settings = settings
        self._clock = clock
        self._overlap = timedelta(minutes=settings.overlap_minutes)
        self._relation = relation_of(settings)
        self._reader = RowReader(name, settings, self._relation)
        self._kinds: Kinds | None = None
        self._database = HostDatabase(
            name, url, timeout_seconds=settings.timeout_seconds, connections=_CONNECTIONS
        )

    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        """Everything after ``cursor``, and what may have come late before it.

        Raises ``ServiceUnavailable`` when the database does not answer, and at a row that can't
        be read; it names that row, and what came before it is delivered.
        """
        try:
            async with aclosing(self._pull(cursor)) as batches:
                async for batch in batches:
                    yield batch
        finally:
            self._database.release()  # the next pull is minutes away

    async def _pull(self, cursor: str | None) -> AsyncGenerator[CostBatch, None]:
        by, is_text = self._settings.cursor, self._database.kind == "sqlite"
        here = Position.parse(cursor, self._clock.now(), by=by, is_text=is_text)
        floor = self._floor(here)
        told = here.cursor(by=by)
        while True:
            page = await self._database.ask(partial(self._read, here, floor))
            rows = page.rows
            if rows:
                top = max(row.moved for row in rows) if by == "time" else None
                if by == "id":
                    here = here.settled(_last_old(rows, here.since - self._overlap))
                if page.is_last:
                    here = here.ended(rows[-1].key, top, self._clock.now(), self._overlap)
                else:
                    here = here.reached(rows[-1].key, top)
                before, told = told, here.cursor(by=by)
                # An earlier row is among them where texts are compared: only a day is exact.
                wanted = [row for row in rows if floor is None or row.moved >= floor]
                for batch in _batches(wanted, before, told):
                    yield batch
            if page.problem is not None:
                raise page.problem
            if page.is_last:
                return

    def _floor(self, here: Position) -> datetime | None:
        """Where a whole pull begins; ``None``: at the beginning, or where another was cut off."""
        if here.after is not None or here.low is None:
            return None
        return here.low - self._overlap

    def _read(self, here: Position, floor: datetime | None, connection: Connection) -> _Page:
        if self._kinds is None and connection.dialect.name == "postgresql":
            self._kinds = kinds_of(connection, self._relation, self.name)
        if here.after is None and floor is not None and connection.dialect.name == "sqlite":
            self._refuse_lost_rows(connection)
        limit = self._settings.page_rows
        is_by_time = self._settings.cursor == "time"
        start = pages.Start(by_time=is_by_time, after=here.after, base=here.base, floor=floor)
        statement = pages.page(
            self._relation, self._reader.columns(), start, connection.dialect.name, self._kinds
        )
        found = connection.execute(statement.limit(limit + 1)).all()
        understood: list[ReadRow] = []
        known: dict[tuple[str, str], ReadRow] = {}
        for row in found[:limit]:
            try:
                read = self._reader.read(row)
                self._refuse_other_with_its_id(read, known)
            except ServiceUnavailable as problem:
                return _Page(understood, problem, is_last=False)
            understood.append(read)
        return _Page(understood, None, is_last=len(found) <= limit)

    def _refuse_other_with_its_id(
        self, row: ReadRow, known: dict[tuple[str, str], ReadRow]
    ) -> None:
        """Only the first of them would count. Where rows may change, the last one counts."""
        if self._settings.corrections:
            return
        first = known.setdefault((row.org_id, str(row.key.row_id)), row)
        if first.cost != row.cost:
            raise ServiceUnavailable(
                f"The cost source {self.name} stops at the row with the id "
                f"{str(row.key.row_id)[:80]!r}: another row has the same. "
                f"Name a column in columns.id that tells a row from all others."
            )

    def _refuse_lost_rows(self, connection: Connection) -> None:
        """SQLite holds anything in any column, and what is no time would never come."""
        lost = connection.execute(pages.lost(self._relation, self._reader.columns())).first()
        if lost is not None:
            self._reader.read(lost)
            raise ServiceUnavailable(f"The cost source {self.name} has a time that is no text.")


def _last_old(rows: Sequence[ReadRow], since: datetime) -> RowId | None:
    """The id before that of the first row that is not older than ``since``."""
    found = None
    for row in rows:
        if row.moved >= since:
            break
        found = row.key.row_id
    return found


def _batches(rows: Sequence[ReadRow], before: str, told: str) -> Iterable[CostBatch]:
    """A page by orgs. The page counts as read with its last batch; until then it is read again."""
    by_org: dict[str, list[Any]] = {}
    for row in rows:
        by_org.setdefault(row.org_id, []).append(row.cost)
    parts = [
        (org_id, costs[begin : begin + MOST_IN_BATCH])
        for org_id, costs in by_org.items()
        for begin in range(0, len(costs), MOST_IN_BATCH)
    ]
    for number, (org_id, costs) in enumerate(parts, start=1):
        yield CostBatch(
            org_id=org_id,
            events=[each for each in costs if isinstance(each, CostEvent)],
            facts=[each for each in costs if isinstance(each, CostFact)],
            cursor=told if number == len(parts) else before,
        )
