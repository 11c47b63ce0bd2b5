"""The OpenAPI document says what the route table says."""

import json
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from nullspend_margins.web.failures import STATUS_OF_CODE
from nullspend_margins.web.openapi import documented_errors
from nullspend_margins.web.routes import ROUTES
from tests.web.fakes import Web


async def document(web: Web) -> Any:
    answer = await web.http.get("/api/openapi.json")
    assert answer.status_code == 200
    assert "no-store" not in answer.headers["cache-control"]
    return answer.json()


async def test_the_document_is_valid_openapi(web: Web) -> None:
    OpenAPIV31SpecValidator(await document(web)).validate()


async def test_every_route_is_documented_with_all_its_answers(web: Web) -> None:
    paths = (await document(web))["paths"]
    for route in ROUTES:
        operation = paths[route.template][route.method.lower()]
        expected = {reply.status for reply in route.replies} | set(documented_errors(route))
        assert {int(status) for status in operation["responses"]} == expected
        assert ("requestBody" in operation) is (route.request is not None)
        assert len(operation.get("parameters", [])) == len(route.parameters)
    assert sum(map(len, paths.values())) == len(ROUTES)


async def test_every_error_code_is_documented_somewhere(web: Web) -> None:
    text = json.dumps(await document(web))
    for code in STATUS_OF_CODE:
        assert code in text


async def test_names_of_schemas_are_plain(web: Web) -> None:
    schemas = (await document(web))["components"]["schemas"]
    assert all(name.isalnum() for name in schemas)
    assert schemas["SparkPoint"]["required"] == ["period", "marginPercent"]


async def test_the_ways_to_sign_in_are_described(web: Web) -> None:
    schemes = (await document(web))["components"]["securitySchemes"]
    assert schemes["session"]["name"] == web.config.session.cookie_name
    assert schemes["hostToken"]["scheme"] == schemes["cronSecret"]["scheme"] == "bearer"
    assert schemes["ingestKey"]["name"] == "X-NullSpend-Key"
