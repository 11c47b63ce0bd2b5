"""One customer's page: its figures, its states, and names that are hard to write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import escape
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio

from tests.contract.alerting import OCTOBER, Listener, falling, synced
from tests.dashboard.markup import Markup
from tests.world import World, unix, world

ONE = "/margins/customers/one"


@pytest_asyncio.fixture
async def here(sqlite_url: str) -> AsyncIterator[World]:
    """The product, with nothing in it yet. What pages ask is asked of both databases elsewhere."""
    async with world(sqlite_url) as made:
        yield made


async def page(here: World, path: str = ONE, *, status: int = 200, role: str = "admin") -> Markup:
    """What is shown; whatever it is, nothing in it is refused by its own policy."""
    answer = await here.call("GET", path, role=role)
    assert answer.status_code == status, answer.text
    found = Markup.of(answer.text)
    assert found.problems() == []
    return found


async def test_figures_stand_beside_those_of_the_month_before(here: World) -> None:
    await falling(here)
    await here.sync()
    await here.spend("one", 50_000_000, occurredAt="2026-09-01T00:00:00Z")
    october = (await page(here, f"{ONE}?period=2026-10")).text
    assert "Margin 25.0%" in october
    assert "Cost $75.00 +$25.00 (+50.0%) from Sep 2026" in october
    assert "Revenue $100.00 +$100.00 from Sep 2026" in october
    assert "Margin in dollars $25.00 +$75.00 from Sep 2026" in october
    assert "Still running" not in october


async def test_a_month_that_runs_is_marked_and_not_compared(here: World) -> None:
    await falling(here)
    await here.sync()
    found = await page(here)
    assert "Still running: day 20 of 30" in found.text
    assert "Cost so far $105.00 $75.00 in Oct 2026" in found.text
    assert "from Oct 2026" not in found.text
    assert len(found.all("rect", class_="bar revenue", data_running="")) == 1


async def test_a_customer_that_costs_more_than_it_pays_gets_a_budget(here: World) -> None:
    await falling(here)
    await here.sync()
    text = (await page(here)).text
    assert "With a budget of $50.00 a month this customer would be healthy (50.0% margin)" in text
    assert "$55.00 less than it costs so far" in text
    assert "With a budget" not in (await page(here, f"{ONE}?period=2026-10")).text


async def test_a_trend_that_leads_into_a_worse_tier_is_warned_of(here: World) -> None:
    await here.map("cus_1", "one")
    here.account.add_customer("cus_1", name="One")
    for month, cost in ((9, 10), (10, 40), (11, 60)):
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, month, 3))
        await here.spend("one", cost * 1_000_000, occurredAt=f"2026-{month:02}-04T00:00:00Z")
    await here.connect()
    await here.sync()
    text = (await page(here)).text
    assert "the margin is 13.3% in December 2026: at risk" in text
    assert "If the trend goes on" in text


async def test_the_months_are_told_in_a_table_too(here: World) -> None:
    await falling(here)
    await here.sync()
    found = await page(here)
    assert "Nov 2026 still running $100.00 $105.00 -$5.00 -5.0% Critical" in found.text
    assert "Oct 2026 $100.00 $75.00 $25.00 25.0% Moderate" in found.text
    assert "Dec 2025 $0.00 $0.00 $0.00 \N{EN DASH} nothing" in found.text
    [drawing] = found.all("svg", role="img")
    named = drawing.attributes["aria-labelledby"], drawing.attributes["aria-describedby"]
    assert [len(found.all("title", id=named[0])), len(found.all("desc", id=named[1]))] == [1, 1]


async def test_models_are_told_with_shares_and_only_ten_at_first(here: World) -> None:
    await here.map("cus_1", "one")
    for number in range(12):
        await here.spend("one", 1_000_000 * (12 - number), model=f"model-{number:02}")
    found = await page(here)
    assert "model-00 $12.00 15.4% 1 $12.00" in found.text
    assert "2 others $3.00 2" in found.text
    assert "model-10" not in found.text
    [link] = {each for each in found.links() if "models=all" in each}
    everything = (await page(here, link.partition("#")[0])).text
    assert "model-11 $1.00 1.3% 1 $1.00" in everything
    assert "others" not in everything


async def test_a_customer_without_revenue_has_no_margin(here: World) -> None:
    await here.map("cus_1", "one")
    await here.spend("one", 5_000_000)
    text = (await page(here)).text
    assert "No revenue so far this month by this basis" in text
    assert "Margin so far \N{EN DASH} none in Oct 2026" in text
    assert "No month here has revenue" in text


async def test_a_gap_in_the_line_is_told_where_there_is_one(here: World) -> None:
    await falling(here)
    await here.sync()
    assert "the line has a gap" not in (await page(here)).text
    await here.spend("one", 5_000_000, occurredAt="2026-09-01T00:00:00Z")
    assert "the line has a gap" in (await page(here)).text


async def test_a_customer_without_cost_is_all_margin(here: World) -> None:
    await here.map("cus_1", "one")
    here.account.add_customer("cus_1", name="One & Only")
    here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
    await here.connect()
    await here.sync()
    text = (await page(here)).text
    assert "One & Only Healthy" in text
    assert "Margin so far 100.0%" in text
    assert "No costs yet this month." in text


async def test_a_customer_without_any_month_says_where_figures_come_from(here: World) -> None:
    await here.map("cus_1", "one")
    found = await page(here)
    assert "Neither revenue nor cost from December 2025 to November 2026" in found.text
    assert found.all("svg", role="img") == []
    assert found.all("span", class_="badge") == []


async def test_a_month_with_nothing_leads_to_the_last_that_has_something(here: World) -> None:
    await here.map("cus_1", "one")
    await here.spend("one", 5_000_000, occurredAt=OCTOBER)
    found = await page(here)
    assert (
        "Neither revenue nor cost so far this month; the last before was in October" in found.text
    )
    assert f"{ONE}?period=2026-10" in found.links()


async def test_a_month_to_come_has_not_begun(here: World) -> None:
    await falling(here)
    await here.sync()
    text = (await page(here, f"{ONE}?period=2027-03")).text
    assert "Has not begun" in text
    assert "No costs yet this month." in text


async def test_the_first_period_of_all_can_be_looked_at(here: World) -> None:
    await here.map("cus_1", "one")
    assert "January 1970" in (await page(here, f"{ONE}?period=1970-01")).text


async def test_who_is_not_mapped_is_told_so_and_led_to_matching(here: World) -> None:
    found = await page(here, "/margins/customers/nobody%2F%3Cb%3E", status=404)
    assert "Nobody is mapped to this name" in found.text
    assert "nobody/<b> is no customer here" in found.text
    assert "/margins/matching" in found.links()
    viewer = await page(here, "/margins/customers/nobody", status=404, role="viewer")
    assert "An admin can map it." in viewer.text


@pytest.mark.parametrize("path", ["%00", "x" * 300, "", "%ED%A0%80", "-?tagValue=%00"])
async def test_names_that_nobody_can_have_are_not_looked_for(here: World, path: str) -> None:
    answer = await here.call("GET", f"/margins/customers/{path}")
    assert answer.status_code == (400 if path == "%ED%A0%80" else 404)


NAMES = [
    "a/b", "globex/eu west", "100%-juice", "100%25", "ñandú turismo", "株式会社", ".", "..", "-",
    "/", "/x", "a//b", "unmatched", "remove", "a?b#c", "a&b=c;d", "+plus", "a\\b", "explain",
    "a/explain", "'\"><b>", "🙂", "x" * 256,
]  # fmt: skip


async def test_every_name_has_its_page_and_every_link_on_it_works(here: World) -> None:
    for number, name in enumerate(NAMES):
        await here.map(f"cus_{number}", name)
        await here.spend(name, 5_000_000)
    for name in NAMES:
        in_path = name not in {".", ".."} and not name.startswith("/")
        path = quote(name, safe="") if in_path else "-?" + urlencode({"tagValue": name})
        found = await page(here, f"/margins/customers/{path}")
        assert f"{name} Critical" in found.text
        own = {each.partition("#")[0] for each in found.links() if "/customers/" in each}
        assert len(own) > 4
        for link in sorted(own)[::6]:
            assert f" {name} " in (await page(here, link)).text
        assert f"{name} Critical" in (await page(here, _other_month(found))).text


def _other_month(found: Markup) -> str:
    """What the form with the months sends: its fields take the place of the address' query."""
    [switcher] = found.all("form", method="get")
    sent = {
        each.attributes["name"]: each.attributes["value"]
        for each in found.all("input", type="hidden")
        if each.attributes["name"] in {"tagValue", "basis", "explain", "models"}
    }
    path = switcher.attributes["action"].partition("?")[0]
    return f"{path}?{urlencode({**sent, 'period': '2026-11'})}"


