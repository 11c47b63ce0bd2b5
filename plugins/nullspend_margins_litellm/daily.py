"""The proxy's daily sums, day by day. They grow in place, so they are facts.

``LiteLLM_DailyEndUserSpend`` has the calls with an end user. What ``LiteLLM_DailyUserSpend``,
which has all calls, counts beyond them is nobody's: one fact for each day, model and provider,
so that no cost is silent. The last ``late_days`` are read at each pull; of the end users' rows
those alone that changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import msgspec

from nullspend_margins import CostBatch, CostFact
from nullspend_margins_litellm.calls import count, text
from nullspend_margins_litellm.cursors import encoded
from nullspend_margins_litellm.customers import tidy
from nullspend_margins_litellm.money import dollars, nanodollars
from nullspend_margins_litellm.reading import PAGE_ROWS, Reader, Row, require_columns
from nullspend_margins_litellm.settings import LiteLLMSettings

TABLE = "LiteLLM_DailyEndUserSpend"
ALL_CALLS = "LiteLLM_DailyUserSpend"
KIND = "daily"

_NEEDED = frozenset({"id", "end_user_id", "date", "model", "custom_llm_provider", "spend"})
_COMMIT_MINUTES = 10
"""A row's ``updated_at`` is set before it can be seen, by another machine's clock."""
_NEXT_DAY = """
SELECT min(d) AS day FROM (
  SELECT min(date) AS d FROM "LiteLLM_DailyEndUserSpend" WHERE date >= %(day)s
  {union}
) days
"""
_OR_OF_ALL = 'UNION ALL SELECT min(date) FROM "LiteLLM_DailyUserSpend" WHERE date >= %(day)s'
_ROWS = """
SELECT id, end_user_id, model, custom_llm_provider, spend, {requests}, {updated}
FROM "LiteLLM_DailyEndUserSpend"
WHERE date = %(day)s AND id > %(id)s AND end_user_id <> '' {since}
ORDER BY id LIMIT %(limit)s
"""
# numeric, since sums of float8 leave a remainder that nobody has spent. The proxy writes one table
# after the other: where the sum of all calls is behind for a moment, nothing is nobody's.
_REST = """
SELECT model, custom_llm_provider, greatest(sum(spend), 0) AS spend,
  greatest(sum(requests), 0) AS requests
FROM (
  SELECT coalesce(model, '') AS model, coalesce(custom_llm_provider, '') AS custom_llm_provider,
    spend::numeric AS spend, api_requests AS requests
  FROM "LiteLLM_DailyUserSpend" WHERE date = %(day)s
  UNION ALL
  SELECT coalesce(model, ''), coalesce(custom_llm_provider, ''), -spend::numeric, -api_requests
  FROM "LiteLLM_DailyEndUserSpend" WHERE date = %(day)s AND end_user_id <> ''
) calls
GROUP BY model, custom_llm_provider ORDER BY model, custom_llm_provider
"""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What a cursor holds: how far the days were read, and what of them was seen.

    ``seen`` is the newest change that a whole pull has read, ``rest`` a digest of each late
    day's facts of nobody, which are written again when they differ.
    """

    kind: str = KIND
    day: str = ""
    seen: datetime | None = None
    rest: dict[str, str] = {}


class _Pull:
    """How far one pull has come. ``reached`` is where it began."""

    def __init__(self, reached: Position) -> None:
        self.reached = reached
        self.position = reached
        self.newest = reached.seen

    def begin(self, day: str) -> None:
        """A stored cursor never goes back: each crash would take it further."""
        self.position = msgspec.structs.replace(self.position, day=max(self.position.day, day))

    def remember(self, day: str, digest: str, *, since: str) -> None:
        """The digest of a day's facts of nobody; those of days before ``since`` are dropped."""
        rest = {known: each for known, each in self.position.rest.items() if known >= since}
        rest[day] = digest
        self.position = msgspec.structs.replace(self.position, rest=rest)


