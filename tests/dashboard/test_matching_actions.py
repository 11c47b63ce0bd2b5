"""Mapping, confirming, rejecting, unmapping by forms alone, and taking each of them back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import unescape

import pytest

from tests.dashboard.matching import MATCHING, Browser, customers, everything, mapped, matches
from tests.world import World, world


@pytest.fixture
async def here(sqlite_url: str) -> AsyncIterator[World]:
    """What the database is, the services' tests look at."""
    async with world(sqlite_url) as made:
        yield made


@pytest.fixture
def admin(here: World) -> Browser:
    return Browser(here)


async def test_a_customer_is_mapped_by_typing_and_unmapped_by_undo(
    here: World, admin: Browser
) -> None:
    await customers(here, ("cus_1", "Acme"))
    before = await everything(here)
    await admin.open(f"{MATCHING}?q=acme")
    answer = await admin.press("Map", tag_value=" my own tag ")
    assert "Acme is mapped to my own tag." in answer.text
    assert 'value="acme"' in answer.text  # still what was searched for
    assert await mapped(here) == {"cus_1": ("my own tag", "manual")}
    answer = await admin.press("Undo")
    assert "Undone" in answer.text
    assert await everything(here) == before
    assert "Undone" not in (await admin.open()).text


async def test_a_suggestion_is_one_press_and_counts_more_than_what_is_typed(
    here: World, admin: Browser
) -> None:
    await customers(here, ("cus_1", "Acme"))
    await here.spend("acme", 5)
    await admin.open()
    await admin.press("Map to acme", tag_value="half typ")
    assert await mapped(here) == {"cus_1": ("acme", "manual")}


@pytest.mark.parametrize(
    "typed", ["cus_1", "stripe:cus_1", "acme INC", "billing@cus_1.example", " cus_1 "]
)
async def test_a_tag_value_is_mapped_from_its_own_side(
    here: World, admin: Browser, typed: str
) -> None:
    await customers(here, ("cus_1", "Acme Inc"), ("cus_2", "Globex"))
    await here.spend("zeta", 5)
    await admin.open()
    await admin.press("Map", customer=typed)
    assert await mapped(here) == {"cus_1": ("zeta", "manual")}


