"""The host's own sessions and plans."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from nullspend_margins import (
    AuthenticationRequired,
    CallableAuthenticator,
    Margins,
    MarginsMiddleware,
    Principal,
    ScopeSessionAuthenticator,
)
from nullspend_margins.builtin.sessions import sign_session
from tests.hosts.conftest import MakeMargins
from tests.hosts.hosts import MOUNT, MyPlans, MySession, fastapi_mount
from tests.world import CRON_SECRET

ADA = Principal(org_id="org_1", user_id="ada", role="viewer")


@asynccontextmanager
async def client_of(app: ASGIApp, margins: Margins) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with (
        margins.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://host.example") as client,
    ):
        yield client


async def sign_in(request: Request) -> Response:
    role = request.query_params["role"]
    request.session.update({"tenant": 1, "sub": "ada", "is": role})
    return PlainTextResponse("welcome")


def session_mount(margins: Margins) -> ASGIApp:
    app = FastAPI()
    app.add_route("/sign-in", sign_in)
    app.mount(MOUNT, margins.app)
    app.add_middleware(SessionMiddleware, secret_key="the host's own")
    return app


def session_middleware(margins: Margins) -> ASGIApp:
    host = Starlette(routes=[Route("/sign-in", sign_in)])
    return SessionMiddleware(MarginsMiddleware(host, margins), secret_key="the host's own")


@pytest.mark.parametrize(("form", "base"), [(session_mount, MOUNT), (session_middleware, "")])
async def test_the_hosts_session_middleware_signs_people_in(
    form: Any, base: str, sqlite_url: str, make_margins: MakeMargins
) -> None:
    sessions = ScopeSessionAuthenticator(org_key="tenant", user_key="sub", role_key="is")
    margins = make_margins(sqlite_url, sessions, plans={"orgs": {"1": "pro"}})
    pair = {"stripeCustomerId": "cus_1", "tagValue": "acme"}
    async with client_of(form(margins), margins) as client:
        assert (await client.get(f"{base}/api/margins")).status_code == 401
        await client.get("/sign-in?role=viewer")
        assert (await client.get(f"{base}/api/margins")).status_code == 200
        refused = await client.post(f"{base}/api/customer-mappings", json=pair)
        assert refused.json()["error"]["details"] == {
            "requiredRole": "admin",
            "currentRole": "viewer",
        }
        await client.get("/sign-in?role=admin")
        saved = await client.post(f"{base}/api/customer-mappings", json=pair)
        assert saved.json()["data"]["orgId"] == "1"
        foreign = await client.post(
            f"{base}/api/customer-mappings", json=pair, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert foreign.status_code == 403
        await client.get("/sign-in?role=boss")
        assert (await client.get(f"{base}/api/margins")).status_code == 401


def plain(scope: Mapping[str, Any]) -> Mapping[str, object] | None:
    user = scope.get("state", {}).get("user")
    return user and {"org_id": "org_1", "user_id": user, "role": "viewer"}


async def asynchronous(scope: Mapping[str, Any]) -> Principal | None:
    return ADA if plain(scope) else None


@pytest.mark.parametrize("function", [plain, asynchronous])
@pytest.mark.parametrize("mounted", [True, False])
async def test_a_function_of_the_host_says_who_is_asking(
    function: Any, mounted: bool, sqlite_url: str, make_margins: MakeMargins
) -> None:
    margins = make_margins(sqlite_url, CallableAuthenticator(function))
    inner: ASGIApp = (
        Starlette(routes=[Mount(MOUNT, app=margins.app)])
        if mounted
        else MarginsMiddleware(Starlette(), margins)
    )

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        """The host's own sign-in."""
        user = dict(scope["headers"]).get(b"x-user")
        scope["state"] = {"user": user.decode()} if user else {}
        await inner(scope, receive, send)

    path = f"{MOUNT if mounted else ''}/api/margins"
    async with client_of(outer, margins) as client:
        assert (await client.get(path)).status_code == 401
        assert (await client.get(path, headers={"X-User": "ada"})).status_code == 200


class Recording:
    """An authenticator that notes whether it was asked, and answers as told."""

    def __init__(self, name: str, answer: Principal | Exception | None, *, bearer: bool) -> None:
        self.name = name
        self.bearer = bearer
        self.asked: list[bytes | None] = []
        self._answer = answer

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal | None:
        self.asked.append(dict(scope["headers"]).get(b"authorization"))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


