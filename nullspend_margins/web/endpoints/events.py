"""``/api/cost-events``: what SDKs and hosts report over HTTP."""

from __future__ import annotations

from starlette.responses import Response

from nullspend_margins.web.answers import json_answer
from nullspend_margins.web.call import IngestCall
from nullspend_margins.web.cost_events import Reading, checked_header_key
from nullspend_margins.web.wire.base import timestamp
from nullspend_margins.web.wire.events import (
    BatchAnswer,
    CostEvent,
    CostEventBatch,
    StoredEvent,
    StoredEventAnswer,
)

SOURCE = "api"
"""The ingesting source of what comes over HTTP, part of an event's identity."""


async def single(call: IngestCall) -> Response:
    """Store one event: 201, or 200 with the first one's id when it is a duplicate."""
    call.event_limit.take(call.org_id)
    event = _reading(call).single(await call.request.body(CostEvent))
    [stored] = await call.services.ingest.submit(call.org_id, SOURCE, [event])
    told = StoredEvent(stored.id, timestamp(stored.created_at))
    return json_answer(StoredEventAnswer(told), status=201 if stored.inserted else 200)


async def batch(call: IngestCall) -> Response:
    """Store up to a hundred events, all or none."""
    call.event_limit.take(call.org_id)
    wanted = (await call.request.body(CostEventBatch)).events
    events = _reading(call).batch(wanted)
    call.event_limit.take(call.org_id, len(events) - 1, after=1)
    stored = await call.services.ingest.submit(call.org_id, SOURCE, events)
    inserted = sum(each.inserted for each in stored)
    return json_answer(BatchAnswer(inserted, [each.id for each in stored]), status=201)


def _reading(call: IngestCall) -> Reading:
    return Reading(
        now=call.services.clock.now(),
        header_key=checked_header_key(call.request.header("Idempotency-Key")),
        dedupe_days=call.services.config.ingest.dedupe_days,
    )
