"""Whom a customer's page says it is mapped to, and what an admin does about it there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode

import httpx
import pytest
import pytest_asyncio

from tests.dashboard.markup import Markup
from tests.world import World, unix, world

ONE = "/margins/customers/one"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}


@pytest_asyncio.fixture
async def here(sqlite_url: str) -> AsyncIterator[World]:
    """The product with one customer, mapped by hand."""
    async with world(sqlite_url) as made:
        await made.map("cus_1", "one")
        yield made


async def page(here: World, path: str = ONE, **options: object) -> Markup:
    answer = await here.call("GET", path, **options)
    return Markup.of(answer.text)


async def send(
    here: World, path: str, fields: Mapping[str, str], **options: object
) -> httpx.Response:
    body = urlencode(fields).encode()
    return await here.call("POST", path, headers=FORM, content=body, **options)


async def removal(here: World) -> dict[str, str]:
    """What the page's own form sends."""
    found = await page(here, f"{ONE}?period=2026-10")
    form, *_ = found.all("form", method="post")
    assert form.attributes["action"] == "/margins/mappings/remove"
    return {
        each.attributes["name"]: each.attributes["value"]
        for each in found.all("input", type="hidden")
        if each.attributes["name"] in {"form_token", "id", "period"}
    }


async def undo_of(here: World, answer: httpx.Response) -> tuple[Markup, dict[str, str]]:
    """The page after a change, and what its undo button sends."""
    cookies = f"{here.cookie()['Cookie']}; {answer.headers['set-cookie'].partition(';')[0]}"
    shown = await here.http.get(answer.headers["location"], headers={"Cookie": cookies})
    found = Markup.of(shown.text)
    fields = {
        each.attributes["name"]: each.attributes["value"]
        for each in found.all("input", type="hidden")
    }
    return found, fields


async def mapped(here: World) -> list[tuple[str, str, str, object]]:
    return [
        (each["stripeCustomerId"], each["tagValue"], each["matchType"], each["confidence"])
        for each in await here.get("/api/customer-mappings")
    ]


async def test_it_says_to_whom_how_and_since_when(here: World) -> None:
    found = await page(here, role="viewer")
    assert "Mapped to stripe cus_1 By hand, since Nov 20, 2026" in found.text


async def test_a_match_of_the_matcher_says_how_sure_it_is(here: World) -> None:
    here.account.add_customer("cus_2")
    here.account.add_invoice("cus_2", 10_000, created=unix(2026, 11, 3))
    await here.spend("cus_2", 1)
    await here.connect()
    await here.sync()
    found = await page(here, "/margins/customers/cus_2")
    assert "cus_2 Matched automatically, not confirmed yet (90% sure), since Nov 20" in found.text


@pytest.mark.parametrize("role", ["viewer", "member"])
async def test_who_may_not_unmap_sees_no_button_and_is_refused(here: World, role: str) -> None:
    fields = await removal(here)
    assert (await page(here, role=role)).all("form", method="post") == []
    refused = await send(here, "/margins/mappings/remove", fields, role=role)
    assert refused.status_code == 403
    assert len(await mapped(here)) == 1


async def test_unmapping_leads_to_matching_and_can_be_undone(here: World) -> None:
    answer = await send(here, "/margins/mappings/remove", await removal(here))
    assert (answer.status_code, answer.headers["location"]) == (303, "/margins/matching")
    assert await mapped(here) == []
    after, fields = await undo_of(here, answer)
    assert "cus_1 is not mapped to one any more." in after.text
    again = await send(here, "/margins/mappings/restore", fields)
    assert (again.status_code, again.headers["location"]) == (303, f"{ONE}?period=2026-10")
    assert await mapped(here) == [("cus_1", "one", "manual", 1.0)]


async def test_a_customer_of_two_providers_keeps_its_page(here: World) -> None:
    await here.map("pad_1", "one", provider="paddle")
    answer = await send(here, "/margins/mappings/remove", await removal(here))
    assert answer.headers["location"] == f"{ONE}?period=2026-10"
    assert [each[0] for each in await mapped(here)] in (["cus_1"], ["pad_1"])


async def test_an_undone_match_is_still_to_be_confirmed(here: World) -> None:
    fields = {**await removal(here), "provider": "stripe", "customer_id": "cus_9"}
    fields |= {"tag_value": "nine", "match_type": "auto", "period": ""}
    answer = await send(here, "/margins/mappings/restore", fields)
    assert answer.headers["location"] == "/margins/customers/nine"
    assert ("cus_9", "nine", "auto", None) in await mapped(here)


async def test_who_comes_too_late_to_undo_is_told_so(here: World) -> None:
    fields = {**await removal(here), "provider": "stripe", "customer_id": "cus_2"}
    answer = await send(
        here, "/margins/mappings/restore", {**fields, "tag_value": "one", "match_type": "manual"}
    )
    after, _ = await undo_of(here, answer)
    assert "belongs to the customer cus_1" in after.text
    assert await mapped(here) == [("cus_1", "one", "manual", 1.0)]


@pytest.mark.parametrize(
    ("path", "changed", "status"),
    [
        ("remove", {"form_token": "x"}, 403),
        ("remove", {"id": "x"}, 400),
        ("remove", {"id": "00000000-0000-0000-0000-000000000000"}, 404),
        ("restore", {"form_token": ""}, 403),
        ("restore", {"match_type": "guessed"}, 400),
        ("restore", {"customer_id": ""}, 400),
        ("restore", {"tag_value": "x\x00"}, 400),
    ],
)
async def test_what_no_page_sends_changes_nothing(
    here: World, path: str, changed: dict[str, str], status: int
) -> None:
    fields = {**await removal(here), "provider": "stripe", "customer_id": "cus_2"}
    fields |= {"tag_value": "two", "match_type": "manual"}
    answer = await send(here, f"/margins/mappings/{path}", {**fields, **changed})
    assert answer.status_code == status
    assert await mapped(here) == [("cus_1", "one", "manual", 1.0)]


async def test_another_orgs_mapping_is_out_of_reach(here: World) -> None:
    theirs = await here.map("cus_1", "one", org="org_2")
    fields = {**await removal(here), "id": theirs.json()["data"]["id"]}
    assert (await send(here, "/margins/mappings/remove", fields)).status_code == 404
    assert len(await here.get("/api/customer-mappings", org="org_2")) == 1
