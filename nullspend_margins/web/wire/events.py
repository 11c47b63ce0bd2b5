"""Cost events on the wire, as the official SDK sends them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from nullspend_margins.domain.cost import MAX_COST_NANODOLLARS, MAX_COUNT
from nullspend_margins.domain.money import NANODOLLARS_PER_MICRODOLLAR
from nullspend_margins.domain.text import MAX_TEXT
from nullspend_margins.web.wire.base import PRINTABLE, Text, Timestamp, Uuid, Wire

MAX_BATCH = 100
MAX_KEY = 200
TAG_KEY = r"^[A-Za-z0-9_-]{1,64}(?!\n)$"

Provider = Annotated[str, Meta(min_length=1, max_length=100, pattern=PRINTABLE)]
Model = Annotated[str, Meta(min_length=1, max_length=200, pattern=PRINTABLE)]
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Cost = Annotated[int, Meta(ge=0, le=MAX_COST_NANODOLLARS // NANODOLLARS_PER_MICRODOLLAR)]
# The contract sets no limit for these; a database does well to have one.
Label = Annotated[str, Meta(max_length=1000, pattern=PRINTABLE)]
IdempotencyKey = Annotated[str, Meta(max_length=MAX_KEY, pattern=PRINTABLE)]
TagKey = Annotated[str, Meta(pattern=TAG_KEY)]
TagValue = Annotated[str, Meta(max_length=MAX_TEXT, pattern=PRINTABLE)]
Tags = Annotated[dict[TagKey, TagValue], Meta(max_length=10)]


class EventRequest(Wire, frozen=True, kw_only=True):
    """One request that cost money. Null counts as absent; unknown fields are ignored."""

    provider: Provider
    model: Model
    input_tokens: Count
    output_tokens: Count
    cost_microdollars: Cost
    cached_input_tokens: Count | None = None
    reasoning_tokens: Count | None = None
    duration_ms: Count | None = None
    session_id: Label | None = None
    trace_id: Label | None = None
    event_type: Literal["llm", "tool", "custom"] | None = None
    tool_name: Label | None = None
    tool_server: Label | None = None
    customer: Text | None = None
    tags: Tags | None = None
    idempotency_key: IdempotencyKey | None = None
    cost_breakdown: dict[str, Any] | None = None
    source: Label | None = None
    occurred_at: (
        Annotated[
            str,
            Meta(
                description="ISO 8601 with an offset or `Z`; now, when absent.",
                extra_json_schema={"format": "date-time"},
            ),
        ]
        | None
    ) = None


class BatchRequest(Wire, frozen=True):
    """Up to a hundred events, stored together or not at all."""

    events: Annotated[list[EventRequest], Meta(min_length=1, max_length=MAX_BATCH)]


class StoredEventAnswer(Wire, frozen=True):
    """An event that is stored, now or by an earlier request with the same key."""

    id: Uuid
    created_at: Timestamp


class BatchAnswer(Wire, frozen=True):
    """How many events were new, and every event's id, in order. Not wrapped in ``data``."""

    inserted: int
    ids: list[Uuid]
