"""The links of the document: followed at random by schemathesis, and each one by itself."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from msgspec.json import encode

from nullspend_margins.web.guard import INGEST_KEY_HEADER
from nullspend_margins.web.route import Link, Route
from nullspend_margins.web.routes import ROUTES
from tests.openapi.fuzzing import Effort, walk
from tests.openapi.served import seed, served, stock
from tests.world import World, world

OPERATIONS = {route.operation_id: route for route in ROUTES}
LINKS = [
    (route.operation_id, link)
    for route in ROUTES
    for reply in route.replies
    for link in reply.links
]
WALKS = {
    "customers": {"getMarginTable", "getCustomerMargin", "explainCustomerMargin"},
    "mappings": {
        "getUnmatched",
        "getCustomerMargin",
        "listCustomerMappings",
        "saveCustomerMapping",
        "deleteCustomerMapping",
    },
    "stripe": {
        "connectStripe",
        "getStripeConnection",
        "replaceStripeCredential",
        "syncStripe",
        "disconnectStripe",
        "getMarginTable",
        "getUnmatched",
    },
    "connections": {
        "connectProvider",
        "getProviderConnection",
        "replaceProviderCredential",
        "syncProvider",
        "disconnectProvider",
        "getMarginTable",
        "getUnmatched",
    },
    "cost events": {
        "reportCostEvent",
        "reportCostEventBatch",
        "getCustomerMargin",
        "getUnmatched",
    },
}
"""The operations of each walk, which goes by the links between them."""


def links_within(operations: Collection[str]) -> set[str]:
    """The links between these operations, as ``operation.link``."""
    return {f"{name}.{link.name}" for name, link in LINKS if {name, link.to} <= set(operations)}


@pytest.mark.parametrize(
    ("name", "walks", "seeded"),
    [
        ("customers", 4, True),
        ("mappings", 8, True),
        ("stripe", 15, False),
        ("connections", 15, False),
        ("cost events", 6, True),
    ],
)
def test_walks_go_by_every_link_and_stay_within_the_document(
    sqlite_url: str, name: str, walks: int, seeded: bool
) -> None:
    links = links_within(WALKS[name])
    with served(sqlite_url) as here:
        report = walk(here, Effort(examples=walks, operations=WALKS[name]), links, seeded=seeded)
    assert links - report.followed() == set()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what was answered."""

    parameters: dict[str, str]
    body: Any
    status: int
    answer: Any

    def value(self, expression: Any) -> Any:
        """What one of OpenAPI's runtime expressions, or an object of them, stands for here."""
        if isinstance(expression, dict):
            return {name: self.value(each) for name, each in expression.items()}
        if not expression.startswith("$"):
            return expression
        place, _, pointer = expression.partition("#")
        if place.startswith("$request.path."):
            return self.parameters[place.removeprefix("$request.")]
        found = {"$request.body": self.body, "$response.body": self.answer}[place]
        for step in filter(None, pointer.split("/")):
            found = found[int(step) if isinstance(found, list) else step]
        return found


async def ask(here: World, route: Route, parameters: dict[str, str], body: Any = None) -> Asked:
    """Ask ``route`` as the owner who also has a cost-event key."""
    path, query = route.template, {}
    for name, value in parameters.items():
        where, _, name = name.partition(".")
        if where == "path":
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        else:
            query[name] = value
    headers = {INGEST_KEY_HEADER: await here.ingest_key()}
    answer = await here.call(route.method, path, body, role="owner", headers=headers, params=query)
    return Asked(parameters, body, answer.status_code, answer.json())


def example(route: Route) -> Any:
    """The first body that the document shows."""
    bodies = [json.loads(encode(each)) for each in route.request_examples.values()]
    return bodies[0] if bodies else None


@pytest.mark.parametrize(
    ("source", "link"), LINKS, ids=[f"{source}.{link.name}" for source, link in LINKS]
)
async def test_a_link_leads_from_an_answer_to_a_good_one(
    sqlite_url: str, source: str, link: Link
) -> None:
    route = OPERATIONS[source]
    async with world(sqlite_url) as here:
        stock(here.account)
        if not source.startswith("connect"):
            await seed(here)
        parameters = {
            f"path.{name}": value
            for name, value in (("provider", "stripe"), ("customer", "acme-corp"))
            if f"{{{name}}}" in route.template
        }
        if source == "deleteCustomerMapping":
            [mapping, *_] = await here.get("/api/customer-mappings")
            parameters["query.id"] = mapping["id"]
        first = await ask(here, route, parameters, example(route))
        linked = {name: first.value(each) for name, each in link.parameters.items()}
        target = OPERATIONS[link.to]
        body = example(target) if link.body is None else first.value(link.body)
        second = await ask(here, target, linked, body)
    assert (first.status // 100, second.status // 100) == (2, 2), second.answer
