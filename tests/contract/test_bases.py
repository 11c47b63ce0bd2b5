"""``basis`` and ``include=bases``: revenue by what counts and when, side by side."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from nullspend_margins.domain.revenue_part import BASES
from tests.contract.ledgers import Ledger, annual, in_euros, map_to, synced
from tests.world import World, world

NOVEMBER = {"invoiced": 0, "cash": 500_000_000, "net": 416_670_000, "accrual": 82_200_000}
"""What the annual invoice is in November. Accrual: 100,000 cents x 30 days of 365 are 8,219.18;
of the two cents that rounding down leaves over, one goes to February and one to November."""


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[World]:
    """One customer with an annual plan, another who only costs."""
    ledger = Ledger(facts=[annual()])
    async with world(database_url, plugins=[ledger]) as made:
        await map_to(made, "ledger", "cus_1", "one")
        await map_to(made, "ledger", "cus_2", "two")
        await made.spend("one", 30_000_000)
        await made.spend("two", 5_000_000)
        await synced(made, ledger)
        yield made


@pytest.mark.parametrize("basis", BASES)
async def test_the_table_the_detail_and_the_file_are_by_the_basis_asked_for(
    here: World, basis: str
) -> None:
    query, revenue = f"?period=2026-11&basis={basis}", NOVEMBER[basis]
    table = await here.get(f"/api/margins{query}")
    [row] = [each for each in table["customers"] if each["tagValue"] == "one"]
    detail = await here.get(f"/api/margins/one{query}")
    assert row["revenueMicrodollars"] == detail["revenueMicrodollars"] == revenue
    assert table["summary"]["totalRevenueMicrodollars"] == revenue
    assert detail["revenueOverTime"][-1] == {
        "period": "2026-11", "revenue": revenue, "cost": 30_000_000,
    }  # fmt: skip
    assert row["healthTier"] == detail["healthTier"] == ("healthy" if revenue else "critical")
    file = await here.call("GET", f"/api/margins{query}&format=csv")
    [cells] = [each for each in csv.reader(io.StringIO(file.text)) if "one" in each]
    assert cells[3:6] == [
        f"{revenue / 1_000_000:.2f}", "30.00", f"{row['marginPercent']:.2f}",
    ]  # fmt: skip


async def test_the_months_before_are_by_the_same_basis(here: World) -> None:
    detail = await here.get("/api/margins/one?period=2026-11&basis=cash")
    assert [each["revenue"] for each in detail["revenueOverTime"]] == [0, 700_000_000, 500_000_000]


async def test_the_configured_basis_counts_where_none_is_asked_for(database_url: str) -> None:
    ledger = Ledger(facts=[annual()])
    async with world(database_url, plugins=[ledger], revenue={"basis": "cash"}) as here:
        await map_to(here, "ledger", "cus_1", "one")
        await synced(here, ledger)
        for path in ("/api/margins", "/api/margins/one", "/api/margins/one/explain"):
            asked = await here.get(f"{path}?basis=cash")
            assert await here.get(path) == asked
            assert asked != await here.get(f"{path}?basis=net")
        coverage = (await here.get("/api/margins?include=coverage"))["coverage"]
        assert coverage["basis"] == "cash"


@pytest.mark.parametrize("wrong", ["", "Cash", "gross", "cash,net", "%20cash"])
@pytest.mark.parametrize(
    "path",
    ["/api/margins", "/api/margins?format=csv", "/api/margins?include=coverage",
     "/api/margins/one", "/api/margins/one/explain", "/api/margins/unmatched",
     "/api/margins/unmatched?tagValue=one", "/api/margins/nobody"],
)  # fmt: skip
async def test_another_basis_is_refused_everywhere(sqlite_url: str, path: str, wrong: str) -> None:
    async with world(sqlite_url) as here:
        answer = await here.call("GET", f"{path}{'&' if '?' in path else '?'}basis={wrong}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")
        assert answer.json()["error"]["details"]["issues"] == [
            {"path": "basis", "message": "must be one of invoiced, cash, net, accrual"}
        ]


async def test_rows_and_the_detail_carry_all_bases_and_are_otherwise_the_same(here: World) -> None:
    for basis in BASES:
        query = f"?period=2026-11&basis={basis}"
        plain = await here.get(f"/api/margins{query}")
        with_bases = await here.get(f"/api/margins{query}&include=bases")
        told = {row["tagValue"]: row.pop("revenueByBasis") for row in with_bases["customers"]}
        assert with_bases == plain
        assert told == {"one": NOVEMBER, "two": dict.fromkeys(BASES, 0)}
        detail = await here.get(f"/api/margins/one{query}&include=bases")
        assert detail.pop("revenueByBasis") == NOVEMBER
        assert detail == await here.get(f"/api/margins/one{query}")


async def test_without_it_bytes_are_what_they_were(here: World) -> None:
    before = (await here.call("GET", "/api/margins?period=2026-11")).content
    with_bases = (await here.call("GET", "/api/margins?period=2026-11&include=bases")).content
    assert (await here.call("GET", "/api/margins?period=2026-11")).content == before
    assert b"revenueByBasis" not in before
    assert with_bases.count(b'null,"revenueByBasis":{"invoiced":') == 2


async def test_coverage_and_bases_come_together_in_any_order(here: World) -> None:
    both = await here.get("/api/margins?include=coverage,bases")
    assert "coverage" in both
    assert all("revenueByBasis" in row for row in both["customers"])
    assert both == await here.get("/api/margins?include=bases%2Ccoverage")


@pytest.mark.parametrize("wrong", ["", "coverage", "bases,bases", "bases,", "everything"])
@pytest.mark.parametrize("path", ["one", "unmatched", "unmatched?tagValue=one"])
async def test_with_a_customer_nothing_else_is_included(
    sqlite_url: str, path: str, wrong: str
) -> None:
    async with world(sqlite_url) as here:
        await map_to(here, "stripe", "cus_1", "one")
        separator = "&" if "?" in path else "?"
        answer = await here.call("GET", f"/api/margins/{path}{separator}include={wrong}")
        assert answer.status_code == 400
        [issue] = answer.json()["error"]["details"]["issues"]
        assert issue["path"] == "include"


async def test_several_providers_customers_are_one_row_by_every_basis(database_url: str) -> None:
    ledger, other = Ledger(facts=[annual()]), Ledger("other", facts=[in_euros("o_1")])
    async with world(database_url, plugins=[ledger, other], revenue={"convert": True}) as here:
        await map_to(here, "ledger", "cus_1", "one")
        await map_to(here, "other", "o_1", "one")
        await synced(here, ledger, other)
        [row] = (await here.get("/api/margins?include=bases"))["customers"]
        euros = 21_673_358  # 19.99 x 1.08421 = 21.6733579
        assert row["revenueByBasis"] == {name: cents + euros for name, cents in NOVEMBER.items()}
        detail = await here.get("/api/margins/one?include=bases")
        assert detail["revenueByBasis"] == row["revenueByBasis"]
