"""OpenAPI 3.1, made from the route table and the wire structs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.json import encode

from nullspend_margins.web.openapi.failures import (
    documented_errors,
    error_examples,
    failures_anywhere,
)
from nullspend_margins.web.openapi.operations import operation, security_schemes
from nullspend_margins.web.openapi.schemas import Json, Schemas
from nullspend_margins.web.route import Route
from nullspend_margins.web.routes import TAGS

__all__ = ["document", "documented_errors"]

_DESCRIPTION = """\
Which customers of an AI product make money: what each one's model calls cost, joined with what it
paid, by month.

- Money is an integer of microdollars: 1 USD = 1,000,000. Percent is a number of 2 decimals.
- A period is a calendar month in UTC. Times are ISO 8601 in UTC with milliseconds and `Z`.
- Texts that are sent hold no control characters and no lone surrogates; integers are not `5.0`.
- Unknown fields and query parameters are ignored. Of a field or query parameter that is there twice
  the last counts; a header of ours may not be sent twice with different values.
- `HEAD` works where `GET` only reads. Answers are not kept by caches (`Cache-Control: no-store`),
  but for this document.
- Every failure has the form of `ErrorEnvelope`; so do unknown paths (404 `not_found`) and methods
  (405 `method_not_allowed`, with `Allow`).
- Checks come in this order: authentication, plan, role, origin of the request, rate limit, and
  then the request itself."""


def document(
    routes: Sequence[Route], mount: str, *, prefix: str, cookie: str, version: str
) -> bytes:
    """The document as JSON. ``mount`` is where the host has put the product (its root path)."""
    schemas = Schemas(routes)
    return encode(
        {
            "openapi": "3.1.0",
            "info": _info(version),
            "servers": [{"url": mount.rstrip("/") or "/", "description": "Where this is mounted."}],
            "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
            "paths": _paths(routes, prefix, schemas),
            "components": {
                "schemas": schemas.components,
                "responses": failures_anywhere(schemas),
                "examples": error_examples(),
                "securitySchemes": security_schemes(cookie),
            },
        }
    )


def _info(version: str) -> Mapping[str, object]:
    return {
        "title": "NullSpend Margins",
        "summary": "Margins of every customer, by month.",
        "description": _DESCRIPTION,
        "version": version,
        "contact": {"name": "Whoever operates this installation"},
        "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    }


def _paths(routes: Sequence[Route], prefix: str, schemas: Schemas) -> Json:
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(prefix + route.template, {})[route.method.lower()] = operation(
            route, schemas
        )
    return paths
