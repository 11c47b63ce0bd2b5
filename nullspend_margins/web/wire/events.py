"""Cost events on the wire, as the official SDK sends them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from nullspend_margins.domain.cost import (
    MAX_COST_NANODOLLARS,
    MAX_COUNT,
    MAX_LABEL,
    MAX_MODEL,
    MAX_PROVIDER,
    MAX_TAG_KEY,
    MAX_TAGS,
)
from nullspend_margins.domain.money import NANODOLLARS_PER_MICRODOLLAR
from nullspend_margins.domain.text import MAX_TEXT
from nullspend_margins.web.wire.base import INT64, PRINTABLE, Text, Timestamp, Uuid, Wire

MAX_BATCH = 100
MAX_KEY = 200
MAX_BREAKDOWN_DEPTH = 8
TAG_KEY = rf"^[A-Za-z0-9_-]{{1,{MAX_TAG_KEY}}}(?!\n)$"
TIME = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
    r"([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)"
)
"""ISO 8601 with an offset, before it is read."""

Provider = Annotated[str, Meta(min_length=1, max_length=MAX_PROVIDER, pattern=PRINTABLE)]
Model = Annotated[str, Meta(min_length=1, max_length=MAX_MODEL, pattern=PRINTABLE)]
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT, extra_json_schema=INT64)]
Cost = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_COST_NANODOLLARS // NANODOLLARS_PER_MICRODOLLAR,
        extra_json_schema=INT64,
    ),
]
Label = Annotated[str, Meta(max_length=MAX_LABEL, pattern=PRINTABLE)]
IdempotencyKey = Annotated[str, Meta(max_length=MAX_KEY, pattern=PRINTABLE)]
TagKey = Annotated[str, Meta(pattern=TAG_KEY)]
TagText = Annotated[str, Meta(max_length=MAX_TEXT, pattern=PRINTABLE)]
Tags = Annotated[
    dict[TagKey, TagText],
    Meta(
        title="Tags",
        max_length=MAX_TAGS,
        description="The host's own labels. `customer` names the customer where the event itself"
        " does not.",
        examples=[{"team": "search"}],
    ),
]
EventType = Annotated[
    Literal["llm", "tool", "custom"], Meta(title="EventType", description="What cost money.")
]
CostBreakdown = Annotated[
    dict[str, Any],
    Meta(
        title="CostBreakdown",
        description="How the cost came about, kept as it is: at most 8 KiB as JSON, nested at"
        " most 8 deep; texts hold no control characters.",
        examples=[{"input": 4500, "output": 1500}],
    ),
]
OccurredAt = Annotated[
    str,
    Meta(
        description="When it happened: ISO 8601 with an offset or `Z`, seconds to 9 digits; now,"
        " when absent. Not before 2000, at most a day ahead, and within the operator's"
        " `dedupe_days` where those are set.",
        examples=["2026-04-05T10:00:00Z"],
        extra_json_schema={"format": "date-time", "pattern": f"^{TIME}$"},
    ),
]


class CostEvent(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """One request that cost money. Null counts as absent; unknown fields are ignored."""

    provider: Annotated[Provider, Meta(description="Who served the model.", examples=["openai"])]
    model: Annotated[Model, Meta(description="The model's name.", examples=["gpt-4o"])]
    input_tokens: Annotated[Count, Meta(description="Tokens that went in.")]
    output_tokens: Annotated[Count, Meta(description="Tokens that came out.")]
    cost_microdollars: Annotated[
        Cost, Meta(description="What it cost, microdollars: 1 USD = 1,000,000.")
    ]
    cached_input_tokens: Annotated[
        Count | None, Meta(description="Those of the input tokens that came from a cache.")
    ] = None
    reasoning_tokens: Annotated[
        Count | None, Meta(description="Those of the output tokens that were reasoning.")
    ] = None
    duration_ms: Annotated[Count | None, Meta(description="How long it took, milliseconds.")] = None
    session_id: Annotated[Label | None, Meta(description="The host's session.")] = None
    trace_id: Annotated[Label | None, Meta(description="The host's trace.")] = None
    event_type: EventType | None = None
    tool_name: Annotated[Label | None, Meta(description="The tool, of a `tool` event.")] = None
    tool_server: Annotated[Label | None, Meta(description="Where the tool runs.")] = None
    customer: Annotated[
        Text | None,
        Meta(
            description="The tag value the cost belongs to; else `tags.customer`; else nobody.",
        ),
    ] = None
    tags: Tags | None = None
    idempotency_key: Annotated[
        IdempotencyKey | None,
        Meta(
            description="An event with the same provider and key counts once; wins over the"
            " `Idempotency-Key` header. Empty counts as absent."
        ),
    ] = None
    cost_breakdown: CostBreakdown | None = None
    source: Annotated[Label | None, Meta(description="What reported the event.")] = None
    occurred_at: OccurredAt | None = None


class CostEventBatch(Wire, frozen=True):
    """Up to a hundred events, stored together or not at all."""

    events: Annotated[
        list[CostEvent],
        Meta(min_length=1, max_length=MAX_BATCH, description="The events, in any order."),
    ]


class StoredEvent(Wire, frozen=True):
    """An event that is stored, now or by an earlier request with the same key."""

    id: Annotated[Uuid, Meta(description="The id of the event that was stored first.")]
    created_at: Annotated[Timestamp, Meta(description="When it was stored (ISO 8601, UTC).")]


class StoredEventAnswer(Wire, frozen=True):
    """The answer with a stored event."""

    data: StoredEvent


class BatchAnswer(Wire, frozen=True):
    """How the events of a batch were stored. Not wrapped in ``data``."""

    inserted: Annotated[int, Meta(ge=0, le=MAX_BATCH, description="How many were new.")]
    ids: Annotated[
        list[Uuid],
        Meta(description="One id an event, in order; a duplicate has the first one's."),
    ]
