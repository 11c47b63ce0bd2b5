"""Paths as they come over the wire, through mounts and behind proxies."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from starlette.routing import Mount
from starlette.types import ASGIApp

from nullspend_margins import Margins
from tests.hosts.hosts import MOUNT, MOUNTED, WRAPPED, starlette_host
from tests.hosts.server import hosted
from tests.processes.wire import wire

ADMIN = {"Cookie": "host_session=session-of-admin"}
TAGS = [
    "a/b",
    "a//b",
    "/",
    "a b+c",
    "100%",
    "%2F",
    "ünïcödé 客户 🚀",
    "?x=1&y#z",
    "unmatched/x",
    "a/explain",
    "a/",
]
Form = Callable[[Margins], ASGIApp]
FORMS = [
    pytest.param(MOUNTED[0], MOUNT, id="fastapi-mount"),
    pytest.param(MOUNTED[2], MOUNT, id="starlette-mount"),
    pytest.param(WRAPPED[0], "", id="fastapi-wrapped"),
    pytest.param(WRAPPED[3], "", id="starlette-middleware"),
]


@pytest.mark.parametrize("root_path", ["", "/proxied", "/proxied/"])
@pytest.mark.parametrize(("form", "base"), FORMS)
async def test_any_tag_value_finds_its_customer(
    margins: Margins, form: Form, base: str, root_path: str
) -> None:
    async with hosted(form(margins), root_path=root_path) as url, wire(url) as connection:
        for number, tag in enumerate(TAGS):
            pair = {"stripeCustomerId": f"cus_{number}", "tagValue": tag}
            saved = await connection.request("POST", f"{base}/api/customer-mappings", pair, ADMIN)
            assert saved.data["tagValue"] == tag
        for number, tag in enumerate(TAGS):
            target = f"{base}/api/margins/{quote(tag, safe='')}"
            found = await connection.request("GET", target, headers=ADMIN)
            assert found.data["tagValue"] == tag, target
            assert found.data["stripeCustomerId"] == f"cus_{number}"
            explained = await connection.request("GET", f"{target}/explain", headers=ADMIN)
            assert (explained.data["tagValue"], explained.data["revenue"]) == (tag, [])


@pytest.mark.parametrize("tag", ["unmatched", ".", ".."])
@pytest.mark.parametrize(("form", "base"), FORMS)
async def test_what_a_path_cannot_carry_the_query_does(
    margins: Margins, form: Form, base: str, tag: str
) -> None:
    pair = {"stripeCustomerId": "cus_1", "tagValue": tag}
    async with hosted(form(margins)) as url, wire(url) as connection:
        await connection.request("POST", f"{base}/api/customer-mappings", pair, ADMIN)
        target = f"{base}/api/margins/unmatched?tagValue={quote(tag, safe='')}"
        found = await connection.request("GET", target, headers=ADMIN)
        assert found.data["tagValue"] == tag


@pytest.mark.parametrize("root_path", ["", "/proxied"])
@pytest.mark.parametrize("wrong", ["%", "%zz", "%ff", "a%2", "%C3%28", "%ed%a0%80"])
@pytest.mark.parametrize(("form", "base"), FORMS)
async def test_a_path_that_is_not_encoded_utf8_is_a_validation_error(
    margins: Margins, form: Form, base: str, wrong: str, root_path: str
) -> None:
    async with hosted(form(margins), root_path=root_path) as url, wire(url) as connection:
        answer = await connection.request("GET", f"{base}/api/margins/{wrong}", headers=ADMIN)
        assert (answer.status, answer.json()["error"]["code"]) == (400, "validation_error")


@pytest.mark.parametrize(("form", "base"), FORMS)
async def test_escapes_that_need_not_be_are_understood(
    margins: Margins, form: Form, base: str
) -> None:
    target = f"{base}/api/margins".replace("i", "%69")
    async with hosted(form(margins)) as url, wire(url) as connection:
        answer = await connection.request("GET", target, headers=ADMIN)
        assert answer.status == 200


@pytest.mark.parametrize("root_path", ["", "/proxied"])
@pytest.mark.parametrize(("form", "base"), FORMS)
async def test_the_description_names_the_place_where_it_is_served(
    margins: Margins, form: Form, base: str, root_path: str
) -> None:
    async with hosted(form(margins), root_path=root_path) as url, wire(url) as connection:
        document = (await connection.request("GET", f"{base}/api/openapi.json")).json()
        place = f"{root_path}{base}"
        assert [server["url"] for server in document["servers"]] == [place or "/"]


async def test_mounts_in_mounts_work(margins: Margins) -> None:
    inner = starlette_host(Mount("/inner", app=margins.app))
    outer = starlette_host(Mount("/outer", app=inner))
    pair = {"stripeCustomerId": "cus_1", "tagValue": "a/b"}
    async with hosted(outer, root_path="/proxied") as url, wire(url) as connection:
        base = "/outer/inner/api"
        await connection.request("POST", f"{base}/customer-mappings", pair, ADMIN)
        found = await connection.request("GET", f"{base}/margins/a%2Fb", headers=ADMIN)
        assert found.data["tagValue"] == "a/b"
