"""Many mappings at once: a file, what it would do, all of it or nothing, and back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from nullspend_margins.services.mapping_batches import MOST_AT_ONCE
from tests.dashboard.matching import MATCHING, Browser, customers, mapped
from tests.world import World, world

UPLOAD = f"{MATCHING}/upload"


@pytest.fixture
async def here(sqlite_url: str) -> AsyncIterator[World]:
    """What the database is, the services' tests look at."""
    async with world(sqlite_url) as made:
        yield made


@pytest.fixture
def admin(here: World) -> Browser:
    return Browser(here)


async def sent(
    admin: Browser, *lines: str, header: str = "customer_id,tag_value"
) -> httpx.Response:
    """The preview of a file with these lines."""
    await admin.open(UPLOAD)
    return await admin.upload("\n".join([header, *lines]).encode())


def told(answer: httpx.Response) -> str:
    return unescape(" ".join(re.sub("<[^>]+>", " ", answer.text).split()))


async def test_a_file_is_previewed_stored_and_taken_back(here: World, admin: Browser) -> None:
    await here.spend("cus_3", 5)
    await here.spend("acme", 5)
    await customers(here, *((f"cus_{at}", f"Name {at}") for at in range(1, 6)))
    await here.map("cus_2", "old")
    await here.map("cus_4", "four")
    before = await here.get("/api/customer-mappings")
    answer = await sent(
        admin, "cus_1,acme", "cus_2,new", "cus_3,cus_3", "cus_4,four", "cus_5,four", "cus_9,nine"
    )
    assert answer.status_code == 200
    assert await here.get("/api/customer-mappings") == before
    text = told(answer)
    assert "New 2 Changed 2 Unchanged 1 Refused 1 Left out Worth a look 2" in text
    assert "6 Line 5 has the tag value four already." in text
    assert "3 Name 2 Stripe · cus_2 old new" in text
    assert "4 Name 3 Stripe · cus_3 cus_3 not yet confirmed cus_3 confirmed" in text
    assert "7 cus_9 Stripe nine No revenue of this provider names this customer." in text
    assert "Line 5: Name 4 is four already." in text
    answer = await admin.press("Store 4 mappings")
    assert "Mappings created: 2, changed: 2." in answer.text
    assert await mapped(here) == {
        "cus_1": ("acme", "manual"),
        "cus_2": ("new", "manual"),
        "cus_3": ("cus_3", "manual"),
        "cus_4": ("four", "manual"),
        "cus_9": ("nine", "manual"),
    }
    await admin.press("Undo")
    assert sorted(await here.get("/api/customer-mappings"), key=str) == sorted(before, key=str)


async def test_lines_that_say_the_same_twice_are_told(here: World, admin: Browser) -> None:
    answer = await sent(admin, "cus_1,a", "cus_1,a", "cus_1,b", "cus_2,a")
    text = told(answer)
    assert "3 It says the same as line 2." in text
    assert "4 Line 2 has the customer cus_1 already." in text
    assert "5 Line 2 has the tag value a already." in text


async def test_customers_of_a_file_may_swap(here: World, admin: Browser) -> None:
    await here.map("cus_1", "a")
    await here.map("cus_2", "b")
    await sent(admin, "cus_1,b", "cus_2,a")
    await admin.press("Store 2 mappings")
    assert await mapped(here) == {"cus_1": ("b", "manual"), "cus_2": ("a", "manual")}


async def test_when_something_changed_meanwhile_nothing_is_stored(
    here: World, admin: Browser
) -> None:
    await sent(admin, "cus_1,a", "cus_2,b", "cus_3,c")
    await here.map("cus_2", "other")
    await here.map("cus_9", "c")
    answer = await admin.press("Store 3 mappings")
    assert answer.status_code == 409
    assert "Lines that are otherwise now: 3, 4." in told(answer)
    assert await mapped(here) == {"cus_2": ("other", "manual"), "cus_9": ("c", "manual")}
    await admin.press("Store 2 mappings")
    assert (await mapped(here))["cus_2"] == ("b", "manual")
    assert "cus_3" not in await mapped(here)


async def test_storing_twice_shows_that_it_is_so_already(here: World, admin: Browser) -> None:
    await sent(admin, "cus_1,a")
    form, _ = admin.button("Store 1 mapping")
    await admin.press("Store 1 mapping")
    answer = await admin.send(form.action, form.fields)
    assert answer.status_code == 409
    assert "Nothing to store" in answer.text
    assert await mapped(here) == {"cus_1": ("a", "manual")}


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"", 400, "not empty"),
        (b"name,mail\nx,y\n", 400, "names no column for the customer id"),
        (b"customer_id,tag_value\n" + b"x" * 1_048_576, 413, "1,048,576 bytes"),
        (b"customer_id,tag_value\n" + b"cus_1,a\n" * 5_001, 400, "more than 5,000 lines"),
    ],
    ids=["empty", "no columns", "too large", "too many"],
)
async def test_a_file_that_can_not_be_read_is_told_beside_the_field(
    here: World, admin: Browser, content: bytes, status: int, said: str
) -> None:
    await admin.open(UPLOAD)
    answer = await admin.upload(content)
    assert answer.status_code == status
    assert said in told(answer)
    assert 'aria-invalid="true"' in answer.text


