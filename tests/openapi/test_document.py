"""The document is complete, and its examples are true."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from nullspend_margins.web.failures import STATUS_OF_CODE
from nullspend_margins.web.openapi import documented_errors
from nullspend_margins.web.route import IngestRoute, Route, SessionRoute
from nullspend_margins.web.routes import ROUTES, TAGS
from tests.openapi.document import (
    api,
    contents,
    described,
    description,
    nodes,
    operation_of,
    problems,
    properties,
    schemas,
    target,
    validator_of,
)

_WRONG = (
    "wrongPeriod", "wrongBasis", "wrongInclude", "wrongId", "wrongField", "wrongEvent", "wrongKey",
)  # fmt: skip
DETAILS_OF_EXAMPLE = {
    **dict.fromkeys(_WRONG, "ValidationDetails"),
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