async def test_only_authenticators_for_bearers_see_bearers(
    sqlite_url: str, make_margins: MakeMargins
) -> None:
    people = Recording("people", ADA, bearer=False)
    machines = Recording("machines", ADA, bearer=True)
    nobody = Recording("nobody", None, bearer=True)
    margins = make_margins(sqlite_url, people, nobody, machines)
    async with client_of(fastapi_mount(margins), margins) as client:
        path = f"{MOUNT}/api/margins"
        assert (await client.get(path)).status_code == 200
        assert (people.asked, nobody.asked, machines.asked) == ([None], [], [])
        token = {"Authorization": "Bearer abc"}
        assert (await client.get(path, headers=token)).status_code == 200
        assert people.asked == [None]
        assert nobody.asked == machines.asked == [b"Bearer abc"]
        pair = {"stripeCustomerId": "cus_1", "tagValue": "acme"}
        answer = await client.post(
            f"{MOUNT}/api/customer-mappings",
            json=pair,
            headers={**token, "Origin": "https://elsewhere.example"},
        )
        assert answer.json()["error"]["details"]["requiredRole"] == "admin"  # no browser's doing
        cron = {"Authorization": f"Bearer {CRON_SECRET}"}
        assert (await client.get(path, headers=cron)).status_code == 401
        assert len(machines.asked) == 2


async def test_an_unclaimed_bearer_is_refused_whatever_cookie_comes_with_it(
    sqlite_url: str, make_margins: MakeMargins
) -> None:
    margins = make_margins(sqlite_url)
    async with client_of(fastapi_mount(margins), margins) as client:
        cookie = {"Cookie": "host_session=session-of-admin"}
        path = f"{MOUNT}/api/margins"
        assert (await client.get(path, headers=cookie)).status_code == 200
        both = {**cookie, "Authorization": "Bearer nobody's"}
        assert (await client.get(path, headers=both)).status_code == 401


async def test_refusing_ends_the_asking(sqlite_url: str, make_margins: MakeMargins) -> None:
    refusing = Recording("refusing", AuthenticationRequired("You are suspended."), bearer=False)
    after = Recording("after", ADA, bearer=False)
    margins = make_margins(sqlite_url, refusing, after)
    config = margins.config
    value = sign_session(config, org_id="org_1", user_id="u", role="owner")
    async with client_of(fastapi_mount(margins), margins) as client:
        cookie = {"Cookie": f"{config.session.cookie_name}={value}"}  # the default would take it
        answer = await client.get(f"{MOUNT}/api/margins", headers=cookie)
        assert answer.status_code == 401
        assert answer.json()["error"]["message"] == "You are suspended."
        assert after.asked == []


async def test_an_authenticator_that_fails_lets_nobody_in_and_tells_nothing(
    sqlite_url: str, make_margins: MakeMargins
) -> None:
    failing = Recording("failing", OSError("password of the host's database"), bearer=False)
    margins = make_margins(sqlite_url, failing, Recording("after", ADA, bearer=False))
    async with client_of(fastapi_mount(margins), margins) as client:
        answer = await client.get(f"{MOUNT}/api/margins")
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
        assert "password" not in answer.text
        assert (await client.get("/api/other")).status_code == 200


class Small:
    """Everybody is of an org that pays nothing."""

    name = "small"

    async def authenticate(self, scope: Mapping[str, Any]) -> Principal | None:
        return Principal(org_id="org_small", user_id="bob", role="owner")


async def test_the_hosts_plans_decide_and_others_are_left_to_the_default(
    sqlite_url: str, make_margins: MakeMargins
) -> None:
    margins = make_margins(
        sqlite_url, Small(), MyPlans(), plans={"orgs": {"org_small": "enterprise"}}
    )
    async with client_of(fastapi_mount(margins), margins) as client:
        error = (await client.get(f"{MOUNT}/api/margins")).json()["error"]
        assert error["code"] == "forbidden"
        assert error["details"] == {
            "requiredPlan": "pro",
            "currentPlan": "free",
            "upgradeUrl": "https://host.example/upgrade",
        }
    margins = make_margins(sqlite_url, Small(), plans={"orgs": {"org_small": "pro"}})
    async with client_of(fastapi_mount(margins), margins) as client:
        assert (await client.get(f"{MOUNT}/api/margins")).status_code == 200


async def test_the_default_sign_in_can_be_switched_off(
    sqlite_url: str, make_margins: MakeMargins
) -> None:
    for disabled, status in (([], 200), (["sessions"], 401)):
        margins = make_margins(sqlite_url, MySession(), MyPlans(), plugins={"disabled": disabled})
        value = sign_session(
            make_margins(sqlite_url).config, org_id="org_1", user_id="u", role="viewer"
        )
        cookie = {"Cookie": f"{margins.config.session.cookie_name}={value}"}
        async with client_of(fastapi_mount(margins), margins) as client:
            answer = await client.get(f"{MOUNT}/api/margins", headers=cookie)
            assert answer.status_code == status, answer.text
