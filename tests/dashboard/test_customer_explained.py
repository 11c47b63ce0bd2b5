"""What a number is made of, on the page; and texts from outside that try to be more than text."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from msgspec.structs import replace

from nullspend_margins import ExchangeRate
from nullspend_margins.dashboard.explaining import MOST_ROWS
from tests.contract.ledgers import Ledger, annual, at, in_euros, map_to, part, synced
from tests.contract.test_costs_of_several_sources import Warehouse
from tests.dashboard.markup import Markup
from tests.world import World, world

ONE = "/margins/customers/one"
EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


async def page(here: World, path: str, **options: str) -> Markup:
    answer = await here.call("GET", path, **options)
    assert answer.status_code == 200, answer.text
    found = Markup.of(answer.text)
    assert found.problems() == []
    return found


async def test_nothing_is_explained_before_somebody_asks(sqlite_url: str) -> None:
    ledger = Ledger(facts=[annual()])
    async with world(sqlite_url, plugins=[ledger]) as here:
        await map_to(here, "ledger", "cus_1", "one")
        await synced(here, ledger)
        closed = await page(here, f"{ONE}?basis=cash")
        [link] = closed.all("a", class_="button quiet")
        opened = await page(here, link.attributes["href"].partition("#")[0])
    assert "in_year" not in closed.text
    assert "Explain $500.00 of revenue and $0.00 of cost" in closed.text
    assert "Revenue, cash: $500.00" in opened.text


async def test_services_rates_and_kinds_are_in_words_and_add_up(sqlite_url: str) -> None:
    ledger = Ledger(facts=[annual(), in_euros()])
    async with world(sqlite_url, plugins=[ledger], revenue={"convert": True}) as here:
        await map_to(here, "ledger", "cus_1", "one")
        await here.spend("one", 30_000_000, occurredAt="2026-11-07T23:59:59Z")
        await here.spend("one", 2, occurredAt="2026-11-02T00:00:00Z", model="o1")
        await synced(here, ledger)
        text = (await page(here, f"{ONE}?basis=accrual&explain=1")).text
        net = (await page(here, f"{ONE}?basis=net&explain=1")).text
    assert "Revenue, accrual: $103.873358" in text
    assert "2 objects of the provider, 2 parts" in text
    assert "Invoice in_year ledger, Oct 2, 2026 Line: A line line_1" in text
    assert "Oct 1, 2026 to Oct 1, 2027 $1,000.00 $82.20 month 2 of 12, 30 of 365 days" in text
    assert "€19.99 all of it 1.08421 ledger, Nov 4, 2026 $21.673358" in text
    assert "Revenue of November 2026 $103.873358" in text
    assert "Cost: $30.000002" in text
    assert "By source Cost Requests api $30.000002 2" in text
    assert "Nov 2, 2026 api openai o1 1 $0.000002" in text
    assert "Cost of November 2026 $30.000002" in text
    assert "Invoice in_year ledger, Oct 2, 2026 $416.67 Payment: A payment" in net
    assert "Payment: A payment payment_1 Nov 6, 2026 $500.00" in net
    assert "Tax, taken away: A tax tax_1 Nov 6, 2026 -$83.33" in net


async def test_what_was_given_back_says_how(sqlite_url: str) -> None:
    kinds = (
        ("refund", -500, 9),
        ("dispute", -700, 3),
        ("dispute", 700, 12),
        ("credit_note", -9, 4),
    )
    facts = [
        replace(
            annual(), object_id=f"{kind}_{day}", kind=kind, amount_minor=700,
            occurred_at=at(11, day), parts=[part(kind, amount, at(11, day), "net")],
        )
        for kind, amount, day in kinds
    ]  # fmt: skip
    ledger = Ledger(facts=facts)
    async with world(sqlite_url, plugins=[ledger]) as here:
        await map_to(here, "ledger", "cus_1", "one")
        await synced(here, ledger)
        text = (await page(here, f"{ONE}?basis=net&explain=1")).text
    for words in (
        "Refund refund_9 ledger, Nov 9, 2026 Refund: A refund",
        "Dispute, withdrawn: A dispute",
        "Dispute, won back: A dispute",
        "Credit note credit_note_4",
    ):
        assert words in text
    assert "More was given back than came in so far this month" in text


async def test_costs_of_no_day_are_told_beside_the_days(sqlite_url: str) -> None:
    warehouse = Warehouse(one={"big": (1_500_000, 3)})
    async with world(sqlite_url, plugins=[warehouse]) as here:
        await here.map("cus_1", "one")
        text = (await page(here, f"{ONE}?explain=1")).text
    assert "$0.001500 besides is of no particular day" in text
    assert "not told" in text


async def test_long_lists_lead_to_the_api_which_has_all(sqlite_url: str) -> None:
    facts = [
        replace(in_euros(), object_id=f"in_{number}", currency="usd", rate=None)
        for number in range(MOST_ROWS + 5)
    ]
    ledger = Ledger(facts=facts)
    async with world(sqlite_url, plugins=[ledger]) as here:
        await map_to(here, "ledger", "cus_1", "..")
        await synced(here, ledger)
        found = await page(here, "/margins/customers/-?tagValue=..&basis=cash&explain=1")
        [api] = {each for each in found.links() if each.startswith("/api/")}
        everything = await here.get(api)
    assert f"{MOST_ROWS + 5} objects of the provider" in found.text
    assert "5 more parts, all as JSON $99.95" in found.text
    assert f"Revenue of November 2026 ${19.99 * (MOST_ROWS + 5):,.2f}" in found.text
    assert (everything["tagValue"], everything["basis"]) == ("..", "cash")
    assert len(everything["revenue"]) == MOST_ROWS + 5


async def test_texts_from_outside_stay_texts(sqlite_url: str) -> None:
    """Names, ids, tag, model, description, currency and whose rate it is: all are escaped."""
    rate = ExchangeRate(value=Decimal(1), source="<b onclick=x>", on=date(2026, 11, 4))
    evil = replace(
        in_euros(EVIL),
        object_id=f"in{EVIL}",
        currency="<u onclick=x>",
        customer_name=f"Name{EVIL}",
        rate=rate,
        parts=[replace(part("line", 500, at(11, 3)), part_id=EVIL, description=f"Desc{EVIL}")],
    )
    ledger = Ledger(facts=[evil])
    async with world(sqlite_url, plugins=[ledger], revenue={"convert": True}) as here:
        await map_to(here, "ledger", EVIL, EVIL)
        await here.spend(EVIL, 9_000_000, model=f"model{EVIL}", provider=f"ai{EVIL}")
        await synced(here, ledger)
        query = urlencode({"tagValue": EVIL, "explain": "1"})
        found = await page(here, f"/margins/customers/-?{query}")
    for text in (f"Name{EVIL}", f"in{EVIL}", f"Desc{EVIL}", f"model{EVIL}", f"ai{EVIL}"):
        assert text in found.text
    assert "<U onclick=x>" not in found.text  # a currency is in capitals
    assert "<U ONCLICK=X>" in found.text
    assert "<b onclick=x>, Nov 4, 2026" in found.text
    assert found.all("img") == []
    assert [each for each in found.all("script") if "src" not in each.attributes] == []