@pytest.mark.parametrize("typed", ["Acme Two Ltd", "acme\ttwo ltd", " Acme  Two\r\nLtd "])
async def test_a_name_is_typed_as_the_page_shows_it(
    here: World, admin: Browser, typed: str
) -> None:
    await customers(here, ("cus_1", " Acme\tTwo\r\nLtd "))
    await here.spend("zeta", 5)
    await admin.open()
    await admin.press("Map", customer=typed)
    assert await mapped(here) == {"cus_1": ("zeta", "manual")}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("nobody", "No unmatched customer has the name, id or e-mail nobody."),
        ("", "Choose a customer"),
        ("Twin", "2 unmatched customers are called Twin. Type the id of one: stripe:cus_1"),
        ("<b>", "No unmatched customer has the name, id or e-mail <b>."),
    ],
)
async def test_a_customer_that_is_not_clear_is_asked_for_again(
    here: World, admin: Browser, typed: str, told: str
) -> None:
    await customers(here, ("cus_1", "Twin"), ("cus_2", "Twin"))
    await here.spend("zeta", 5)
    await admin.open()
    answer = await admin.press("Map", customer=typed)
    assert answer.status_code == 400
    assert told in unescape(answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert await mapped(here) == {}


@pytest.mark.parametrize(
    ("typed", "told"),
    [("", "Choose or type a tag value."), ("a\x01b", "control characters"), ("x" * 257, "256")],
)
async def test_a_tag_value_that_can_not_be_is_told_beside_the_form(
    here: World, admin: Browser, typed: str, told: str
) -> None:
    await customers(here, ("cus_1", "Acme"))
    await admin.open()
    answer = await admin.press("Map", tag_value=typed)
    assert answer.status_code == 400
    assert told in answer.text
    assert await mapped(here) == {}


async def test_a_taken_tag_value_names_its_holder_and_can_be_taken_over(
    here: World, admin: Browser
) -> None:
    await customers(here, ("cus_1", "Acme"), ("cus_2", "Globex"))
    await here.map("cus_2", "zeta")
    before = await everything(here)
    await admin.open()
    answer = await admin.press("Map", tag_value="zeta")
    assert answer.status_code == 409
    assert "The tag value zeta belongs to Globex (cus_2)." in answer.text
    assert 'value="zeta" aria-invalid="true"' in answer.text
    assert await everything(here) == before
    await admin.press("Take it from Globex")
    assert await mapped(here) == {"cus_1": ("zeta", "manual")}
    await admin.press("Undo")
    assert await everything(here) == before


async def test_a_match_gives_way_to_a_person_and_comes_back_by_undo(
    here: World, admin: Browser
) -> None:
    await matches(here, "cus_1")
    await customers(here, ("cus_2", "Acme"), connect=False)
    await here.sync()
    before = await everything(here)
    await admin.open()
    await admin.press("Map", tag_value="cus_1")
    assert await mapped(here) == {"cus_2": ("cus_1", "manual")}
    await admin.press("Undo")
    assert await everything(here) == before
    assert await mapped(here) == {"cus_1": ("cus_1", "auto")}


@pytest.mark.parametrize("match_type", ["manual", "auto"])
async def test_a_customer_mapped_meanwhile_is_not_mapped_over_silently(
    here: World, admin: Browser, match_type: str
) -> None:
    await customers(here, ("cus_1", "Acme"))
    await admin.open()
    await here.map("cus_1", "theirs", matchType=match_type)
    answer = await admin.press("Map", tag_value="mine")
    assert answer.status_code == 409
    assert "Acme was mapped to theirs meanwhile." in answer.text
    assert await mapped(here) == {"cus_1": ("theirs", match_type)}
    await admin.press("Map it to mine instead")
    assert await mapped(here) == {"cus_1": ("mine", "manual")}
    await admin.press("Undo")
    assert await mapped(here) == {"cus_1": ("theirs", match_type)}


async def test_what_is_so_already_is_no_error(here: World, admin: Browser) -> None:
    await customers(here, ("cus_1", "Acme"))
    await admin.open()
    await here.map("cus_1", "mine")
    answer = await admin.press("Map", tag_value="mine")
    assert answer.status_code == 200
    assert "Acme is mapped to mine already." in answer.text


async def test_a_mapping_is_unmapped_and_back(here: World, admin: Browser) -> None:
    await customers(here, ("cus_1", "Acme"))
    await here.map("cus_1", "a/b c", tagKey="team")
    before = await everything(here)
    page = (await admin.open(f"{MATCHING}?show=mapped")).text
    assert "joins no costs" in page
    answer = await admin.press("Unmap")
    assert "Unmapped: Acme and a/b c." in answer.text
    assert await mapped(here) == {}
    await admin.press("Undo")
    assert await everything(here) == before


async def test_what_changed_since_is_not_undone(here: World, admin: Browser) -> None:
    await customers(here, ("cus_1", "Acme"))
    await admin.open()
    await admin.press("Map", tag_value="mine")
    await here.map("cus_1", "theirs")
    answer = await admin.press("Undo")
    assert answer.status_code == 409
    assert "can&#39;t be undone" in answer.text
    assert await mapped(here) == {"cus_1": ("theirs", "manual")}


@pytest.mark.parametrize("is_connected_again", [False, True])
async def test_what_disconnecting_removed_does_not_come_back_by_undo(
    here: World, admin: Browser, is_connected_again: bool
) -> None:
    await matches(here, "cus_1")
    await admin.open()
    await admin.press("Reject")
    assert await mapped(here) == {}
    await here.call("DELETE", "/api/stripe/disconnect")
    if is_connected_again:
        await here.connect()
    answer = await admin.press("Undo")
    assert answer.status_code == 409
    assert "The provider was disconnected meanwhile" in answer.text
    assert await mapped(here) == {}


async def test_mappings_need_no_connection_and_neither_does_undo(
    here: World, admin: Browser
) -> None:
    await here.map("cus_1", "mine")
    before = await everything(here)
    await admin.open(f"{MATCHING}?show=mapped")
    await admin.press("Unmap")
    assert await mapped(here) == {}
    await here.connect()
    await admin.press("Undo")
    assert await everything(here) == before


async def test_a_customer_of_a_provider_that_is_not_there_is_not_mapped_by_a_form(
    here: World, admin: Browser
) -> None:
    await admin.open(f"{MATCHING}/upload")
    fields = [("form_token", admin.token), ("customer_id", "cus_1"), ("tag_value", "acme")]
    answer = await admin.send(f"{MATCHING}/map", [*fields, ("provider", "<strype>")])
    assert answer.status_code == 400
    told = "There is no revenue provider '<strype>'; installed: "
    assert told in unescape(answer.text)
    assert await mapped(here) == {}
    assert (await here.map("cus_1", "acme", provider="later")).status_code == 201
    await admin.send(f"{MATCHING}/map", [*fields, ("provider", "stripe")])
    assert len(await here.get("/api/customer-mappings")) == 2


@pytest.mark.parametrize("undo", ["", "forged", "of a form token"])
async def test_a_way_back_that_nobody_gave_is_refused(
    here: World, admin: Browser, undo: str
) -> None:
    await customers(here, ("cus_1", "Acme"))
    await admin.open()
    given = admin.token if undo == "of a form token" else undo
    answer = await admin.send(f"{MATCHING}/undo", [("form_token", admin.token), ("undo", given)])
    assert answer.status_code == 403
    assert await mapped(here) == {}


async def test_a_way_back_is_one_persons_own(here: World, admin: Browser) -> None:
    await customers(here, ("cus_1", "Acme"))
    await admin.open()
    await admin.press("Map", tag_value="mine")
    form, _ = admin.button("Undo")
    other = Browser(here, org="org_2")
    await other.open(f"{MATCHING}/upload")
    fields = [each for each in form.fields if each[0] != "form_token"]
    answer = await other.send(form.action, [*fields, ("form_token", other.token)])
    assert answer.status_code == 403
    assert await mapped(here) == {"cus_1": ("mine", "manual")}
