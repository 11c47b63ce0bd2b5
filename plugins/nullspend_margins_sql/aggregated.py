"""A cost source that copies nothing: the host's engine adds up, at every read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection

from nullspend_margins import ModelCost, MonthCost, Period, ServiceUnavailable, TagCost
from nullspend_margins_sql.host_database import HostDatabase
from nullspend_margins_sql.kinds import Kinds, kinds_of
from nullspend_margins_sql.relation import relation_of
from nullspend_margins_sql.settings import SourceSettings
from nullspend_margins_sql.sums import Adding, ServerAdding, Span, Sum
from nullspend_margins_sql.sums_sqlite import SqliteAdding

_CONNECTIONS = 4


class AggregatedTable:
    """Asks one GROUP BY for each question, and nothing for an org that it does not have."""

    def __init__(self, name: str, settings: SourceSettings, url: URL) -> None:
        self.name: str = name
        self._settings = settings
        self._relation = relation_of(settings)
        self._kinds: Kinds | None = None
        self._database = HostDatabase(
            name, url, timeout_seconds=settings.timeout_seconds, connections=_CONNECTIONS
        )

    async def month_costs(self, org_id: str, first: Period, last: Period) -> Sequence[MonthCost]:
        """Cost of every customer in each UTC month, ``first`` and ``last`` included.

        Raises ``ServiceUnavailable``, as the others do, when the database does not answer, and
        when a row of the span can't be added up.
        """
        span = Span(first.start, last.end)
        found = await self._sums(org_id, lambda adding: adding.months(org_id, span))
        return [MonthCost(each.name, each.month, each.nanodollars) for each in found]

    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> Sequence[ModelCost]:
        """Cost and requests by model, of one customer in one month."""
        span = Span(period.start, period.end)
        found = await self._sums(org_id, lambda adding: adding.models(org_id, tag_value, span))
        return [ModelCost(each.name, each.nanodollars, each.requests) for each in found]

    async def tag_costs(self, org_id: str, since: date) -> Sequence[TagCost]:
        """Cost and requests by customer, from the UTC day ``since`` on."""
        span = Span(datetime.combine(since, time(), UTC), None)
        found = await self._sums(org_id, lambda adding: adding.tags(org_id, span))
        return [TagCost(each.name, each.nanodollars, each.requests) for each in found]

    async def _sums(self, org_id: str, question: Callable[[Adding], Any]) -> Sequence[Sum]:
        if self._relation.org not in (None, org_id):
            return ()
        return await self._database.ask(partial(self._add, question))

    def _add(self, question: Callable[[Adding], Any], connection: Connection) -> Sequence[Sum]:
        adding = self._adding(connection)
        statement = question(adding)
        try:
            return [adding.sum_of(row) for row in connection.execute(statement)]
        except ValueError as problem:
            raise ServiceUnavailable(
                f"The cost source {self.name} can't be added up: {problem}."
            ) from None

    def _adding(self, connection: Connection) -> Adding:
        dialect = connection.dialect.name
        if dialect == "sqlite":
            return SqliteAdding(self._relation, self._settings.unit)
        if dialect == "postgresql" and self._kinds is None:
            self._kinds = kinds_of(connection, self._relation, self.name)
        return ServerAdding(self._relation, self._settings.unit, dialect, self._kinds)
