"""The matching page: what is open and what is mapped, and what each role may do about it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser

import pytest

from nullspend_margins.dashboard.tokens import Tokens
from nullspend_margins.domain.mapping_changes import Wanted
from nullspend_margins.protocols import Principal
from tests.dashboard.matching import MATCHING, Browser, Forms, customers, mapped
from tests.world import World, world


@pytest.fixture
async def here(sqlite_url: str) -> AsyncIterator[World]:
    """What the database is, the services' tests look at."""
    async with world(sqlite_url) as made:
        yield made


@pytest.fixture
def admin(here: World) -> Browser:
    return Browser(here)


def text_of(page: str) -> str:
    """What a page says, without its tags."""
    return " ".join(re.sub("<[^>]+>", " ", page).split())


async def test_customers_stand_beside_tag_values_with_their_amounts(
    here: World, admin: Browser
) -> None:
    await customers(here, ("cus_1", "Acme"), ("cus_2", "Globex"))
    await here.spend("acme-prod", 2_500_000)
    await here.spend("zeta", 7_000_000)
    await here.spend("zeta", 1)
    text = text_of((await admin.open()).text)
    assert "Acme Stripe · cus_1 · billing@cus_1.example $200.00 revenue" in text
    assert text.index("zeta 2 requests in 90 days $7.00 cost") < text.index("acme-prod 1 request")
    assert "Unmatched customers 2 $300 of revenue in no margin" in text


async def test_the_states_of_an_org_that_begins(here: World, admin: Browser) -> None:
    page = (await admin.open()).text
    assert "nothing is connected" in page
    assert "Connect revenue" in page
    assert "No costs yet" in page
    assert "Everything is matched" not in page
    await here.connect()
    page = (await admin.open()).text
    assert "No revenue yet" in page
    assert "No mappings yet" in (await admin.open(f"{MATCHING}?show=mapped")).text
    viewer = (await Browser(here, "viewer", "org_2").open()).text
    assert "Ask an admin" in viewer
    assert "Connect revenue" not in viewer


async def test_when_everything_is_matched_it_says_so(here: World, admin: Browser) -> None:
    await customers(here, ("cus_1", "Acme"))
    await here.spend("acme", 5)
    await here.map("cus_1", "acme")
    page = (await admin.open()).text
    assert "Everything is matched" in page
    await here.spend("new", 5)
    page = (await admin.open()).text
    assert "Everything is matched" not in page
    assert "Every customer with revenue has a tag value." in page


@pytest.mark.parametrize("role", ["viewer", "member"])
async def test_who_may_not_map_reads_and_finds_no_button(here: World, role: str) -> None:
    await customers(here, ("cus_1", "Acme"), ("cus_2", "cus_2"), connect=False)
    await here.spend("acme", 5)
    await here.spend("cus_2", 5)
    await here.connect()
    await here.sync()
    person = Browser(here, role)
    for path in (MATCHING, f"{MATCHING}?show=mapped"):
        page = (await person.open(path)).text
        actions = {form.action for form in Forms(page).forms}
        assert actions == {MATCHING}  # the search
        assert "Upload" not in page
        assert "datalist" not in page
    page = (await person.open()).text
    assert "Perhaps" in page
    assert "name is the same: Acme ~ acme" in page


@pytest.mark.parametrize("role", ["viewer", "member"])
@pytest.mark.parametrize("action", ["map", "confirm", "reject", "unmap", "undo", "upload",
                                    "upload/apply"])  # fmt: skip
async def test_who_may_not_map_is_refused_with_a_good_form_too(
    here: World, role: str, action: str
) -> None:
    person = Browser(here, role)
    services = await here.margins.services()
    session = Principal(org_id="org_1", user_id="u1", role=role)
    token = Tokens(services.config.session, here.clock).form_token(session)
    fields = [("provider", "stripe"), ("customer_id", "cus_1"), ("tag_value", "x")]
    fields += [("form_token", token)]
    answer = await person.send(f"{MATCHING}/{action}", fields)
    assert answer.status_code == 403
    assert "admin" in answer.text
    assert await mapped(here) == {}
    assert (await person.open(f"{MATCHING}/upload")).status_code == 403


@pytest.mark.parametrize("action", ["map", "confirm", "reject", "unmap", "undo", "upload",
                                    "upload/apply"])  # fmt: skip
@pytest.mark.parametrize("token", [None, "", "forged", "anothers"])
async def test_a_form_without_this_persons_token_is_refused(
    here: World, admin: Browser, action: str, token: str | None
) -> None:
    await customers(here, ("cus_1", "Acme"), ("cus_2", "Globex"))
    await here.map("cus_2", "globex", matchType="auto")
    if token == "anothers":
        other = Browser(here, org="org_2")
        await other.open(f"{MATCHING}/upload")
        token = other.token
    fields = [("provider", "stripe"), ("customer_id", "cus_2"), ("tag_value", "globex")]
    fields += [("tag_key", "customer"), ("match_type", "auto")]
    fields += [] if token is None else [("form_token", token)]
    answer = await admin.send(f"{MATCHING}/{action}", fields)
    assert answer.status_code == 403
    assert await mapped(here) == {"cus_2": ("globex", "auto")}


