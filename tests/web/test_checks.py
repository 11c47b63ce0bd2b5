"""Who may pass, and in which order that is found out."""

import json
import logging

import pytest

from nullspend_margins.domain.access import Role
from nullspend_margins.web.limits import MAX_ORGS, RateLimiter
from nullspend_margins.web.route import IngestRoute, SessionRoute
from nullspend_margins.web.routes import ROUTES
from tests.web.fakes import CRON, Seconds, Web
from tests.web.requests import cost_event

MAPPINGS = "/api/customer-mappings"
SYNC = "/api/stripe/revenue-sync"


def test_reads_need_a_viewer_syncs_a_member_and_the_rest_an_admin() -> None:
    for route in ROUTES:
        if isinstance(route, SessionRoute):
            assert route.plan_gated
            if route.cron is not None:
                assert route.role is Role.MEMBER
            else:
                assert route.role is (Role.VIEWER if route.method == "GET" else Role.ADMIN)


def test_no_route_is_listed_twice() -> None:
    listed = [(route.method, route.path) for route in ROUTES]
    assert len(listed) == len(set(listed))


async def test_checks_come_in_the_contracts_order(web: Web) -> None:
    site = {"Sec-Fetch-Site": "cross-site"}
    web.access.role, web.access.plan = None, "free"
    answer = await web.http.post(MAPPINGS, headers=site)
    assert answer.status_code == 401
    web.access.role = "viewer"
    answer = await web.http.post(MAPPINGS, headers=site)
    assert answer.json()["error"]["details"] == {"requiredPlan": "pro"}
    web.access.plan = "pro"
    answer = await web.http.post(MAPPINGS, headers=site)
    assert answer.json()["error"]["details"] == {"requiredRole": "admin"}
    web.access.role = "admin"
    answer = await web.http.post(MAPPINGS, headers=site)
    assert (answer.status_code, answer.json()["error"]["details"]) == (403, None)
    answer = await web.http.post(MAPPINGS)
    assert answer.status_code == 415


async def test_unknown_paths_and_methods_are_told_before_anybody_is_asked(web: Web) -> None:
    answer = await web.http.get("/nowhere")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    answer = await web.http.delete("/api/stripe/connect")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST, PUT")
    answer = await web.http.head(SYNC)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert web.access.asked == []


@pytest.mark.parametrize(
    ("origin", "host", "passes"),
    [
        ("http://host.example", "host.example", True),
        ("https://host.example", "host.example", True),
        ("https://host.example:443", "host.example", True),
        ("https://HOST.example", "host.EXAMPLE:443", True),
        ("http://host.example:8000", "host.example:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://host.example:8000", "host.example", False),
        ("http://host.example", "host.example:8000", False),
        ("http://host.example.evil.example", "host.example", False),
        ("http://evil.example", "host.example", False),
        ("ftp://host.example", "host.example", False),
        ("http://host.example:port", "host.example", False),
        ("http://[host.example", "host.example", False),
        ("host.example", "host.example", False),
        ("null", "host.example", False),
        ("", "host.example", False),
        ("http://host.example", "", False),
    ],
)
async def test_a_change_passes_from_its_own_host_alone(
    web: Web, origin: str, host: str, passes: bool
) -> None:
    answer = await web.http.post(SYNC, headers={"Origin": origin, "Host": host})
    assert answer.status_code == (200 if passes else 403)


@pytest.mark.parametrize("site", ["same-origin", "none", "same-site", "cross-site", ""])
async def test_what_the_browser_says_of_the_site_decides_over_the_origin(
    web: Web, site: str
) -> None:
    passes = site in ("same-origin", "none")
    headers = {"Sec-Fetch-Site": site, "Origin": "http://evil.example" if passes else ""}
    for method in ("GET", "POST"):
        answer = await web.http.request(method, SYNC, headers=headers)
        assert answer.status_code == (200 if passes else 403)


