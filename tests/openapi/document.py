"""The document as tests read it: what is in it, what it refers to, what it allows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from nullspend_margins.config import SessionSettings
from nullspend_margins.version import __version__
from nullspend_margins.web.openapi import document
from nullspend_margins.web.route import Route
from nullspend_margins.web.routes import ROUTES

Json = dict[str, Any]


@cache
def api() -> Json:
    found: Json = json.loads(
        document(
            ROUTES,
            mount="/billing",
            prefix="",
            cookie=SessionSettings().cookie_name,
            version=__version__,
        )
    )
    return found


def schemas() -> dict[str, Json]:
    found: dict[str, Json] = api()["components"]["schemas"]
    return found


def operation_of(route: Route) -> Json:
    found: Json = api()["paths"][route.template][route.method.lower()]
    return found


def target(node: Json) -> Json:
    """``node``, or what it refers to."""
    if "$ref" not in node:
        return node
    found: Any = api()
    for name in node["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return dict(found)


def problems(schema: Json, value: object) -> list[str]:
    """Why ``value`` is not what ``schema`` describes. Patterns are read as JavaScript's."""
    errors = validator_of(json.dumps(schema)).iter_errors(value)
    return [error.message for error in errors]


@cache
def validator_of(schema: str) -> jsonschema_rs.Validator:
    whole = {**json.loads(schema), "components": api()["components"]}
    return jsonschema_rs.validator_for(whole, validate_formats=True)


def nodes(schema: Json) -> Iterator[Json]:
    """A schema and all that are in it, references not followed."""
    yield schema
    if "$ref" in schema:
        return
    for name in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(name), dict):
            yield from nodes(schema[name])
    for each in (*schema.get("properties", {}).values(), *schema.get("anyOf", ())):
        yield from nodes(each)


def contents() -> Iterator[tuple[str, Json]]:
    """Every body and answer of every operation: a label, and its media type object."""
    for route in ROUTES:
        operation = operation_of(route)
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{route.operation_id} {media}", content
        for status, response in operation["responses"].items():
            for media, content in response["content"].items():
                yield f"{route.operation_id} {status} {media}", content
    for name, response in api()["components"]["responses"].items():
        for media, content in response["content"].items():
            yield f"{name} {media}", content


def described() -> Iterator[tuple[str, Json]]:
    """Every parameter and every header of an answer."""
    for route in ROUTES:
        operation = operation_of(route)
        for parameter in operation.get("parameters", ()):
            yield f"{route.operation_id} {parameter['name']}", parameter
        for status, response in operation["responses"].items():
            for name, header in response.get("headers", {}).items():
                yield f"{route.operation_id} {status} {name}", header


def properties() -> Iterator[tuple[str, str, Json]]:
    for name, schema in schemas().items():
        for field, kind in schema.get("properties", {}).items():
            yield name, field, kind


def description(kind: Json) -> str:
    """What is said of a property, where it stands or where its type does."""
    return str(kind.get("description") or target(kind).get("description") or _of_choice(kind))


def _of_choice(kind: Json) -> str:
    others = [each for each in kind.get("anyOf", ()) if each != {"type": "null"}]
    return description(others[0]) if len(others) == 1 else ""


def parameter(name: str) -> Json:
    """The schema of the parameter ``name``."""
    return next(each["schema"] for _, each in described() if each.get("name") == name)