async def test_back_leads_to_the_same_month_and_basis(here: World) -> None:
    await here.map("cus_1", "one")
    found = await page(here, f"{ONE}?period=2026-09&basis=cash")
    assert "/margins?period=2026-09&basis=cash" in found.links()
    assert "/margins?period=2026-09" in (await page(here, f"{ONE}?period=2026-09")).links()


async def test_bases_are_offered_with_what_each_says(here: World) -> None:
    await falling(here)
    await here.sync()
    found = await page(here)
    assert "Invoiced $100.00" in found.text
    assert "Accrual $170.00" in found.text  # both invoices pay for a month from their day on
    assert f"{ONE}?period=2026-11&basis=accrual" in found.links()
    shown = await page(here, f"{ONE}?period=2026-11&basis=accrual")
    assert f"{ONE}?period=2026-11" in shown.links()  # the usual one needs no word
    [chosen] = [
        each for each in shown.all("a", aria_current="true") if "basis" in each.attributes["href"]
    ]
    assert chosen.attributes["href"].endswith("basis=accrual")
    await page(here, f"{ONE}?basis=profit", status=400)


async def test_alerts_are_told_with_who_has_heard(here: World) -> None:
    await falling(here)
    await synced(here)
    found = await page(here)
    assert "Alerts raised Nov 20, 2026, of Nov 2026 Moderate 25.0%" in found.text
    assert "to Critical -5.0%" in found.text
    assert "log: delivered" in found.text
    assert "None for the months" in (await page(here, f"{ONE}?period=2026-10")).text