async def test_a_file_with_nothing_to_do_says_so(here: World, admin: Browser) -> None:
    await here.map("cus_1", "a")
    assert "Everything in the file is mapped" in (await sent(admin, "cus_1,a")).text
    answer = await sent(admin, "cus_1,", "cus_2,")
    assert "No line of the file has a tag value." in answer.text
    assert "2 lines have no tag value" in answer.text
    assert "No line can be stored" in (await sent(admin, "cus_2,a")).text


async def test_a_plan_that_nobody_was_shown_is_refused(here: World, admin: Browser) -> None:
    await sent(admin, "cus_1,a")
    form, _ = admin.button("Store")
    plan = dict(form.fields)["plan"]
    forged = [("form_token", admin.token), ("plan", plan[:-1] + ("A" if plan[-1] != "A" else "B"))]
    for fields in (forged, [("form_token", admin.token)], [*forged[:1], ("plan", admin.token)]):
        answer = await admin.send(form.action, fields)
        assert answer.status_code == 403
    other = Browser(here, org="org_2")
    await other.open(UPLOAD)
    answer = await other.send(form.action, [("form_token", other.token), ("plan", plan)])
    assert answer.status_code == 403
    assert await mapped(here) == {}


async def test_as_many_as_are_allowed_are_stored_and_taken_back(
    here: World, admin: Browser
) -> None:
    lines = [f"cus_{at:014},tenant number {at}" for at in range(MOST_AT_ONCE)]
    answer = await sent(admin, *lines)
    assert "The first 200 of 5,000." in told(answer)
    answer = await admin.press("Store 5,000 mappings")
    assert "Mappings created: 5,000, changed: 0." in answer.text
    assert len(await mapped(here)) == MOST_AT_ONCE
    answer = await admin.press("Undo")
    assert "Undone" in answer.text
    assert await mapped(here) == {}


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
async def test_no_cell_of_a_file_becomes_markup(here: World, admin: Browser, text: str) -> None:
    quoted = '"' + text.replace('"', '""') + '"'
    await here.map("cus_1", text)
    await here.map("cus_3", "old" + text)
    lines = [f"cus_2,{quoted}", f"{quoted},b", f"cus_3,{quoted}2", f"{quoted},{quoted},x"]
    answer = await sent(admin, *lines, f"cus_4,{quoted}\x01")
    assert answer.status_code == 200
    assert text not in answer.text
    answer = await sent(admin, "x,y", header=f"{quoted},b")
    assert answer.status_code == 400
    assert text not in answer.text
    answer = await sent(admin, "x,y", header=f"id,tag,{quoted}")
    assert text not in answer.text


async def test_the_unmatched_are_a_file_to_fill_in(here: World) -> None:
    await customers(here, ("cus_1", "=Acme"), ("cus_2", "Globex"))
    await here.spend("globex", 5)
    person = Browser(here, "viewer")
    answer = await person.open(f"{MATCHING}/unmatched.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="unmatched.csv"'
    assert answer.headers["cache-control"] == "no-store"
    lines = answer.text.split("\r\n")
    assert lines[1].startswith("cus_1,,stripe,'=Acme,billing@cus_1.example,200.00,,")
    assert lines[2].endswith(",globex,name is the same: Globex ~ globex")
    filled = answer.text.replace("cus_2,,", "cus_2,globex,")
    admin = Browser(here)
    await admin.open(UPLOAD)
    preview = await admin.upload(filled.encode())
    assert "1 line has no tag value" in preview.text
    await admin.press("Store 1 mapping")
    assert await mapped(here) == {"cus_2": ("globex", "manual")}


async def test_a_line_of_a_provider_that_is_not_there_is_refused(
    here: World, admin: Browser
) -> None:
    answer = await sent(
        admin,
        "cus_1,one,strype",
        "cus_2,two,stripe",
        "cus_3,three,",
        header="customer_id,tag_value,provider",
    )
    text = told(answer)
    assert "New 2 Changed 0 Unchanged 0 Refused 1" in text
    assert "2 There is no revenue provider 'strype'; installed: " in text
    await admin.press("Store 2 mappings")
    assert {*await mapped(here)} == {"cus_2", "cus_3"}
