"""The proxy's single calls, page by page, along their index of start and id.

A row appears after its call has ended, minutes after its start at times. So each pull goes back
by ``late_minutes``; what comes again is counted once, as it is when the callback has delivered
the same call before.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from nullspend_margins import CostBatch, CostEvent, ValidationFailed
from nullspend_margins_litellm.calls import event_of_call
from nullspend_margins_litellm.cursors import encoded
from nullspend_margins_litellm.reading import PAGE_ROWS, Reader, Row, require_columns
from nullspend_margins_litellm.settings import LiteLLMSettings

TABLE = "LiteLLM_SpendLogs"
KIND = "spend_logs"

_NEEDED = frozenset({"request_id", "startTime", "spend", "model"})
# What may be missing in an older proxy's table, and what stands for it then.
_OPTIONAL = (
    "call_type",
    "endTime",
    "model_group",
    "custom_llm_provider",
    "prompt_tokens",
    "completion_tokens",
    "cache_hit",
    "team_id",
    "organization_id",
    "end_user",
    "user",
    "session_id",
    "status",
    "litellm_call_id",
)
_KEY_METADATA = """, (SELECT k.metadata FROM "LiteLLM_VerificationToken" k
  WHERE k.token = l.api_key) AS key_metadata"""
# Of the metadata, which may hold whole requests, these paths alone.
_PAGE = """
SELECT l.request_id, l."startTime", l.spend, l.model, {optional},
  l.metadata #>> '{{litellm_call_id}}' AS logged_call_id,
  l.metadata #>> '{{user_api_key_alias}}' AS key_alias,
  l.metadata #>> '{{user_api_key_team_alias}}' AS team_alias,
  l.metadata #> '{{cost_breakdown}}' AS cost_breakdown,
  l.metadata #> '{{usage_object,prompt_tokens_details}}' AS input_details,
  l.metadata #> '{{usage_object,completion_tokens_details}}' AS output_details
  {key_metadata}
FROM "LiteLLM_SpendLogs" l
WHERE (l."startTime", l.request_id) > (%(start)s, %(request_id)s)
  AND l."startTime" >= %(start)s {before}
ORDER BY l."startTime", l.request_id LIMIT %(limit)s
"""

_log = logging.getLogger("nullspend_margins.litellm")


_BEGINNING = datetime.fromisoformat("1970-01-01")
"""Before every call; UTC without a zone, as the table has it."""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """The last row that was read: what a cursor holds."""

    kind: str = KIND
    start: datetime = _BEGINNING
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class SpendLogs:
    """The table as a sequence of batches."""

    reader: Reader
    settings: LiteLLMSettings
    columns: frozenset[str]
    page_rows: int = PAGE_ROWS
    now: datetime | None = None
    """UTC, as the table has it."""

    async def batches(self, reached: Position) -> AsyncIterator[CostBatch]:
        """Everything after ``reached``, and what may have come late before it."""
        statement = self._statement()
        position, is_saved = self._gone_back(reached), True
        while True:
            rows = await self.reader.rows(statement, self._values(position))
            if rows:
                position = Position(start=rows[-1]["startTime"], request_id=rows[-1]["request_id"])
            # A stored cursor never goes back: each crash would take it further.
            after = max(self._past(position), reached, key=_order)
            groups = self._by_org(rows)
            for number, (org_id, events) in enumerate(groups.items(), start=1):
                cursor = after if number == len(groups) else reached
                yield CostBatch(org_id=org_id, events=events, cursor=encoded(cursor))
            is_saved = bool(groups) or (is_saved and after == reached)
            reached = after
            if len(rows) < self.page_rows:
                break
        if not is_saved:  # rows of nobody's at the end need not be read again
            yield CostBatch(org_id=self._some_org, cursor=encoded(reached))

    def _past(self, position: Position) -> Position:
        """No later than now: behind a row of a clock that goes fast, others are still to come."""
        if self.now is None or position.start <= self.now:
            return position
        return Position(start=self.now)

    def _gone_back(self, reached: Position) -> Position:
        if reached.start == _BEGINNING:
            return reached
        return Position(start=reached.start - timedelta(minutes=self.settings.late_minutes))

    def _statement(self) -> str:
        require_columns(TABLE, self.columns, _NEEDED)
        optional = ", ".join(
            f'l."{name}"' if name in self.columns else f'NULL AS "{name}"' for name in _OPTIONAL
        )
        return _PAGE.format(
            optional=optional,
            key_metadata=_KEY_METADATA if self.settings.customer == "key_metadata" else "",
            before='AND l."startTime" < %(before)s' if self.settings.read_before else "",
        )

    def _values(self, position: Position) -> dict[str, object]:
        values: dict[str, object] = {
            "start": position.start,
            "request_id": position.request_id,
            "limit": self.page_rows,
        }
        if self.settings.read_before:
            values["before"] = datetime.fromisoformat(self.settings.read_before)
        return values

    def _by_org(self, rows: Iterable[Row]) -> dict[str, list[CostEvent]]:
        found: dict[str, list[CostEvent]] = {}
        for row in rows:
            org_id = self.settings.org_of(row["team_id"], row["organization_id"])
            if org_id is None or (row["status"] == "failure" and not row["spend"]):
                continue
            try:
                event = event_of_call(_payload(row), row["end_user"] or "", self.settings)
            except ValidationFailed as problem:
                _log.warning("row %r is not counted: %s", row["request_id"], problem.message)
                continue
            # Twice in a page, a call counts once, as it would in two.
            found.setdefault(org_id, []).append(event)
        return {org_id: _distinct(events) for org_id, events in found.items()}

    @property
    def _some_org(self) -> str:
        return self.settings.org or next(iter(self.settings.orgs.values()))


def _order(position: Position) -> tuple[datetime, str]:
    return position.start, position.request_id


def _distinct(events: Iterable[CostEvent]) -> list[CostEvent]:
    first: dict[str, CostEvent] = {}
    for event in events:
        first.setdefault(event.event_id, event)
    return [*first.values()]


def _payload(row: Row) -> Mapping[str, Any]:
    """A row as the callback would have been given the call."""
    return {
        **row,
        "litellm_call_id": row["litellm_call_id"] or row["logged_call_id"] or row["request_id"],
        "cache_hit": row["cache_hit"] == "True",
        "response_cost": row["spend"],
        "metadata": {
            "user_api_key_alias": row["key_alias"],
            "user_api_key_team_alias": row["team_alias"],
            "user_api_key_team_id": row["team_id"],
            "user_api_key_org_id": row["organization_id"],
            "user_api_key_user_id": row["user"],
            "user_api_key_auth_metadata": row.get("key_metadata"),
            "usage_object": {
                "prompt_tokens_details": row["input_details"],
                "completion_tokens_details": row["output_details"],
            },
        },
    }
