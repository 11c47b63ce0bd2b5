"""Sessions, plans, roles, the cron secret, and where a request comes from."""

import pytest

from nullspend_margins.services.keys import KeyService
from tests.world import CRON_SECRET, World, event

READS = ["/api/margins", "/api/margins/x", "/api/margins/unmatched", "/api/customer-mappings",
         "/api/stripe/connect", "/api/connections/stripe"]  # fmt: skip
CHANGES = [
    ("POST", "/api/stripe/connect", "admin"),
    ("PUT", "/api/stripe/connect", "admin"),
    ("DELETE", "/api/stripe/disconnect", "admin"),
    ("POST", "/api/customer-mappings", "admin"),
    ("DELETE", "/api/customer-mappings", "admin"),
    ("GET", "/api/stripe/revenue-sync", "member"),
    ("POST", "/api/stripe/revenue-sync", "member"),
    ("POST", "/api/connections/stripe", "admin"),
    ("DELETE", "/api/connections/stripe", "admin"),
    ("POST", "/api/connections/stripe/sync", "member"),
]
ALL = [("GET", path, "viewer") for path in READS] + CHANGES
ROLES = ["viewer", "member", "admin", "owner"]


def code(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(("method", "path", "_role"), ALL)
async def test_without_a_session_every_endpoint_asks_for_one(
    here: World, method: str, path: str, _role: str
) -> None:
    answer = await here.http.request(method, path)
    assert code(answer) == (401, "authentication_required")


@pytest.mark.parametrize(("method", "path", "_role"), ALL)
async def test_a_free_org_is_pointed_to_the_upgrade(
    here: World, method: str, path: str, _role: str
) -> None:
    answer = await here.call(method, path, org="org_free", role="viewer")
    assert code(answer) == (403, "forbidden")
    error = answer.json()["error"]
    assert error["details"] == {
        "requiredPlan": "pro",
        "currentPlan": "free",
        "upgradeUrl": "https://host.example/upgrade",
    }
    assert "pro" in error["message"]
    assert "https://host.example/upgrade" in error["message"]


@pytest.mark.parametrize(("method", "path", "required"), ALL)
async def test_each_role_may_what_it_may_and_no_more(
    here: World, method: str, path: str, required: str
) -> None:
    for role in ROLES:
        answer = await here.call(method, path, role=role)
        allowed = ROLES.index(role) >= ROLES.index(required)
        if allowed:
            assert answer.status_code not in (401, 403), (role, answer.text)
        else:
            assert code(answer) == (403, "forbidden")
            assert answer.json()["error"]["details"] == {
                "requiredRole": required,
                "currentRole": role,
            }


async def test_a_higher_plan_includes_the_lower_one(here: World) -> None:
    assert (await here.call("GET", "/api/margins", org="org_big")).status_code == 200


async def test_the_plan_is_checked_before_the_role_and_both_before_the_request(
    here: World,
) -> None:
    by_plan = await here.call("POST", "/api/customer-mappings", "junk", org="free", role="viewer")
    assert "requiredPlan" in by_plan.json()["error"]["details"]
    by_role = await here.call("POST", "/api/customer-mappings", "junk", role="viewer")
    assert "requiredRole" in by_role.json()["error"]["details"]


@pytest.mark.parametrize(
    "cookie",
    ["nullspend_session=", "nullspend_session=forged.sig", "nullspend_session=" + "a" * 5000],
)
async def test_a_forged_session_is_no_session(here: World, cookie: str) -> None:
    answer = await here.http.get("/api/margins", headers={"Cookie": cookie})
    assert code(answer) == (401, "authentication_required")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer wrong",
        f"Bearer {CRON_SECRET}x",
        "Bearer ",
        "Bearer",
        "Bearer\tx",
        "bEARER x",
        "Bearer ü",
    ],
)
async def test_a_wrong_cron_secret_is_turned_away_even_with_a_cookie(
    here: World, header: str
) -> None:
    answer = await here.call(
        "GET", "/api/stripe/revenue-sync", headers={"Authorization": header.encode("latin-1")}
    )
    assert code(answer) == (401, "authentication_required")


async def test_the_cron_secret_opens_nothing_else(here: World) -> None:
    for path in READS:
        answer = await here.http.get(path, headers={"Authorization": f"Bearer {CRON_SECRET}"})
        assert code(answer) == (401, "authentication_required")


@pytest.mark.parametrize(("method", "path", "role"), CHANGES)
async def test_a_change_from_another_site_is_refused(
    here: World, method: str, path: str, role: str
) -> None:
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "nonsense"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ):
        answer = await here.call(method, path, role=role, headers=headers)
        assert code(answer) == (403, "forbidden"), (headers, answer.text)


async def test_a_change_from_the_own_site_or_a_program_passes(here: World) -> None:
    body = {"stripeCustomerId": "cus_1", "tagValue": "one"}
    for headers in (
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://host.example"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://host.example"},
    ):
        answer = await here.call("POST", "/api/customer-mappings", body, headers=headers)
        assert answer.status_code == 201, (headers, answer.text)


async def test_reads_are_not_bound_to_the_site(here: World) -> None:
    answer = await here.call("GET", "/api/margins", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200


async def test_ingest_needs_a_key_that_is_not_revoked_and_no_plan(here: World) -> None:
    assert (await here.post_event(event(), org="org_free")).status_code == 201
    for key in ("", "ns_live_sk_" + "0" * 32, "garbage", "x" * 10_000):
        answer = await here.post_event(event(), headers={"X-NullSpend-Key": key})
        assert code(answer) == (401, "authentication_required")
    services = await here.margins.services()
    plain, stored = await services.keys.create("org_1")
    await services.keys.revoke("org_1", stored.id)
    answer = await here.post_event(event(), headers={"X-NullSpend-Key": plain})
    assert code(answer) == (401, "authentication_required")


async def test_a_key_revoked_elsewhere_is_refused_also_when_the_clock_was_set_back(
    here: World,
) -> None:
    services = await here.margins.services()
    plain, stored = await services.keys.create("org_1")
    headers = {"X-NullSpend-Key": plain}
    assert (await here.post_event(event(), headers=headers)).status_code == 201
    elsewhere = KeyService(services.ingest._database, here.clock)
    await elsewhere.revoke("org_1", stored.id)
    here.clock.advance(hours=-1)
    answer = await here.post_event(event(), headers=headers)
    assert code(answer) == (401, "authentication_required")


async def test_unknown_paths_and_methods_have_the_error_form(here: World) -> None:
    for path in ("/", "/api", "/api/marginsx", "/nope", "/api/stripe"):
        answer = await here.call("GET", path)
        assert code(answer) == (404, "not_found")
        assert answer.json()["error"]["details"] is None
    answer = await here.call("PATCH", "/api/margins")
    assert code(answer) == (405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]
    assert code(await here.call("DELETE", "/api/stripe/connect")) == (405, "method_not_allowed")


async def test_head_never_starts_a_sync(here: World) -> None:
    answer = await here.call("HEAD", "/api/stripe/revenue-sync")
    assert answer.status_code == 405
    assert (await here.call("HEAD", "/api/margins")).status_code == 200
