"""``/api/cost-events``."""

from __future__ import annotations

from nullspend_margins.web.endpoints import events
from nullspend_margins.web.route import IngestRoute, Link, Parameter, Reply, Route
from nullspend_margins.web.wire import examples
from nullspend_margins.web.wire.events import (
    BatchAnswer,
    CostEvent,
    CostEventBatch,
    IdempotencyKey,
    StoredEventAnswer,
)

_IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    "header",
    IdempotencyKey,
    "Makes a repeated request count once. The event's own `idempotencyKey` wins; in a batch, an"
    " event without one gets this key together with its index.",
    "2f0c6a7e-req-1",
)
_UNMATCHED = Link(
    name="unmatched", to="getUnmatched", description="Whether their customers are mapped."
)

EVENT_ROUTES: tuple[Route, ...] = (
    IngestRoute(
        method="POST",
        path="/api/cost-events",
        operation_id="reportCostEvent",
        tag="cost-events",
        summary="Report one cost event",
        description="An acknowledged event is on disk, and counts once.",
        endpoint=events.single,
        parameters=(_IDEMPOTENCY,),
        request=CostEvent,
        request_examples={"event": examples.COST_EVENT},
        replies=(
            Reply(
                status=201,
                kinds=(StoredEventAnswer,),
                description="The event is stored.",
                examples={"stored": examples.STORED_EVENT},
                links=(
                    Link(
                        name="again",
                        to="reportCostEvent",
                        description="The same event with the same key counts once.",
                        body="$request.body",
                    ),
                    Link(
                        name="margin",
                        to="getCustomerMargin",
                        description="The margin of its customer, if there is a mapping.",
                        parameters={"path.customer": "$request.body#/customer"},
                    ),
                    _UNMATCHED,
                ),
            ),
            Reply(
                status=200,
                kinds=(StoredEventAnswer,),
                description="A duplicate: the first one's id.",
                examples={"duplicate": examples.STORED_EVENT},
            ),
        ),
    ),
    IngestRoute(
        method="POST",
        path="/api/cost-events/batch",
        operation_id="reportCostEventBatch",
        tag="cost-events",
        summary="Report up to a hundred cost events, all or none",
        description="A batch is validated as a whole: one bad event, and nothing is stored.",
        endpoint=events.batch,
        parameters=(_IDEMPOTENCY,),
        request=CostEventBatch,
        request_examples={"batch": examples.BATCH},
        replies=(
            Reply(
                status=201,
                kinds=(BatchAnswer,),
                description="The events are stored; duplicates count once.",
                examples={"stored": examples.STORED_BATCH},
                links=(_UNMATCHED,),
            ),
        ),
    ),
)
