"""The page of the margin table, over a whole product."""

from __future__ import annotations

import html
import re

import httpx
import pytest

from tests.dashboard.margin_pages import company, customers, page, row_of
from tests.world import KEY, World, event, unix, world

NASTY = "<script>alert(1)</script>\"'&{{7*7}}"
"""Ends attributes, opens elements, and would be a template."""


async def test_the_worst_come_first_with_what_can_be_done(here: World) -> None:
    await company(here)
    text = await page(here)
    assert customers(text) == ["Loss Ltd", "none", "Also", "Ärger AG"]
    loss = row_of(text, "Loss Ltd")
    assert "Critical" in loss
    assert "$100.00 $150.00 -$50.00 -50.0% Keep cost under $50.00" in loss
    assert "$0.00 $20.00 -$20.00 No revenue" in row_of(text, "none")
    assert '<span class="tag"><bdi>loss</bdi></span>' in text
    assert '<span class="tag">Also</span>' not in text
    assert 'href="/margins/customers/loss?period=2026-11"' in text


async def test_who_was_given_more_back_than_came_in_has_a_revenue_and_no_percent(
    here: World,
) -> None:
    here.account.add_customer("cus_1", name="Back Ltd")
    paid = here.account.add_invoice("cus_1", 10_000, created=unix(2026, 10, 3))
    here.account.add_refund(paid.id, 6_000, created=unix(2026, 11, 3))
    await here.map("cus_1", "back")
    await here.connect(KEY)
    await here.sync()
    text = await page(here, "?basis=net")
    assert row_of(text, "Back Ltd").endswith("-$60.00 $0.00 -$60.00 \N{EN DASH}")
    assert "No revenue" not in text


async def test_the_tiles_tell_the_whole_and_what_is_missing_of_it(here: World) -> None:
    await company(here)
    await here.spend("nobody", 75_000_000)
    here.account.add_customer("cus_new", name="New")
    here.account.add_invoice("cus_new", 115_000, created=unix(2026, 11, 5))
    await here.sync()
    here.clock.advance(hours=3)
    seen = " ".join(re.sub(r"<[^>]+>", " ", await page(here)).split())
    assert "Blended margin 80.4% of 4 customers" in seen
    assert "Revenue $1,150.00" in seen
    assert "Cost $225.00" in seen
    assert "Critical 2 Show them" in seen
    assert "At risk 1 Show it" in seen
    assert "Cost 75.0% Revenue 50.0% Match the rest" in seen
    assert "Last revenue sync 3 hours ago Connected" in seen
    assert "other currencies were left out: €25.00 in 1 invoice." in seen
    assert "skipped 1 invoice in EUR." in seen


async def test_a_projection_into_a_worse_tier_is_told_in_words(here: World) -> None:
    here.account.add_customer("cus_1", name="Falling")
    await here.map("cus_1", "falling")
    for month, spent in ((9, 10_000_000), (10, 25_000_000), (11, 45_000_000)):
        here.account.add_invoice("cus_1", 10_000, created=unix(2026, month, 2))
        await here.spend("falling", spent, occurredAt=f"2026-{month:02}-03T00:00:00Z")
    await here.connect(KEY)
    await here.sync()
    text = await page(here)
    assert "Heading for moderate" in row_of(text, "Falling")
    told = "Sep 2026: 90.0%, Oct 2026: 75.0%, Nov 2026: 55.0%, Dec 2026, projected: 38.3%"
    assert f"<title>{told}</title>" in text
    assert 'class="ahead"' in text


async def test_search_filter_sort_and_page_are_one_address(here: World) -> None:
    await company(here)
    assert customers(await page(here, "?q=arger")) == ["Ärger AG"]
    assert customers(await page(here, "?q=CUS_")) == customers(await page(here))
    assert customers(await page(here, "?tier=critical&sort=cost")) == ["Loss Ltd", "none"]
    assert customers(await page(here, "?tier=critical&sort=cost&order=asc&q=n")) == ["none"]
    text = await page(here, "?q=l&tier=critical&sort=cost")
    assert 'aria-sort="descending"><a id="sort-cost"' in text
    again = "/margins?period=2026-11&amp;q=l&amp;tier=critical&amp;sort=cost&amp;order=asc"
    assert f'href="{again}"' in text
    assert 'href="/margins?period=2026-11&amp;q=l&amp;sort=cost"' in text
    assert '<input type="hidden" form="search-form" name="tier" value="critical">' in text


