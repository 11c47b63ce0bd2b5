"""Whatever is asked, by whom ever: the answer is one that the served document describes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest

from nullspend_margins.domain.access import ROLES
from nullspend_margins.web.route import IngestRoute, Route, SessionRoute
from nullspend_margins.web.routes import ROUTES
from tests.openapi.fuzzing import Caller, Effort, Report, examine
from tests.openapi.served import FREE_ORG, Served, seed, served
from tests.world import CRON_SECRET

SIGNED_IN = [route for route in ROUTES if isinstance(route, SessionRoute)]
INGEST = [route for route in ROUTES if isinstance(route, IngestRoute)]
REFUSED = {401, 403, 405}


@pytest.fixture
def product(sqlite_url: str) -> Iterator[Served]:
    with served(sqlite_url) as here:
        here.run(seed(here.here))
        yield here


def names(routes: Collection[Route]) -> set[str]:
    return {route.operation_id for route in routes}


def assert_refused(report: Report, operations: Collection[str], statuses: set[int]) -> None:
    told = {name: set(report.statuses[name]) - statuses for name in operations}
    assert {name: others for name, others in told.items() if others} == {}


@pytest.mark.parametrize(("engine", "examples"), [("sqlite", 8), ("postgresql", 3)])
def test_an_owner_gets_what_is_documented_from_every_operation(
    engine: str, examples: int, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("sqlite_url" if engine == "sqlite" else "postgres_url")
    with served(url) as here:
        here.run(seed(here.here))
        report = examine(here, Caller(role="owner", ingest=True), Effort(examples=examples))
    assert report.problems == {}
    assert report.succeeded() == names(ROUTES) - {"getOpenApiDocument"}


@pytest.mark.parametrize("role", ["viewer", "member", "admin"])
def test_a_role_gets_what_is_its_own_and_is_refused_the_rest(product: Served, role: str) -> None:
    effort = Effort(examples=3, operations=names(SIGNED_IN))
    report = examine(product, Caller(role=role), effort)
    allowed = names([route for route in SIGNED_IN if route.role <= ROLES[role]])
    assert report.problems == {}
    assert report.succeeded() == allowed
    assert_refused(report, names(SIGNED_IN) - allowed, REFUSED)


def test_who_asks_too_much_is_told_when_to_come_back(sqlite_url: str) -> None:
    limits = {"requests_per_minute": 10, "events_per_minute": 20}
    caller = Caller(role="owner", ingest=True)
    with served(sqlite_url, limits=limits) as here:
        report = examine(here, caller, Effort(examples=1, phases=("examples", "fuzzing")))
    assert report.problems == {}
    limited = {name for name, statuses in report.statuses.items() if statuses[429]}
    assert len(limited) > len(ROUTES) / 2


def test_an_org_on_the_free_plan_may_only_report_costs(product: Served) -> None:
    effort = Effort(examples=2, phases=("examples", "fuzzing"))
    report = examine(product, Caller(role="owner", org=FREE_ORG, ingest=True), effort)
    assert report.problems == {}
    assert report.succeeded() == {"reportCostEvent", "reportCostEventBatch"}
    assert_refused(report, names(SIGNED_IN), REFUSED)


def test_nobody_in_particular_gets_nothing_but_the_document(product: Served) -> None:
    report = examine(product, Caller(), Effort(examples=2, operations=names(SIGNED_IN)))
    assert report.problems == {}
    assert_refused(report, names(SIGNED_IN), {401, 405})
    effort = Effort(examples=2, phases=("examples", "fuzzing"), operations=names(INGEST))
    assert_refused(examine(product, Caller(), effort), names(INGEST), {401})
    effort = Effort(examples=2, operations=["getOpenApiDocument"])
    report = examine(product, Caller(), effort)
    assert report.problems == {}
    assert report.succeeded() == {"getOpenApiDocument"}


def test_the_cron_secret_syncs_and_does_nothing_else(product: Served) -> None:
    syncs = names([route for route in SIGNED_IN if route.cron is not None])
    effort = Effort(examples=2, operations=names(SIGNED_IN))
    report = examine(product, Caller(bearer=CRON_SECRET), effort)
    assert report.problems == {}
    assert report.succeeded() == syncs
    assert_refused(report, names(SIGNED_IN) - syncs, {401, 405})
