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
UNMAP = "/margins/matching/unmap"
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


async def removal(here: World, path: str = ONE) -> dict[str, str]:
    """What the page's own form sends."""
    found = await page(here, path)
    form, *_ = found.all("form", method="post")
    assert form.attributes["action"] == UNMAP
    wanted = {"form_token", "provider", "customer_id", "tag_key", "tag_value", "match_type"}
    hidden = [each.attributes for each in found.all("input", type="hidden")]
    # Of several mappings the first.
    return {each["name"]: each["value"] for each in reversed(hidden) if each["name"] in wanted}


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
    assert "Mapped to Stripe cus_1 By hand, since Nov 20, 2026" in found.text


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
    refused = await send(here, UNMAP, fields, role=role)
    assert refused.status_code == 403
    assert len(await mapped(here)) == 1


async def test_unmapping_leads_to_matching_and_can_be_undone(here: World) -> None:
    answer = await send(here, UNMAP, await removal(here))
    assert (answer.status_code, answer.headers["location"]) == (303, "/margins/matching")
    assert await mapped(here) == []
    after, fields = await undo_of(here, answer)
    assert "Unmapped: cus_1 and one." in after.text
    again = await send(here, "/margins/matching/undo", fields)
    assert again.status_code == 303
    assert await mapped(here) == [("cus_1", "one", "manual", 1.0)]


async def test_a_customer_of_two_providers_keeps_its_page(here: World) -> None:
    await here.map("pad_1", "one", provider="paddle")
    await send(here, UNMAP, await removal(here))
    assert len(await mapped(here)) == 1
    assert (await here.call("GET", ONE)).status_code == 200


async def test_another_orgs_mapping_is_out_of_reach(here: World) -> None:
    await here.map("cus_2", "two", org="org_2")
    fields = {**await removal(here), "customer_id": "cus_2", "tag_value": "two"}
    await send(here, UNMAP, fields)
    assert len(await here.get("/api/customer-mappings", org="org_2")) == 1
    assert len(await mapped(here)) == 1