async def test_rows_are_cut_into_pages(database_url: str) -> None:
    async with world(database_url, dashboard={"rows_per_page": 10}) as here:
        for number in range(23):
            await here.map(f"cus_{number}", f"tag-{number:02}")
            await here.spend(f"tag-{number:02}", 1_000_000)
        first, last = await page(here), await page(here, "?page=3")
        assert "1\u201310 of 23" in first
        assert customers(last) == ["tag-20", "tag-21", "tag-22"]
        assert 'rel="next"' in first
        assert 'rel="prev"' not in first
        assert 'rel="next"' not in last
        assert 'href="/margins?period=2026-11&amp;page=2"' in last
        assert customers(await page(here, "?page=4")) == customers(last)


async def test_a_page_of_hundreds_of_rows_is_whole(sqlite_url: str) -> None:
    async with world(sqlite_url, dashboard={"rows_per_page": 500}) as here:
        tags = [f"tag-{number:03}" for number in range(120)]
        for tag in tags:
            await here.map(f"cus_{tag}", tag)
        await here.post_batch([event(customer=tag) for tag in tags[:100]])
        await here.post_batch([event(customer=tag) for tag in tags[100:]])
        assert customers(await page(here)) == tags


async def test_nothing_that_is_found_leads_back(here: World) -> None:
    await company(here)
    text = await page(here, "?q=nobody&sort=cost")
    assert customers(text) == []
    assert "No customer matches “<bdi>nobody</bdi>”" in text
    assert 'href="/margins?period=2026-11&amp;sort=cost">Show all customers</a>' in text
    other = await page(here, "?q=loss&tier=healthy")
    assert "None that is healthy, but 1 of another health." in other


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?period=2026-13", 400),
        ("?basis=vibes", 400),
        ("?q=%ff", 400),
        ("?sort=x&order=y&tier=z&page=w", 200),
        ("?period=&basis=&q=&sort=&tier=&page=", 200),
    ],
)
async def test_what_is_wrong_in_an_address_is_told_or_left_out(
    here: World, query: str, status: int
) -> None:
    answer = await here.call("GET", f"/margins{query}")
    assert answer.status_code == status
    assert '<main id="main"' in answer.text


async def test_a_basis_that_is_chosen_stays_with_every_link(here: World) -> None:
    await company(here)
    assert 'class="segments" aria-labelledby="bases-label"' in await page(here)
    text = await page(here, "?basis=net&q=loss")
    assert re.search(r'<a href="[^"]*basis=net[^"]*"[^>]*aria-current="true">Net</a>', text)
    assert 'href="/margins/customers/loss?period=2026-11&amp;basis=net"' in text
    assert 'href="/api/margins?period=2026-11&amp;basis=net&amp;format=csv"' in text
    csv = re.search(r'href="([^"]+format=csv)"', text)
    assert csv is not None
    answer = await here.call("GET", html.unescape(csv[1]))
    assert answer.headers["content-type"].startswith("text/csv")


async def test_a_month_that_runs_is_marked_and_one_that_is_over_is_not(here: World) -> None:
    await company(here)
    assert "so far, 11 days left" in await page(here)
    assert "so far" not in await page(here, "?period=2026-10")
    assert "not begun yet" in await page(here, "?period=2027-01")


async def test_texts_of_customers_and_tags_are_never_markup(here: World) -> None:
    here.account.add_customer("cus_1", name=NASTY)
    here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
    await here.map("cus_1", NASTY)
    await here.map("cus_2", f"../{NASTY}")
    for tag in (NASTY, f"../{NASTY}"):
        await here.spend(tag, 1_000_000)
    await here.connect(KEY)
    await here.sync()
    for query in (
        "",
        f"?q={NASTY.replace('&', '%26')}",
        "?q=%22%3E%3Cimg+src=x+onerror=alert(1)%3E",
    ):
        text = await page(here, query)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "49" not in re.sub(r"\d{3,}|7\*7", "", "".join(customers(text)))
    assert NASTY in customers(await page(here))
    link = re.search(r'<a href="(/margins/customers/[^"]+)"', await page(here))
    assert link is not None
    assert "<" not in link[1]


async def test_links_are_below_mount_and_path(database_url: str) -> None:
    async with world(database_url, dashboard={"path": "/money"}) as here:
        await company(here)
        mounted = httpx.ASGITransport(here.margins.app, root_path="/host")
        async with httpx.AsyncClient(transport=mounted, base_url="http://host.example") as http:
            answer = await http.get("/host/money", headers=here.cookie())
        assert answer.status_code == 200
        links = re.findall(r'(?:href|action|hx-get)="([^"#]+)"', answer.text)
        assert len(links) > 20
        assert all(link.startswith(("/host/money", "/host/api/")) for link in links), links


async def test_links_are_below_the_prefix(database_url: str) -> None:
    async with world(database_url, server={"prefix": "/app"}) as here:
        text = (await here.call("GET", "/app/margins")).text
        links = re.findall(r'(?:href|action|hx-get)="([^"#]+)"', text)
        assert all(link.startswith("/app/margins") for link in links), links
        assert "<code>/app/api/cost-events</code>" in text
