"""No name turns what stands beside it: right-to-left letters, controls of the direction."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from urllib.parse import quote, urlencode

import pytest
from msgspec.structs import replace

from nullspend_margins import ExchangeRate
from nullspend_margins.dashboard.rendering import environment
from tests.contract.ledgers import Ledger, annual, at, in_euros, map_to, part, synced
from tests.dashboard.markup import Markup
from tests.dashboard.matching import MATCHING, Browser
from tests.dashboard.turning import TURNING, isolated_texts, turning, turns
from tests.world import World, unix, world

OTHER, FREE = f"other {TURNING}", f"free {TURNING}"


async def looked_at(page: str, at_least: int) -> None:
    assert turning(page) == []
    assert isolated_texts(page) >= at_least


async def stripe_company(here: World) -> None:
    """Customers mapped, matched, suggested and unmatched, all called the same; a falling margin."""
    for customer_id, name in (("cus_1", TURNING), ("cus_2", OTHER), ("cus_3", FREE)):
        here.account.add_customer(customer_id, name=name, email=f"{TURNING}@x.example")
        for month in (10, 11):
            here.account.add_invoice(customer_id, 10_000, created=unix(2026, month, 3))
    matched = here.account.add_customer(
        "cus_4", name=TURNING, metadata={"nullspend_customer": f"pending {TURNING}"}
    )
    here.account.add_invoice(matched, 10_000, created=unix(2026, 11, 3))
    await here.map("cus_1", TURNING)
    for tag in (TURNING, OTHER, FREE, f"pending {TURNING}"):
        await here.spend(tag, 20_000_000, occurredAt="2026-10-04T00:00:00Z", model=TURNING)
        await here.spend(tag, 120_000_000, model=TURNING, provider=TURNING)
    await here.connect()
    await here.sync()


async def reachable(here: World, role: str) -> dict[str, str]:
    """Every page that a link leads to, from the margins on."""
    seen: dict[str, str] = {}
    todo = ["/margins", f"/margins?q={quote(TURNING)}nobody", f"/margins/customers/{quote(OTHER)}"]
    while todo:
        address = todo.pop().partition("#")[0]
        if address in seen or not address.startswith("/margins") or address.endswith(".csv"):
            continue
        seen[address] = (await here.call("GET", address, role=role)).text
        todo += [each for each in Markup.of(seen[address]).links() if "sort=" not in each]
    return seen


@pytest.mark.parametrize("role", ["admin", "viewer"])
async def test_no_page_that_a_link_leads_to_is_turned(sqlite_url: str, role: str) -> None:
    async with world(sqlite_url) as here:
        await stripe_company(here)
        pages = await reachable(here, role)
    assert len(pages) > 20
    assert {path: found for path, page in pages.items() if (found := turning(page))} == {}
    assert isolated_texts(pages["/margins"]) >= 3
    assert isolated_texts(pages[MATCHING]) >= 10


async def test_what_is_told_after_a_change_turns_nothing(sqlite_url: str) -> None:
    async with world(sqlite_url) as here:
        await stripe_company(here)
        admin = Browser(here)
        await admin.open()
        for tag in (FREE, FREE, TURNING):  # new; there already; somebody else's
            pair = [("provider", "stripe"), ("customer_id", "cus_3"), ("tag_value", tag)]
            answer = await admin.send(f"{MATCHING}/map", [*pair, ("form_token", admin.token)])
            await looked_at(answer.text, 2)
        typed = [("tag_value", OTHER), ("customer", TURNING), ("form_token", admin.token)]
        await looked_at((await admin.send(f"{MATCHING}/map", typed)).text, 2)
        await looked_at((await admin.open(f"{MATCHING}?show=mapped&q={quote(FREE)}")).text, 2)
        answer = await admin.press("Unmap")
        assert "Unmapped" in answer.text
        await looked_at(answer.text, 1)


async def test_what_a_file_would_do_turns_nothing(sqlite_url: str) -> None:
    async with world(sqlite_url) as here:
        await stripe_company(here)
        admin = Browser(here)
        pairs = [
            ("cus_1", TURNING), ("cus_1", TURNING), ("cus_2", TURNING), ("cus_3", f"new {TURNING}"),
            ("cus_4", FREE), (TURNING, OTHER), (f"x {TURNING}", f"pending {TURNING}"),
        ]  # fmt: skip
        rows = "".join(f"{customer},{tag}\n" for customer, tag in pairs)
        for header, at_least in (("customer_id,tag_value", 12), (TURNING, 1)):
            await admin.open(f"{MATCHING}/upload")
            answer = await admin.upload(f"{header}\n{rows}".encode())
            await looked_at(answer.text, at_least)


async def test_what_explains_a_number_turns_nothing(sqlite_url: str) -> None:
    rate = ExchangeRate(value=Decimal(1), source=TURNING, on=date(2026, 11, 4))
    told = replace(part("line", 500, at(11, 3)), part_id=TURNING, description=TURNING)
    facts = [
        replace(in_euros(TURNING), object_id=TURNING, rate=rate, parts=[told]),
        replace(annual(TURNING, f"in {TURNING}"), customer_name=TURNING),
    ]
    ledger = Ledger(facts=facts)
    async with world(sqlite_url, plugins=[ledger], revenue={"convert": True}) as here:
        await map_to(here, "ledger", TURNING, TURNING)
        await here.map(f"second {TURNING}", TURNING)
        await here.spend(TURNING, 9_000_000, model=TURNING, provider=TURNING)
        await synced(here, ledger)
        query = urlencode({"tagValue": TURNING, "explain": "1", "basis": "accrual"})
        page = (await here.call("GET", f"/margins/customers/-?{query}")).text
    await looked_at(page, 14)


@pytest.mark.parametrize("status", [400, 403])
async def test_what_stripe_says_turns_nothing(here: World, status: int) -> None:
    error = {"type": "invalid_request_error", "message": TURNING, "code": TURNING}
    await here.connect()
    here.stripe.faults.fail(status, times=20, body=json.dumps({"error": error}).encode())
    assert (await here.call("POST", "/api/stripe/revenue-sync")).is_error
    here.stripe.faults.clear()
    for path in ("/margins", "/margins/connect", "/margins/connect/stripe"):
        assert turning((await here.call("GET", path)).text) == []


async def test_addresses_turn_nothing(here: World) -> None:
    for path in ("/margins?period={}", "/margins/customers/{}", "/margins/{}", "/margins?basis={}"):
        answer = await here.call("GET", path.replace("{}", quote(TURNING)))
        assert answer.is_error
        assert turning(answer.text) == []


@pytest.mark.parametrize(
    "template",
    ["{{ name }}", "<b>{{ name }}</b>", '<b title="{{ name }}">1</b>', "<bdi>{{ name }}</bdi>"],
)
def test_a_text_that_is_not_isolated_is_found(template: str) -> None:
    assert turning(environment([]).from_string(template).render(name=TURNING)) != []


def test_isolated_texts_are_none_of_them() -> None:
    template = '<b title="1 {{ name|isolated }}">{{ name|bdi }} 2 {{ name|isolated }}</b>'
    page = environment([]).from_string(template).render(name=TURNING)
    assert turning(page) == []
    assert isolated_texts(page) == 3
    assert not turns("Acme €1", is_apart=False)


def test_markup_in_a_name_is_none() -> None:
    page = environment([]).from_string("{{ name|bdi }}").render(name="<b>&\u200b")
    assert page == "<bdi>&lt;b&gt;&amp;\u200b</bdi>"
