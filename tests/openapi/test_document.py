"""The document is complete, its examples are true, and its limits are those that are enforced."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from nullspend_margins.config import SessionSettings
from nullspend_margins.domain.period import Period
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.plugins.contracts import problems_of
from nullspend_margins.version import __version__
from nullspend_margins.web.failures import STATUS_OF_CODE
from nullspend_margins.web.openapi import document, documented_errors
from nullspend_margins.web.route import IngestRoute, Route, SessionRoute
from nullspend_margins.web.routes import ROUTES, TAGS
from nullspend_margins.web.wire.events import CostEvent
from nullspend_margins.web.wire.mappings import MappingRequest
from nullspend_margins_stripe.credentials import parse_credential

Json = dict[str, Any]

DETAILS_OF_EXAMPLE = {
    **dict.fromkeys(
        ("wrongPeriod", "wrongId", "wrongField", "wrongEvent", "wrongKey"), "ValidationDetails"
    ),
    "plan": "PlanDetails",
    "role": "RoleDetails",
    "tagValueIsHeld": "HolderDetails",
    "keyLacksPermission": "PermissionDetails",
    "permissionMissing": "PermissionDetails",
    "rateLimitExceeded": "RateLimitDetails",
}
UNITS = {
    r"[mM]icrodollars$|^(cost|revenue)$": "icrodollars",
    r"Percent$": "ercent",
    r"At$": "ISO 8601",
    r"Ms$": "milliseconds",
    r"Seconds$": "seconds",
    r"[pP]eriod$": "UTC",
}


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


def test_two_validators_accept_the_document() -> None:
    OpenAPIV31SpecValidator(api()).validate()
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)
        validator_of(json.dumps(schema))


def test_the_head_says_what_it_is_whose_and_where() -> None:
    info = api()["info"]
    assert info.keys() >= {"title", "summary", "description", "version", "contact", "license"}
    assert info["license"]["identifier"] == "Apache-2.0"
    assert [server["url"] for server in api()["servers"]] == ["/billing"]
    assert {tag["name"]: tag["description"] for tag in api()["tags"]} == TAGS


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_an_operation_is_told_in_words(route: Route) -> None:
    operation = operation_of(route)
    assert re.fullmatch("[a-z]+([A-Z][a-z]+)*", operation["operationId"])
    assert all(len(operation[key]) > 10 for key in ("summary", "description"))
    assert set(operation["tags"]) <= set(TAGS)
    assert len(operation["tags"]) == 1
    if "requestBody" in operation:
        assert operation["requestBody"]["required"]
        assert "1,048,576 bytes" in operation["requestBody"]["description"]
    for response in operation["responses"].values():
        assert response["description"]


def test_operation_ids_are_not_used_twice() -> None:
    assert len({route.operation_id for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_an_operation_says_who_may_ask(route: Route) -> None:
    operation = operation_of(route)
    ways = [way for ways in operation["security"] for way in ways]
    if isinstance(route, SessionRoute):
        assert ways == ["session", "hostToken", *(["cronSecret"] if route.cron else [])]
        assert f"role `{route.role.wire_name}`" in operation["description"]
        assert {"401", "403"} <= operation["responses"].keys()
    elif isinstance(route, IngestRoute):
        assert ways == ["ingestKey"]
        assert "401" in operation["responses"]
    else:
        assert ways == []


def test_every_body_and_answer_has_examples_that_are_true() -> None:
    for label, content in contents():
        assert content["examples"], label
        for example in map(target, content["examples"].values()):
            assert problems(content["schema"], example["value"]) == [], label


def test_every_parameter_and_header_is_described_with_an_example_that_is_true() -> None:
    for label, each in described():
        assert each["description"], label
        assert problems(each["schema"], each["example"]) == [], label


def test_examples_of_types_are_true() -> None:
    for name, schema in schemas().items():
        for node in nodes(schema):
            for example in node.get("examples", ()):
                assert problems(node, example) == [], name


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_every_error_code_has_its_status_and_an_example(route: Route) -> None:
    for status, codes in documented_errors(route).items():
        response = operation_of(route)["responses"][str(status)]
        [content] = response["content"].values()
        shown = [target(each)["value"] for each in content["examples"].values()]
        assert {each["error"]["code"] for each in shown} == set(codes)
        assert {STATUS_OF_CODE[code] for code in codes} == {status}
        for code in STATUS_OF_CODE:
            envelope = {"error": {"code": code, "message": "", "details": None}}
            assert (problems(content["schema"], envelope) == []) is (code in codes)


def test_every_error_code_is_in_an_example_and_in_the_list() -> None:
    examples = api()["components"]["examples"].values()
    assert {each["value"]["error"]["code"] for each in examples} == set(STATUS_OF_CODE)
    assert schemas()["ErrorCode"]["enum"] == list(STATUS_OF_CODE)


def test_the_details_of_an_error_have_a_type_of_their_own() -> None:
    for name, example in api()["components"]["examples"].items():
        details = example["value"]["error"]["details"]
        assert (details is not None) is (name in DETAILS_OF_EXAMPLE), name
        if details is not None:
            assert problems(schemas()[DETAILS_OF_EXAMPLE[name]], details) == []


def test_headers_of_answers_are_described() -> None:
    for route in ROUTES:
        responses = operation_of(route)["responses"]
        if "429" in responses:
            assert responses["429"]["headers"]["Retry-After"]["required"]
            assert "WWW-Authenticate" in responses["401"]["headers"]
    anywhere = api()["components"]["responses"]
    assert anywhere["MethodNotAllowed"]["headers"]["Allow"]["required"]
    table = operation_of(ROUTES[0])["responses"]["200"]
    assert "Content-Disposition" in table["headers"]
    assert list(table["content"]) == ["application/json", "text/csv"]  # generators read the first


def test_every_property_is_described() -> None:
    assert [(name, field) for name, field, kind in properties() if not description(kind)] == []
    assert [name for name, schema in schemas().items() if not schema.get("description")] == []


def test_every_amount_has_its_unit() -> None:
    for name, field, kind in properties():
        for pattern, unit in UNITS.items():
            if re.search(pattern, field):
                assert unit in description(kind), (name, field)


def test_every_object_and_every_choice_of_words_has_a_name() -> None:
    inside = [node for schema in schemas().values() for node in list(nodes(schema))[1:]]
    around = [node for _, content in contents() for node in nodes(content["schema"])]
    ours = [node for node in (*inside, *around) if "$ref" not in node]
    assert [node for node in ours if node.get("type") == "object" or "enum" in node] == []


def test_every_type_has_a_plain_name_and_is_used() -> None:
    text = json.dumps(api())
    for name in schemas():
        assert re.fullmatch("([A-Z][a-z]+)+", name.replace("OpenApi", "Openapi"))
        assert f'"#/components/schemas/{name}"' in text


def test_patterns_are_those_of_javascript() -> None:
    for schema in schemas().values():
        for node in nodes(schema):
            assert r"\n" not in node.get("pattern", "")
            assert r"\ud" not in node.get("pattern", "")


def decodes(kind: type, value: object) -> bool:
    try:
        msgspec.json.decode(json.dumps(value).encode(), type=kind)
    except (msgspec.ValidationError, UnicodeError):
        return False
    return True


PROBES = (
    *("", "a", "é", "a\x00", "\x1f", "\x7f", "\x80", "\x9f", "\xa0", "a\n", "\u2028", "😀"),
    *("x" * length for length in (64, 65, 100, 101, 200, 201, 256, 257, 1000, 1001)),
    *("llm", "tool", "custom", "LLM", "manual", "auto", "other"),
    *(0, -1, 1, 2**53 - 1, 2**53, 10**12, 10**12 + 1, 10**30, 0.5, True, False, None),
    *([], {}, {"a": "b"}, {"a b": "b"}, {"": "b"}, {"k" * 64: "b"}, {"k" * 65: "b"}, {"é": "b"}),
    *({"a": 1}, {"a": None}, {"a": "\n"}, {"a\n": ""}, {"a": "x" * 256}, {"a": "x" * 257}),
    *({str(number): "" for number in range(count)} for count in (10, 11)),
)  # fmt: skip
"""At the limits of something, and beyond them. Not 5.0, which JSON Schema takes for an integer."""
LATER = {"occurredAt", "costBreakdown"}
"""Fields that are looked at again after the body is read."""


@pytest.mark.parametrize(
    ("kind", "sound"),
    [
        (
            CostEvent,
            dict.fromkeys(("inputTokens", "outputTokens", "costMicrodollars"), 1)
            | {"provider": "p", "model": "m"},
        ),
        (MappingRequest, {"stripeCustomerId": "c", "tagValue": "t"}),
    ],
)
def test_what_a_body_may_hold_is_what_is_taken(kind: type, sound: Json) -> None:
    schema = schemas()[kind.__name__]
    for field in schema["properties"].keys() - LATER:
        for probe in PROBES:
            body = {**sound, field: probe}
            assert decodes(kind, body) is (problems(schema, body) == []), (field, probe)
    for field in sound:
        assert field in schema["required"]
        assert not decodes(kind, {name: sound[name] for name in sound.keys() - {field}})


def pattern_of(schema: Json) -> re.Pattern[str]:
    """Compiled for Python, whose ``$`` would also match before a final newline."""
    [pattern] = {node["pattern"] for node in nodes(schema) if "pattern" in node}
    return re.compile(pattern.removesuffix("$") + r"\Z")


@pytest.mark.parametrize("name", ["a", "A.b_c-1", "x" * 64, "x" * 65, "", "a b", "é", "a/b", "-a"])
def test_the_names_of_providers_are_those_that_plugins_may_have(name: str) -> None:
    named = SimpleNamespace(name=name)
    found = [each for each in problems_of("notifier", named) if "has the name" in each]
    assert (found == []) is (problems(parameter("provider"), name) == [])


def parameter(name: str) -> Json:
    return next(each["schema"] for _, each in described() if each.get("name") == name)


@given(st.from_regex(r"\A[0-9]{4}-[0-9]{2}\Z") | st.text(max_size=9))
def test_the_pattern_of_periods_is_what_is_read(text: str) -> None:
    try:
        Period.parse(text)
        taken = True
    except ValidationFailed:
        taken = False
    assert taken is (pattern_of(parameter("period")).match(text) is not None)


_KEYS = st.from_regex(r"\A\s?(rk_live|rk_test|sk_test|sk_live|pk_live)_[!-~ é*.]{0,9}\s?\Z")


@given(_KEYS | st.builds("rk_live_{}".format, st.text("x.", min_size=489, max_size=492)))
def test_the_pattern_of_stripe_keys_is_what_is_taken(text: str) -> None:
    try:
        parse_credential({"stripeKey": text}, environment="development")
        taken = True
    except ValidationFailed:
        taken = False
    assert taken is (
        pattern_of(schemas()["StripeKey"]["properties"]["stripeKey"]).match(text) is not None
    )