async def test_a_bearer_token_is_not_bound_to_a_site(web: Web) -> None:
    web.access.via_bearer = True
    answer = await web.http.post(SYNC, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_cron_secret_syncs_everything_that_the_path_means(web: Web, method: str) -> None:
    for path in (SYNC, "/api/connections/other/sync"):
        answer = await web.http.request(method, path, headers={"Authorization": CRON})
        assert answer.json() == {"data": {"synced": 5, "errors": 0}}
    assert web.sync.calls == [("cron", "None"), ("cron", "other")]
    assert web.access.asked == []


async def test_a_person_syncs_their_own_org(web: Web) -> None:
    answer = await web.http.get("/api/connections/stripe/sync")
    assert answer.json()["data"]["orgId"] == "org_1"
    assert answer.json()["data"]["skippedCurrencies"] == {"eur": 5}
    assert web.sync.calls == [("org_1", "stripe")]


async def test_ingest_needs_a_key_and_nothing_else(web: Web) -> None:
    web.access.role = None
    assert (await web.event()).status_code == 201
    answer = await web.post("/api/cost-events", b"{}", X_NullSpend_Key="other")
    assert answer.status_code == 401
    assert "www-authenticate" not in answer.headers
    assert {route.path for route in ROUTES if isinstance(route, IngestRoute)} == {
        "/api/cost-events",
        "/api/cost-events/batch",
    }


@pytest.mark.parametrize("token", ["Bearer x", "bearer\tx", "Bearer", "Bearer "])
async def test_a_refused_bearer_token_is_told_so(web: Web, token: str) -> None:
    web.access.role = None
    answer = await web.http.get("/api/margins", headers={"Authorization": token})
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert "www-authenticate" not in (await web.http.get("/api/margins")).headers


async def test_over_the_limit_an_org_is_told_when_to_come_back() -> None:
    web = Web(requests_per_minute=2)
    for expected in (200, 200, 429):
        answer = await web.http.get("/api/margins")
        assert answer.status_code == expected
    assert answer.headers["retry-after"] == "30"
    assert answer.json()["error"]["code"] == "rate_limit_exceeded"
    web.seconds.now = 30.0
    assert (await web.http.get("/api/margins")).status_code == 200


async def test_events_are_counted_one_by_one() -> None:
    web = Web(events_per_minute=3)
    for expected in (201, 201, 201, 429):
        assert (await web.event()).status_code == expected
    assert len(web.ingest.events) == 3


async def test_a_batch_of_more_than_a_minutes_worth_passes_when_rested() -> None:
    web = Web(events_per_minute=60)
    body = json.dumps({"events": [cost_event()] * 61}).encode()
    assert (await web.event()).status_code == 201
    for _ in range(3):  # each is told the same, so none of them took anything
        answer = await web.post("/api/cost-events/batch", body)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    web.seconds.now = 1.0
    assert (await web.post("/api/cost-events/batch", body)).status_code == 201
    web.seconds.now = 2.0  # one is owed
    answer = await web.event()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    web.seconds.now = 3.0
    assert (await web.event()).status_code == 201


def test_more_than_a_minutes_worth_passes_when_rested_and_is_owed_for() -> None:
    clock = Seconds()
    limiter = RateLimiter(60, "things", monotonic=clock)
    limiter.take("a", 90)
    clock.now = 30.0
    with pytest.raises(Exception, match="come back in 1 s"):
        limiter.take("a")
    clock.now = 31.0
    limiter.take("a")


def test_the_limits_memory_is_bounded() -> None:
    limiter = RateLimiter(1, "things", monotonic=Seconds())
    for number in range(MAX_ORGS + 10):
        limiter.take(str(number))
    assert len(limiter._buckets) == MAX_ORGS


async def test_an_expected_failure_is_one_line_of_the_log(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nullspend_margins.web")
    await web.http.get("/api/margins?period=x")
    (record,) = caplog.records
    assert record.exc_info is None
    assert "GET /api/margins: 400 validation_error" in record.getMessage()
