"""OpenAPI 3.1, made from the route table and the wire structs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec.json import encode, schema_components

from nullspend_margins.web.answers import JSON
from nullspend_margins.web.failures import STATUS_OF_CODE
from nullspend_margins.web.guard import INGEST_KEY_HEADER
from nullspend_margins.web.route import IngestRoute, Reply, Route, SessionRoute
from nullspend_margins.web.wire.errors import ErrorEnvelope

_DESCRIPTION = """\
Which customers of an AI product make money: costs joined with revenue.

Money is an integer of microdollars (1 USD = 1,000,000). Every failure has the form of
`ErrorEnvelope`; unknown paths (404 `not_found`) and methods (405 `method_not_allowed`, with
`Allow`) too. Checks come in this order: authentication, origin of the request, plan, role, rate
limit, and then the request itself."""

_BODY_ERRORS = (
    "validation_error",
    "invalid_json",
    "payload_too_large",
    "unsupported_media_type",
)
_SERVED_ERRORS = (
    "authentication_required",
    "rate_limit_exceeded",
    "internal_error",
    "service_unavailable",
)
_HEADERS_OF_CODE = {
    "rate_limit_exceeded": (
        "Retry-After",
        {"description": "Seconds to wait.", "schema": {"type": "integer"}},
    ),
}


def document(
    routes: Sequence[Route], mount: str, *, prefix: str, cookie: str, version: str
) -> bytes:
    """The document as JSON. ``mount`` is where the host has put the product (its root path)."""
    schemas = _Schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = prefix + route.path.replace(":path}", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schemas)
    return encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "NullSpend Margins",
                "version": version,
                "description": _DESCRIPTION,
            },
            "servers": [{"url": mount.rstrip("/") or "/"}],
            "paths": paths,
            "components": {
                "schemas": schemas.components,
                "securitySchemes": _security_schemes(cookie),
            },
        }
    )


def documented_errors(route: Route) -> dict[int, list[str]]:
    """The error codes a route may answer with, by status."""
    codes = set(route.errors)
    if isinstance(route, SessionRoute):
        codes.update(_SERVED_ERRORS, ("forbidden",))
    elif isinstance(route, IngestRoute):
        codes.update(_SERVED_ERRORS)
    if route.request is not None:
        codes.update(_BODY_ERRORS)
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes, key=lambda code: (STATUS_OF_CODE[code], code)):
        by_status.setdefault(STATUS_OF_CODE[code], []).append(code)
    return by_status


class _Schemas:
    """The JSON Schema of every type the table mentions; structs by reference."""

    def __init__(self, routes: Sequence[Route]) -> None:
        kinds = [ErrorEnvelope, *_kinds(routes)]
        schemas, self.components = schema_components(
            kinds, ref_template="#/components/schemas/{name}"
        )
        # By repr: an annotated type is not hashable when its Meta holds a dict.
        self._found = dict(zip(map(repr, kinds), schemas, strict=True))

    def of(self, kind: Any) -> dict[str, Any]:
        return self._found[repr(kind)]

    def of_reply(self, reply: Reply) -> dict[str, Any]:
        if not reply.kinds:
            return {"type": "string"}
        found = [self.of(kind) for kind in reply.kinds]
        payload = found[0] if len(found) == 1 else {"anyOf": found}
        if not reply.wrapped:
            return payload
        return {"type": "object", "properties": {"data": payload}, "required": ["data"]}


def _kinds(routes: Iterable[Route]) -> Iterator[Any]:
    for route in routes:
        if route.request is not None:
            yield route.request
        for parameter in route.parameters:
            yield parameter.kind
        for reply in route.replies:
            yield from reply.kinds


def _operation(route: Route, schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [route.path.split("/")[2]],
        "security": _security(route),
        "responses": {
            **_replies(route.replies, schemas),
            **{
                str(status): _failure(codes, schemas)
                for status, codes in documented_errors(route).items()
            },
        },
    }
    if isinstance(route, SessionRoute):
        gate = " The org's plan must include margins." if route.plan_gated else ""
        operation["description"] = f"Needs the role `{route.role.wire_name}` or above.{gate}"
    if route.parameters:
        operation["parameters"] = [
            {
                "name": parameter.name,
                "in": parameter.where,
                "required": parameter.required,
                "description": parameter.description,
                "schema": schemas.of(parameter.kind),
            }
            for parameter in route.parameters
        ]
    if route.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": schemas.of(route.request)}},
        }
    return operation


def _operation_id(route: Route) -> str:
    words = [word.strip("{}").removesuffix(":path") for word in route.path.split("/")[2:]]
    return "_".join([route.method.lower(), *words]).replace("-", "_").replace(".", "_")


def _replies(replies: Iterable[Reply], schemas: _Schemas) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for reply in replies:
        answer = found.setdefault(
            str(reply.status), {"description": reply.description, "content": {}}
        )
        answer["content"][reply.media_type] = {"schema": schemas.of_reply(reply)}
    return found


def _failure(codes: Sequence[str], schemas: _Schemas) -> dict[str, Any]:
    only = {"properties": {"error": {"properties": {"code": {"enum": list(codes)}}}}}
    failure: dict[str, Any] = {
        "description": " or ".join(f"`{code}`" for code in codes),
        "content": {JSON: {"schema": {"allOf": [schemas.of(ErrorEnvelope), only]}}},
    }
    headers = dict(_HEADERS_OF_CODE[code] for code in codes if code in _HEADERS_OF_CODE)
    return {**failure, "headers": headers} if headers else failure


def _security(route: Route) -> list[dict[str, list[str]]]:
    if isinstance(route, IngestRoute):
        return [{"ingestKey": []}]
    if isinstance(route, SessionRoute):
        return [{"session": []}, {"bearer": []}]
    return []


def _security_schemes(cookie: str) -> dict[str, Any]:
    return {
        "session": {"type": "apiKey", "in": "cookie", "name": cookie},
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token that an authenticator of the host accepts; for the sync"
            " routes also the cron secret.",
        },
        "ingestKey": {"type": "apiKey", "in": "header", "name": INGEST_KEY_HEADER},
    }