@dataclass(frozen=True, slots=True)
class DailySums:
    """The tables as a sequence of batches, all of one org."""

    reader: Reader
    settings: LiteLLMSettings
    org_id: str
    columns: Mapping[str, frozenset[str]]
    page_rows: int = PAGE_ROWS

    async def batches(self, reached: Position) -> AsyncIterator[CostBatch]:
        """The late days again, and every day after ``reached``."""
        require_columns(TABLE, self.columns[TABLE], _NEEDED)
        pull, held = _Pull(reached), None
        day = await self._day_from(self._first_day(reached))
        while day is not None:
            pull.begin(day)
            async for facts in self._facts_of(day, pull):
                if held is not None:
                    yield held
                held = self._batch(facts, pull.position)
            day = await self._day_from(_next(day))
        if held is not None:  # all days were read: from here on, older changes are known
            last = msgspec.structs.replace(pull.position, seen=pull.newest)
            yield replace(held, cursor=encoded(last))

    async def _facts_of(self, day: str, pull: _Pull) -> AsyncIterator[list[CostFact]]:
        async for facts, newest in self._changed(day, pull.reached.seen):
            pull.newest = max(filter(None, (pull.newest, newest)), default=None)
            yield facts
        unattributed = await self._rest_of(day, is_new=day > pull.reached.day)
        digest = _digest(unattributed)
        if digest != pull.position.rest.get(day, _NOTHING):
            *early, last = batched(unattributed, self.page_rows)
            for facts in early:
                yield facts
            pull.remember(day, digest, since=self._first_day(pull.position))
            yield last

    async def _day_from(self, day: str) -> str | None:
        union = _OR_OF_ALL if self._has_all_calls else ""
        (row,) = await self.reader.rows(_NEXT_DAY.format(union=union), {"day": day})
        found = row["day"]
        ends = self.settings.read_before
        return None if found is None or (ends is not None and found >= ends) else str(found)

    async def _changed(
        self, day: str, since: datetime | None
    ) -> AsyncIterator[tuple[list[CostFact], datetime | None]]:
        """Facts of the day's end users, a page at a time, and when the newest changed."""
        has = self.columns[TABLE]
        statement = _ROWS.format(
            requests="api_requests" if "api_requests" in has else "0 AS api_requests",
            updated="updated_at" if "updated_at" in has else "NULL AS updated_at",
            since="AND updated_at >= %(since)s" if since and "updated_at" in has else "",
        )
        after = ""
        while True:
            values: dict[str, object] = {"day": day, "id": after, "limit": self.page_rows}
            if since is not None:
                values["since"] = since - timedelta(minutes=_COMMIT_MINUTES)
            rows = await self.reader.rows(statement, values)
            if rows:
                after = rows[-1]["id"]
                newest = max(filter(None, (row["updated_at"] for row in rows)), default=None)
                yield [_fact(day, f"end_user:{row['id']}", row) for row in rows], newest
            if len(rows) < self.page_rows:
                return

    async def _rest_of(self, day: str, *, is_new: bool) -> list[CostFact]:
        """What the day's calls without an end user cost."""
        if not self._has_all_calls:
            return []
        found = []
        for row in await self.reader.rows(_REST, {"day": day}):
            key = hashlib.sha256(f"{row['model']}\0{row['custom_llm_provider']}".encode())
            fact = _fact(day, f"nobody:{day}:{key.hexdigest()[:32]}", {**row, "end_user_id": ""})
            if fact.cost_nanodollars or fact.request_count or not is_new:
                found.append(fact)
        return found

    @property
    def _has_all_calls(self) -> bool:
        return {"date", "spend", "api_requests"} <= self.columns[ALL_CALLS]

    def _first_day(self, reached: Position) -> str:
        if not reached.day:
            return ""
        back = timedelta(days=self.settings.late_days)
        return (date.fromisoformat(reached.day) - back).isoformat()

    def _batch(self, facts: list[CostFact], position: Position) -> CostBatch:
        return CostBatch(org_id=self.org_id, facts=facts, cursor=encoded(position))


def batched(facts: Sequence[CostFact], size: int) -> list[list[CostFact]]:
    """``facts`` in parts that a batch may hold."""
    return [[*facts[start : start + size]] for start in range(0, len(facts), size)]


def _next(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _fact(day: str, key: str, row: Row) -> CostFact:
    spend = row["spend"]
    requests = row.get("api_requests", row.get("requests"))
    return CostFact(
        key=key,
        provider=text(row["custom_llm_provider"], 100) or "unknown",
        model=text(row["model"], 200) or "unknown",
        cost_nanodollars=nanodollars(spend if isinstance(spend, Decimal) else dollars(spend)),
        day=date.fromisoformat(day),
        tag_value=tidy(row["end_user_id"]),
        request_count=count(int(requests or 0)),
    )


def _digest(facts: Sequence[CostFact]) -> str:
    told = [
        (fact.key, fact.cost_nanodollars, fact.request_count)
        for fact in facts
        if fact.cost_nanodollars or fact.request_count
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]


_NOTHING = _digest(())