async def test_a_form_from_another_site_is_refused(here: World, admin: Browser) -> None:
    await customers(here, ("cus_1", "Acme"))
    await admin.open()
    fields = [("form_token", admin.token), ("provider", "stripe"), ("customer_id", "cus_1")]
    fields += [("tag_value", "x")]
    answer = await admin.send(f"{MATCHING}/map", fields, **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert await mapped(here) == {}


async def test_thousands_come_in_pages_and_can_be_searched(here: World, admin: Browser) -> None:
    services = await here.margins.services()
    await customers(here, *((f"cus_{at:03}", f"Company {at}") for at in range(60)))
    for at in range(30):
        await here.spend(f"tag-{at}", 1_000_000 - at)
    for at in range(30):
        await services.mappings.save("org_1", Wanted("stripe", f"cus_x{at}", f"x{at}"))
    page = (await admin.open()).text
    assert page.count('<li>\n<div class="open-head">') == 50
    assert "1 to 25 of 60" in text_of(page)
    second = (await admin.open(f"{MATCHING}?c=3&t=2")).text
    assert "51 to 60 of 60" in text_of(second)
    assert "26 to 30 of 30" in text_of(second)
    assert "51 to 60 of 60" in text_of((await admin.open(f"{MATCHING}?c=99999999")).text)
    found = (await admin.open(f"{MATCHING}?q=company+7")).text
    assert "6 customers, 0 tag values and 0 matches" in text_of(found)
    assert "<h3><bdi>Company 57</bdi></h3>" in found
    assert "<h3><bdi>Company 8</bdi></h3>" not in found
    listed = text_of((await admin.open(f"{MATCHING}?show=mapped&q=X29")).text)
    assert "1 mapping for" in listed
    assert "26 to 30 of 30" in text_of((await admin.open(f"{MATCHING}?show=mapped&m=2")).text)


@pytest.mark.parametrize("query", ["c=0", "c=-1", "c=x", "c=²", "show=?", "only=1", "q=%00%0a"])
async def test_an_address_that_makes_no_sense_shows_the_page(
    here: World, admin: Browser, query: str
) -> None:
    await customers(here, ("cus_1", "Acme"))
    answer = await admin.open(f"{MATCHING}?{query}")
    assert answer.status_code == 200
    assert "Acme" in answer.text


async def test_what_has_a_suggestion_can_be_shown_alone(here: World, admin: Browser) -> None:
    await customers(here, ("cus_1", "Acme"), ("cus_2", "Globex"))
    await here.spend("acme", 5)
    await here.spend("other", 5)
    page = text_of((await admin.open()).text)
    assert "1 customer has a tag value that may be theirs" in page
    page = text_of((await admin.open(f"{MATCHING}?only=suggested")).text)
    assert "Globex Stripe" not in page
    assert "Acme Stripe" in page
    assert "other 1 request" not in page
    assert await mapped(here) == {}


async def test_a_tag_value_that_nobody_sees_is_shown_by_its_code_points(
    here: World, admin: Browser
) -> None:
    await customers(here, ("cus_1", "Acme"))
    await here.spend("\u200b", 5)
    await here.spend("\u2060", 5)
    page = (await admin.open()).text
    assert "<h3><code><bdi>U+200B</bdi></code></h3>" in page
    assert '<option value="\u200b">' in page
    pair = [("provider", "stripe"), ("customer_id", "cus_1"), ("tag_value", "\u200b")]
    answer = await admin.send(f"{MATCHING}/map", [*pair, ("form_token", admin.token)])
    assert "Acme is mapped to U+200B." in answer.text
    page = (await admin.open(f"{MATCHING}?show=mapped")).text
    assert '<a href="/margins/customers/%E2%80%8B"><code><bdi>U+200B</bdi></code></a>' in page
    detail = (await admin.open("/margins/customers/%E2%80%8B")).text
    assert "Tag value <code><bdi>U+200B</bdi></code>" in detail
    assert '<span class="tag"><bdi>U+200B</bdi></span>' in (await admin.open("/margins")).text
    assert await mapped(here) == {"cus_1": ("\u200b", "manual")}
    await admin.open(f"{MATCHING}?show=mapped")
    await admin.press("Unmap")
    assert await mapped(here) == {}


async def test_a_row_that_is_called_nothing_but_its_tag_value_can_be_clicked(
    here: World, admin: Browser
) -> None:
    await here.spend("\u200b", 5)
    await here.map("cus_1", "\u200b")
    page = (await admin.open("/margins")).text
    assert ">U+200B</bdi></a>" in page
    assert "<h1><bdi>U+200B" in (await admin.open("/margins/customers/%E2%80%8B")).text


class Dangers(HTMLParser):
    """What would run something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("img", "iframe", "object") or (tag == "script" and "src" not in dict(attrs)):
            self.found.append(tag)
        self.found += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        links = [value or "" for name, value in attrs if name in ("href", "src", "action")]
        self.found += [value for value in links if value.startswith("javascript:")]


def dangers(page: str) -> list[str]:
    parser = Dangers()
    parser.feed(page)
    return parser.found


NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    "</datalist><svg onload=alert(1)>",
    "&lt;b&gt;",
]


@pytest.mark.parametrize("text", NASTY)
async def test_no_text_of_others_becomes_markup(here: World, admin: Browser, text: str) -> None:
    await customers(here, ("cus_1", text), ("cus_2", text + "2"), ("cus_3", "x"), connect=False)
    here.account.add_customer("cus_4", name="Four", email=text)
    here.account.add_invoice("cus_4", 5, created=1793620800)
    await here.spend(text, 5)
    await here.connect()
    await here.sync()
    await here.map("cus_3", text + "3")
    await here.map("cus_2", text + "4", matchType="auto")
    is_markup = re.search("[<>'\"&]", text) is not None
    for path in (MATCHING, f"{MATCHING}?show=mapped", f"{MATCHING}?q=x"):
        page = (await admin.open(path)).text
        assert text not in page or not is_markup
        assert "49" not in re.findall(r"<h3><bdi>([^<]*)</bdi></h3>", page)
        assert dangers(page) == []
    await admin.open()
    answer = await admin.press(f"Map to {text}", customer="")
    assert text not in answer.text or not is_markup
    assert (await mapped(here))["cus_1"] == (text, "manual")
