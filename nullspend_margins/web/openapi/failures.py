"""The failures of a route in OpenAPI: by status, with headers and an example of each code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nullspend_margins.web.answers import JSON
from nullspend_margins.web.failures import STATUS_OF_CODE
from nullspend_margins.web.openapi.error_examples import (
    ERROR_EXAMPLES,
    ErrorExample,
    examples_of,
)
from nullspend_margins.web.openapi.schemas import Json, Schemas
from nullspend_margins.web.route import IngestRoute, Route, SessionRoute
from nullspend_margins.web.wire.errors import ErrorEnvelope

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
_HEADERS: Mapping[str, Json] = {
    "authentication_required": {
        "WWW-Authenticate": {
            "description": "With a bearer token that nobody accepts.",
            "required": False,
            "schema": {"type": "string"},
            "example": 'Bearer error="invalid_token"',
        }
    },
    "rate_limit_exceeded": {
        "Retry-After": {
            "description": "How long to wait, seconds.",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
            "example": 30,
        }
    },
    "method_not_allowed": {
        "Allow": {
            "description": "The methods that the path has.",
            "required": True,
            "schema": {"type": "string"},
            "example": "GET, HEAD, POST",
        }
    },
}


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


def failures(route: Route, schemas: Schemas) -> Json:
    """The bad answers of ``route`` by status."""
    return {
        str(status): _failure(
            codes, [each for code in codes for each in examples_of(route, code)], schemas
        )
        for status, codes in documented_errors(route).items()
    }


def failures_anywhere(schemas: Schemas) -> Json:
    """The bad answers that belong to no operation, by name."""
    unknown, wrong = (
        [each for each in ERROR_EXAMPLES if each.name == name]
        for name in ("unknownPath", "methodNotAllowed")
    )
    return {
        "UnknownPath": _failure(["not_found"], unknown, schemas),
        "MethodNotAllowed": _failure(["method_not_allowed"], wrong, schemas),
    }


def error_examples() -> Json:
    """Every example of a failure, by name."""
    return {
        each.name: {
            "summary": each.message,
            "value": {
                "error": {"code": each.code, "message": each.message, "details": each.details}
            },
        }
        for each in ERROR_EXAMPLES
    }


def _failure(codes: Sequence[str], examples: Sequence[ErrorExample], schemas: Schemas) -> Json:
    """The response with one of these codes, which share a status."""
    only = {"error": {"properties": {"code": {"enum": list(codes)}}}}
    content = {
        "schema": {**schemas.of(ErrorEnvelope), "properties": only},
        "examples": {
            each.name: {"$ref": f"#/components/examples/{each.name}"} for each in examples
        },
    }
    response: Json = {
        "description": " or ".join(f"`{code}`" for code in codes),
        "content": {JSON: content},
    }
    headers = {name: header for code in codes for name, header in _HEADERS.get(code, {}).items()}
    return {**response, "headers": headers} if headers else response
