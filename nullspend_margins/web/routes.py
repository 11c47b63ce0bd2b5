"""The route table. The router, the checks and OpenAPI are all made from it."""

from __future__ import annotations

from typing import Any, Literal

from nullspend_margins.domain.access import Role
from nullspend_margins.web.endpoints import connections, docs, events, mappings, margins
from nullspend_margins.web.route import (
    IngestRoute,
    Parameter,
    PublicRoute,
    Reply,
    Route,
    SessionRoute,
)
from nullspend_margins.web.wire.base import Deleted, PeriodText, Uuid
from nullspend_margins.web.wire.connections import (
    Connection,
    CronAnswer,
    NewConnection,
    StripeKey,
    SyncAnswer,
)
from nullspend_margins.web.wire.events import (
    BatchAnswer,
    BatchRequest,
    EventRequest,
    IdempotencyKey,
    StoredEventAnswer,
)
from nullspend_margins.web.wire.mappings import Mapping, MappingRequest
from nullspend_margins.web.wire.margins import Customer, Table, UnmatchedReport

_PERIOD = Parameter("period", "query", PeriodText, "The month; by default the current one.")
_FORMAT = Parameter("format", "query", Literal["json", "csv"], "`csv` downloads a file.")
_CUSTOMER = Parameter("customer", "path", str, "The tag value, percent-encoded.", required=True)
_TAG_VALUE = Parameter(
    "tagValue", "query", str, "The customer, in place of the path: for what a path cannot carry."
)
_PROVIDER = Parameter("provider", "path", str, "The revenue provider's name.", required=True)
_MAPPING_ID = Parameter("id", "query", Uuid, "The mapping.", required=True)
_IDEMPOTENCY = Parameter(
    "Idempotency-Key", "header", IdempotencyKey, "Makes a repeated request count once."
)

_ASKING_ERRORS = ("stripe_validation_failed", "conflict", "provider_unavailable")
_SYNC_ERRORS = (
    "not_found",
    "conflict",
    "sync_in_progress",
    "connection_revoked",
    "permission_missing",
    "provider_unavailable",
)

_MARGINS: tuple[Route, ...] = (
    SessionRoute(
        method="GET",
        path="/api/margins",
        summary="The margin table of a period",
        endpoint=margins.table,
        role=Role.VIEWER,
        parameters=(_PERIOD, _FORMAT),
        replies=(
            Reply(200, (Table,), "The table, worst customer first."),
            Reply(200, (), "The table as a file (RFC 4180).", "text/csv"),
        ),
        errors=("validation_error", "service_unavailable"),
    ),
    SessionRoute(
        method="GET",
        path="/api/margins/unmatched",
        summary="Customers and tag values that are not mapped",
        endpoint=margins.unmatched,
        role=Role.VIEWER,
        parameters=(_PERIOD, _TAG_VALUE),
        replies=(
            Reply(
                200,
                (UnmatchedReport, Customer),
                "What is left to map; with `tagValue`, that customer.",
            ),
        ),
        errors=("validation_error", "not_found"),
    ),
    SessionRoute(
        method="GET",
        path="/api/margins/{customer:path}",
        summary="One customer in a period",
        endpoint=margins.customer,
        role=Role.VIEWER,
        parameters=(_CUSTOMER, _PERIOD, _TAG_VALUE),
        replies=(Reply(200, (Customer,), "The customer."),),
        errors=("validation_error", "not_found"),
    ),
)

_MAPPINGS: tuple[Route, ...] = (
    SessionRoute(
        method="GET",
        path="/api/customer-mappings",
        summary="All mappings of the org",
        endpoint=mappings.listing,
        role=Role.VIEWER,
        replies=(Reply(200, (list[Mapping],), "The mappings, oldest first."),),
    ),
    SessionRoute(
        method="POST",
        path="/api/customer-mappings",
        summary="Create or update a mapping",
        endpoint=mappings.save,
        role=Role.ADMIN,
        request=MappingRequest,
        replies=(Reply(201, (Mapping,), "The mapping, created or updated."),),
        errors=("conflict",),
    ),
    SessionRoute(
        method="DELETE",
        path="/api/customer-mappings",
        summary="Delete a mapping",
        endpoint=mappings.delete,
        role=Role.ADMIN,
        parameters=(_MAPPING_ID,),
        replies=(Reply(200, (Deleted,), "It is deleted."),),
        errors=("validation_error", "not_found"),
    ),
)