async def test_an_alert_that_nobody_gets_says_so_and_why_to_admins(sqlite_url: str) -> None:
    listener = Listener()
    listener.fails = True
    async with world(sqlite_url, plugins=[listener]) as here:
        await falling(here)
        await synced(here)
        text, viewers = (await page(here)).text, (await page(here, role="viewer")).text
    assert "listener: not delivered yet, tried 1 time, again in a moment: Connection" in text
    assert "listener: not delivered yet, tried 1 time, again in a moment" in viewers
    assert "ConnectionError" not in viewers


async def test_with_stricter_tiers_a_critical_customer_may_still_pay(sqlite_url: str) -> None:
    health = {"healthy": 60, "moderate": 50, "at_risk": 40}
    async with world(sqlite_url, health=health) as here:
        await falling(here)
        await here.sync()
        text = (await page(here, f"{ONE}?period=2026-10")).text
    assert "Hardly pays its costs. With a budget of $40.00 a month" in text
    assert "(60.0% margin)" in text


async def test_what_the_people_of_another_org_see_is_nothing(here: World) -> None:
    await falling(here)
    await synced(here)
    answer = await here.call("GET", ONE, org="org_2")
    assert answer.status_code == 404
    assert "cus_1" not in answer.text


def test_the_markup_reader_sees_what_is_wrong() -> None:
    bad = '<p onclick="x" style="y" id="a"></p><script>1</script><b id="a"></b><a href="//x">'
    bad += f'<a href="javascript:x"></a><i title="{escape("<u onclick=1>")}"></i>'
    assert Markup.of(bad).problems() == [
        "<p onclick>", "<p style>", "<script>", "href=javascript:x", "#a is there 2 times",
    ]  # fmt: skip
