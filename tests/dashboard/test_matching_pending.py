"""Matches that a sync made: confirmed, rejected, one or all, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from nullspend_margins.domain.mapping_changes import Wanted
from tests.dashboard.matching import Browser, customers, everything, mapped, matches
from tests.world import World, world


@pytest.fixture
async def here(sqlite_url: str) -> AsyncIterator[World]:
    """What the database is, the services' tests look at."""
    async with world(sqlite_url) as made:
        yield made


@pytest.fixture
def admin(here: World) -> Browser:
    return Browser(here)


async def test_what_a_sync_matched_meanwhile_is_confirmed(here: World, admin: Browser) -> None:
    await customers(here, ("cus_1", "Acme"))
    await admin.open()
    await here.map("cus_1", "mine", matchType="auto")
    answer = await admin.press("Map", tag_value="mine")
    assert "Acme is mapped to mine." in answer.text
    assert await mapped(here) == {"cus_1": ("mine", "manual")}
    await admin.press("Undo")
    assert await mapped(here) == {"cus_1": ("mine", "auto")}


@pytest.mark.parametrize(("button", "after"), [("Confirm", "manual"), ("Reject", None)])
async def test_a_match_is_confirmed_or_rejected_and_back(
    here: World, admin: Browser, button: str, after: str | None
) -> None:
    await matches(here, "cus_1")
    before = await everything(here)
    page = (await admin.open()).text
    assert "Very likely: the tag value on the costs is the customer&#39;s id." in page
    assert "Confirm all" not in page
    answer = await admin.press(button)
    assert "Name cus_1 and cus_1." in answer.text
    assert await mapped(here) == ({"cus_1": ("cus_1", after)} if after else {})
    await here.sync()
    assert len(await mapped(here)) == (1 if after else 0)  # what was rejected stays away
    await admin.press("Undo")
    assert await everything(here) == before


@pytest.mark.parametrize(("button", "after"), [("Confirm all 3", "manual"), ("Reject all 3", None)])
async def test_all_matches_are_confirmed_or_rejected_together_and_back(
    here: World, admin: Browser, button: str, after: str | None
) -> None:
    await matches(here, "cus_1", "cus_2", "cus_3")
    before = await everything(here)
    await admin.open()
    answer = await admin.press(button)
    assert "3 matches." in answer.text
    assert {how for _, how in (await mapped(here)).values()} == ({after} if after else set())
    await admin.press("Undo")
    assert await everything(here) == before


async def test_matches_that_nobody_saw_are_not_confirmed_with_the_others(
    here: World, admin: Browser
) -> None:
    await matches(here, "cus_1", "cus_2")
    await admin.open()
    await here.map("cus_9", "nine", matchType="auto")
    answer = await admin.press("Confirm all 2")
    assert answer.status_code == 409
    assert "The pending matches changed meanwhile." in answer.text
    assert {how for _, how in (await mapped(here)).values()} == {"auto"}
    await admin.press("Confirm all 3")
    assert {how for _, how in (await mapped(here)).values()} == {"manual"}


@pytest.mark.parametrize("button", ["Confirm", "Reject"])
async def test_a_match_that_somebody_else_decided_is_left_as_it_is(
    here: World, admin: Browser, button: str
) -> None:
    await matches(here, "cus_1")
    await admin.open()
    await here.map("cus_1", "other")
    answer = await admin.press(button)
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text
    assert await mapped(here) == {"cus_1": ("other", "manual")}


async def test_a_way_back_too_long_for_a_cookie_is_a_page(here: World, admin: Browser) -> None:
    ids = [f"cus_{at:03}" for at in range(120)]
    services = await here.margins.services()
    for each in ids:
        await services.mappings.save("org_1", Wanted("stripe", each, each, match_type="auto"))
    before = await everything(here)
    await admin.open()
    answer = await admin.press("Confirm all 120")
    assert answer.status_code == 200
    assert "Confirmed 120 matches." in answer.text
    assert {how for _, how in (await mapped(here)).values()} == {"manual"}
    answer = await admin.press("Undo")
    assert "Undone" in answer.text
    assert await everything(here) == before