_EVENTS: tuple[Route, ...] = (
    IngestRoute(
        method="POST",
        path="/api/cost-events",
        summary="Report one cost event",
        endpoint=events.single,
        parameters=(_IDEMPOTENCY,),
        request=EventRequest,
        replies=(
            Reply(201, (StoredEventAnswer,), "The event is stored."),
            Reply(200, (StoredEventAnswer,), "A duplicate: the first one's id."),
        ),
    ),
    IngestRoute(
        method="POST",
        path="/api/cost-events/batch",
        summary="Report up to a hundred cost events, all or none",
        endpoint=events.batch,
        parameters=(_IDEMPOTENCY,),
        request=BatchRequest,
        replies=(
            Reply(
                201,
                (BatchAnswer,),
                "The events are stored; duplicates count once.",
                wrapped=False,
            ),
        ),
    ),
)

_DOCS = PublicRoute(
    method="GET",
    path="/api/openapi.json",
    summary="This document",
    endpoint=docs.openapi,
    replies=(Reply(200, (dict[str, Any],), "OpenAPI 3.1.", wrapped=False),),
)


def _connection_routes(
    base: str, *, disconnect: str, sync: str, fixed: dict[str, str], body: object
) -> tuple[Route, ...]:
    """The routes of a connection: once for any provider, once for Stripe by its own names."""
    named = () if fixed else (_PROVIDER,)
    unknown = () if fixed else ("not_found",)
    who = "Stripe" if fixed else "a revenue provider"
    return (
        SessionRoute(
            method="GET",
            path=base,
            summary=f"The connection to {who}",
            endpoint=connections.status,
            role=Role.VIEWER,
            fixed=fixed,
            parameters=named,
            replies=(Reply(200, (Connection | None,), "The connection, or null."),),
            errors=unknown,
        ),
        *_credential_routes(base, who, fixed, named, body, unknown),
        SessionRoute(
            method="DELETE",
            path=disconnect,
            summary=f"Disconnect {who}",
            endpoint=connections.disconnect,
            role=Role.ADMIN,
            fixed=fixed,
            parameters=named,
            replies=(Reply(200, (Deleted,), "Connection, revenue and mappings are gone."),),
            errors=("not_found",),
        ),
        *(_sync_route(method, sync, fixed) for method in ("GET", "POST")),
    )


def _credential_routes(
    base: str,
    who: str,
    fixed: dict[str, str],
    named: tuple[Parameter, ...],
    body: object,
    unknown: tuple[str, ...],
) -> tuple[Route, ...]:
    """The two that take a credential: for a new connection, and for the one there is."""
    return (
        SessionRoute(
            method="POST",
            path=base,
            summary=f"Connect {who}",
            endpoint=connections.connect,
            role=Role.ADMIN,
            fixed=fixed,
            parameters=named,
            request=body,
            replies=(Reply(201, (NewConnection,), "Connected."),),
            errors=(*_ASKING_ERRORS, *unknown),
        ),
        SessionRoute(
            method="PUT",
            path=base,
            summary=f"Replace the credential of the connection to {who}",
            endpoint=connections.replace,
            role=Role.ADMIN,
            fixed=fixed,
            parameters=named,
            request=body,
            replies=(Reply(200, (Connection,), "Replaced; nothing stored is lost."),),
            errors=(*_ASKING_ERRORS, "not_found"),
        ),
    )


def _sync_route(method: str, path: str, fixed: dict[str, str]) -> SessionRoute:
    return SessionRoute(
        method=method,
        path=path,
        summary="Sync revenue: this org's, or all that is due with the cron secret",
        endpoint=connections.sync,
        cron=connections.sync_every_provider if fixed else connections.sync_provider,
        role=Role.MEMBER,
        fixed=fixed,
        parameters=() if fixed else (_PROVIDER,),
        replies=(
            Reply(
                200,
                (SyncAnswer, CronAnswer),
                "What the sync did; for the cron job, counts alone.",
            ),
        ),
        errors=_SYNC_ERRORS,
    )


ROUTES: tuple[Route, ...] = (
    *_MARGINS,
    *_connection_routes(
        "/api/stripe/connect",
        disconnect="/api/stripe/disconnect",
        sync="/api/stripe/revenue-sync",
        fixed={"provider": "stripe"},
        body=StripeKey,
    ),
    *_connection_routes(
        "/api/connections/{provider}",
        disconnect="/api/connections/{provider}",
        sync="/api/connections/{provider}/sync",
        fixed={},
        body=dict[str, Any],
    ),
    *_MAPPINGS,
    *_EVENTS,
    _DOCS,
)
