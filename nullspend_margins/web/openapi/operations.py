"""A line of the route table as an operation of OpenAPI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nullspend_margins.web.answers import JSON
from nullspend_margins.web.bodies import MAX_BODY_BYTES
from nullspend_margins.web.guard import INGEST_KEY_HEADER
from nullspend_margins.web.openapi.failures import failures
from nullspend_margins.web.openapi.schemas import Json, Schemas
from nullspend_margins.web.route import (
    Header,
    IngestRoute,
    Link,
    Parameter,
    Reply,
    Route,
    SessionRoute,
)


def operation(route: Route, schemas: Schemas) -> Json:
    """All that a caller of ``route`` must know."""
    found: Json = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "description": f"{route.description}\n\n{_needs(route)}",
        "tags": [route.tag],
        "security": _security(route),
        "responses": {
            **_replies(route.replies, schemas),
            **failures(route, schemas),
        },
    }
    if route.parameters:
        found["parameters"] = [_parameter(each, schemas) for each in route.parameters]
    if route.request is not None:
        found["requestBody"] = {
            "description": f"JSON, at most {MAX_BODY_BYTES:,} bytes, not compressed.",
            "required": True,
            "content": {
                JSON: {
                    "schema": schemas.of(route.request),
                    "examples": _examples(route.request_examples),
                }
            },
        }
    return found


def security_schemes(cookie: str) -> Json:
    """The ways to say who is asking."""
    return {
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "A person's session. The host may have sessions of its own in its"
            " place. Changes and syncs must come from the same site: `Sec-Fetch-Site` is"
            " `same-origin` or `none`, or, without it, `Origin` is absent or the host's own.",
        },
        "hostToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token that an authenticator of the host accepts.",
        },
        "cronSecret": {
            "type": "http",
            "scheme": "bearer",
            "description": "The operator's cron secret: syncs everything that is due.",
        },
        "ingestKey": {
            "type": "apiKey",
            "in": "header",
            "name": INGEST_KEY_HEADER,
            "description": "A cost-event key of the org, `ns_live_sk_` and 32 hexadecimal digits.",
        },
    }


def _needs(route: Route) -> str:
    if isinstance(route, IngestRoute):
        return f"Needs a cost-event key in `{INGEST_KEY_HEADER}`; no plan, no role."
    if not isinstance(route, SessionRoute):
        return "Needs nothing."
    gate = " The org's plan must include margins." if route.plan_gated else ""
    cron = " The cron secret needs neither." if route.cron is not None else ""
    return f"Needs the role `{route.role.wire_name}` or above.{gate}{cron}"


def _security(route: Route) -> list[dict[str, list[str]]]:
    if isinstance(route, IngestRoute):
        return [{"ingestKey": []}]
    if not isinstance(route, SessionRoute):
        return []
    ways = ["session", "hostToken", *(["cronSecret"] if route.cron is not None else [])]
    return [{way: []} for way in ways]


def _parameter(parameter: Parameter, schemas: Schemas) -> Json:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.description,
        "schema": schemas.of(parameter.kind),
        "example": parameter.example,
    }


def _replies(replies: Iterable[Reply], schemas: Schemas) -> Json:
    """By status; several media types of one status make one response."""
    found: dict[str, Json] = {}
    for reply in replies:
        answer = found.setdefault(str(reply.status), {"description": "", "content": {}})
        answer["description"] = f"{answer['description']} {reply.description}".strip()
        answer["content"][reply.media_type] = {
            "schema": schemas.of_reply(reply),
            "examples": _examples(reply.examples),
        }
        if reply.headers:
            answer["headers"] = {
                name: _header(header, schemas) for name, header in reply.headers.items()
            }
        if reply.links:
            answer["links"] = {link.name: _link(link) for link in reply.links}
    return found


def _header(header: Header, schemas: Schemas) -> Json:
    return {
        "description": header.description,
        "required": header.required,
        "schema": schemas.of(header.kind),
        "example": header.example,
    }


def _link(link: Link) -> Json:
    found: Json = {"operationId": link.to, "description": link.description}
    if link.parameters:
        found["parameters"] = dict(link.parameters)
    if link.body is not None:
        found["requestBody"] = link.body
    return found


def _examples(examples: Mapping[str, object]) -> dict[str, Any]:
    return {
        name: {"summary": name, "value": msgspec.json.decode(msgspec.json.encode(value))}
        for name, value in examples.items()
    }
