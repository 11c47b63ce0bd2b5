"""``include=coverage``: what a table is made of, what it leaves out, and how fresh that is."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from nullspend_margins import CostFact, ServiceUnavailable
from tests.contract.test_alerts_of_providers import Warehouse
from tests.contract.test_deliveries import Gateway, batch
from tests.world import KEY, World, unix, world

COVERED = "/api/margins?include=coverage"


async def company(here: World) -> None:
    """Costs and revenue of every sort, most of it in November."""
    for customer, cents, more in (
        ("cus_1", 10_000, {}),
        ("cus_1", 2_500, {"currency": "eur"}),
        ("cus_2", 5_000, {}),
        ("cus_2", 700, {"created": unix(2026, 10, 30)}),
        (None, 300, {}),
        (None, 400, {"currency": "eur"}),
    ):
        if customer is not None and customer not in here.account.customers:
            here.account.add_customer(customer, name=customer)
        here.account.add_invoice(customer, cents, **{"created": unix(2026, 11, 3), **more})
    await here.map("cus_1", "one")
    await here.spend("one", 30_000_000)
    await here.spend("two", 1_000_001)
    await here.post_event({**EVENT, "costMicrodollars": 7})
    await here.connect(KEY)
    await here.sync()


EVENT = {"provider": "openai", "model": "gpt-4o", "inputTokens": 1, "outputTokens": 1}


async def test_every_part_of_cost_and_revenue_is_told(here: World) -> None:
    await company(here)
    coverage = (await here.get(COVERED))["coverage"]
    assert coverage["basis"] == "invoiced"
    assert coverage["cost"] == {
        "attributedMicrodollars": 30_000_000,
        "unmappedMicrodollars": 1_000_001,
        "unattributedMicrodollars": 7,
        "totalMicrodollars": 31_000_008,
    }
    amounts = {
        "mappedMicrodollars": 100_000_000,
        "unmatchedMicrodollars": 50_000_000,
        "withoutCustomerMicrodollars": 3_000_000,
        "totalMicrodollars": 153_000_000,
    }
    skipped = [
        {"currency": "eur", "invoices": 2, "amountMinor": 2_900},
        {"currency": "usd", "invoices": 1, "amountMinor": 300},
    ]
    assert coverage["revenue"] == {
        **amounts, "providers": [{"provider": "stripe", **amounts, "skipped": skipped}],
    }  # fmt: skip


async def test_sources_and_providers_tell_when_they_delivered_and_how_far_they_lag(
    here: World,
) -> None:
    await company(here)
    here.clock.advance(hours=3)
    coverage = (await here.get(COVERED))["coverage"]
    assert coverage["sources"] == [
        {
            "name": "api",
            "kind": "pushed",
            "lastDeliveredAt": "2026-11-20T00:00:00.000Z",
            "newestCostAt": "2026-11-20T00:00:00.000Z",
            "newestCostDay": "2026-11-20",
            "lagSeconds": 10_800,
            "stale": False,
            "lastError": None,
        }
    ]
    assert coverage["providers"] == [
        {
            "name": "stripe",
            "status": "active",
            "lastSyncAt": "2026-11-20T00:00:00.000Z",
            "lagSeconds": 10_800,
            "permissions": {
                "bases": dict.fromkeys(("invoiced", "cash", "net", "accrual"), "exact"),
                "missing": [],
                "remedyUrl": None,
            },
        }
    ]


async def test_the_table_is_byte_for_byte_the_same_without_it(here: World) -> None:
    await company(here)
    before = (await here.call("GET", "/api/margins")).content
    covered = (await here.call("GET", COVERED)).content
    assert (await here.call("GET", "/api/margins")).content == before
    assert covered.startswith(before.removesuffix(b"}}") + b',"coverage":{')
    assert b"coverage" not in before


async def test_another_month_has_its_own_amounts(here: World) -> None:
    await company(here)
    coverage = (await here.get(f"{COVERED}&period=2026-10"))["coverage"]
    assert set(coverage["cost"].values()) == {0}
    assert coverage["revenue"]["totalMicrodollars"] == 7_000_000
    assert coverage["sources"][0]["name"] == "api"


async def test_an_org_with_nothing_has_nothing(here: World) -> None:
    coverage = (await here.get(COVERED))["coverage"]
    assert set(coverage["cost"].values()) == {0}
    assert coverage["revenue"] == {
        "mappedMicrodollars": 0,
        "unmatchedMicrodollars": 0,
        "withoutCustomerMicrodollars": 0,
        "totalMicrodollars": 0,
        "providers": [],
    }
    assert (coverage["sources"], coverage["providers"]) == ([], [])


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("include=everything", "include"),
        ("include=", "include"),
        ("include=coverage,coverage", "include"),
        ("include=coverage,bases,coverage", "include"),
        ("include=coverage,", "include"),
        ("include=,bases", "include"),
        ("include=bases,permissions", "include"),
        ("include=Bases", "include"),
        ("include=bases%20", "include"),
        ("include=bases&format=csv", "include"),
        ("include=coverage&format=csv", "include"),
        ("include=coverage&format=xml", "format"),
        ("include=coverage&period=April", "period"),
    ],
)
async def test_what_cannot_be_included_is_refused(here: World, query: str, path: str) -> None:
    answer = await here.call("GET", f"/api/margins?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")
    assert [each["path"] for each in answer.json()["error"]["details"]["issues"]] == [path]


async def test_it_is_behind_the_same_role_and_plan(here: World) -> None:
    assert (await here.http.get(COVERED)).status_code == 401
    assert (await here.call("GET", COVERED, org="org_poor")).status_code == 403
    assert (await here.call("GET", COVERED, role="viewer")).status_code == 200


async def test_every_kind_of_source_is_there_and_counts(database_url: str) -> None:
    gateway, warehouse = Gateway(), Warehouse(one=60_000_000, other=5)
    async with world(database_url, plugins=[gateway, warehouse]) as here:
        await here.map("cus_1", "one")
        day = date(2026, 11, 17)
        fact = CostFact(key="a", provider="p", model="m", cost_nanodollars=9_000, day=day)
        gateway.batches = [batch(facts=[fact])]
        await here.cron()
        gateway.problem = ServiceUnavailable("The gateway is away.")
        here.clock.advance(hours=25)
        await here.cron()
        coverage = (await here.get(COVERED))["coverage"]
        assert coverage["cost"] == {
            "attributedMicrodollars": 60_000_000,
            "unmappedMicrodollars": 5,
            "unattributedMicrodollars": 9,
            "totalMicrodollars": 60_000_014,
        }
        shown = {each.pop("name"): each for each in coverage["sources"]}
        assert shown == {
            "gateway": {
                "kind": "pulled",
                "lastDeliveredAt": "2026-11-20T00:00:00.000Z",
                "newestCostAt": None,
                "newestCostDay": "2026-11-17",
                "lagSeconds": 90_000,
                "stale": True,
                "lastError": "The gateway is away.",
            },
            "warehouse": {
                "kind": "aggregating",
                "lastDeliveredAt": "2026-11-21T01:00:00.000Z",
                "newestCostAt": None,
                "newestCostDay": None,
                "lagSeconds": 0,
                "stale": False,
                "lastError": None,
            },
        }


async def test_a_source_that_was_taken_away_stays_known_as_what_it_was(database_url: str) -> None:
    gateway = Gateway()
    async with world(database_url, plugins=[gateway]) as here:
        gateway.batches = [batch()]
        await here.cron()
    async with world(database_url) as here:
        here.clock.advance(days=2)
        [source] = (await here.get(COVERED))["coverage"]["sources"]
        assert (source["name"], source["kind"], source["stale"]) == ("gateway", "pulled", True)
        # Another org never had it.
        assert (await here.get(COVERED, org="org_2"))["coverage"]["sources"] == []


class Away(Warehouse):
    async def month_costs(self, org_id: str, first: object, last: object) -> list[object]:  # type: ignore[override]
        raise ServiceUnavailable("The warehouse does not answer.")


async def test_a_source_that_does_not_answer_makes_no_smaller_coverage(database_url: str) -> None:
    async with world(database_url, plugins=[Away()]) as here:
        answer = await here.call("GET", COVERED)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "service_unavailable")


async def test_a_clock_that_runs_behind_shows_no_negative_lag(here: World) -> None:
    await here.spend("one", 1)
    here.clock.moment -= timedelta(minutes=1)
    [source] = (await here.get(COVERED))["coverage"]["sources"]
    assert source["lagSeconds"] == 0


async def test_an_amount_that_cannot_be_stored_is_told_and_keeps_nothing_else_away(
    here: World,
) -> None:
    here.account.add_customer("cus_1", name="cus_1")
    for amount in (2**53 - 1, 2**53 + 1, 2_500):
        here.account.add_invoice("cus_1", amount, created=unix(2026, 11, 3))
    await here.map("cus_1", "one")
    await here.spend("one", 1_000_000)
    await here.connect(KEY)

    report = await here.sync()

    assert (report["invoicesFetched"], report["invoicesSkipped"]) == (3, 2)
    table = await here.get(COVERED)
    assert [row["revenueMicrodollars"] for row in table["customers"]] == [25_000_000]
    [provider] = table["coverage"]["revenue"]["providers"]
    assert provider["totalMicrodollars"] == 25_000_000
    assert provider["skipped"] == [{"currency": "usd", "invoices": 2, "amountMinor": 2**54}]
