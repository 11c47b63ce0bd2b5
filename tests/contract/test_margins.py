"""The margin table, one customer, CSV, and what is not matched yet."""

import csv
import io
from urllib.parse import quote

import pytest

from tests.world import World, event, unix


async def test_an_org_with_nothing_sees_an_empty_table_and_no_connection(here: World) -> None:
    table = await here.get("/api/margins", role="viewer")
    assert table == {
        "summary": {
            "blendedMarginPercent": 0,
            "totalRevenueMicrodollars": 0,
            "totalCostMicrodollars": 0,
            "criticalCount": 0,
            "atRiskCount": 0,
            "lastSyncAt": None,
            "syncStatus": "disconnected",
            "skippedCurrencies": None,
        },
        "customers": [],
    }


async def acme(here: World) -> None:
    """One customer: 100 dollars in November, 90 in October, with costs."""
    here.account.add_customer("cus_acme", name="Acme Corp", email="a@acme.example")
    here.account.add_invoice("cus_acme", 10_000, created=unix(2026, 11, 3))
    here.account.add_invoice("cus_acme", 9_000, created=unix(2026, 10, 3))
    await here.map("cus_acme", "acme-corp")
    await here.spend("acme-corp", 30_000_000)
    await here.spend("acme-corp", 25_000_000, occurredAt="2026-10-10T00:00:00Z")
    await here.connect()
    await here.sync()


async def test_a_row_joins_revenue_and_cost_of_the_mapped_customer(here: World) -> None:
    await acme(here)
    table = await here.get("/api/margins?period=2026-11", role="viewer")
    assert table["customers"] == [
        {
            "stripeCustomerId": "cus_acme",
            "customerName": "Acme Corp",
            "avatarUrl": None,
            "tagValue": "acme-corp",
            "revenueMicrodollars": 100_000_000,
            "costMicrodollars": 30_000_000,
            "marginMicrodollars": 70_000_000,
            "marginPercent": 70,
            "healthTier": "healthy",
            "sparkline": [
                {"period": "2026-09", "marginPercent": 0},
                {"period": "2026-10", "marginPercent": 72.22},
                {"period": "2026-11", "marginPercent": 70},
            ],
            "projectedTierWorsening": False,
            "budgetSuggestionMicrodollars": None,
        }
    ]
    assert table["summary"]["lastSyncAt"] == "2026-11-20T00:00:00.000Z"
    assert table["summary"]["syncStatus"] == "active"


async def test_the_default_period_is_the_current_utc_month(here: World) -> None:
    await acme(here)
    assert await here.get("/api/margins") == await here.get("/api/margins?period=2026-11")


async def test_costs_below_a_microdollar_add_up_before_they_are_rounded(here: World) -> None:
    from nullspend_margins import CostEvent

    await here.map("cus_a", "a")
    events = [
        CostEvent(
            event_id=str(index),
            provider="openai",
            model=f"embedding-{index % 3}",
            cost_nanodollars=400,
            occurred_at=here.clock.now(),
            tag_value="a",
        )
        for index in range(10)
    ]
    assert await here.margins.ingest("org_1", events) == 10
    assert await here.margins.ingest("org_1", events) == 0
    detail = await here.get("/api/margins/a")
    assert detail["costMicrodollars"] == 4
    assert sum(model["cost"] for model in detail["modelBreakdown"]) == 4


@pytest.mark.parametrize("period", ["", "2026-13", "26-01", "2026-1", "now", "1969-12"])
@pytest.mark.parametrize("path", ["/api/margins", "/api/margins/acme"])
async def test_a_wrong_period_is_a_validation_error(here: World, path: str, period: str) -> None:
    answer = await here.call("GET", f"{path}?period={period}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "validation_error"


async def test_the_name_comes_from_the_period_then_from_the_latest_revenue(here: World) -> None:
    await acme(here)
    december = await here.get("/api/margins/acme-corp?period=2026-12")
    assert december["customerName"] == "Acme Corp"
    assert december["healthTier"] == "at_risk"


@pytest.mark.parametrize(
    "tag", ["a/b", "acct/1 x", "100%", "%2F", "Ünïcode 客", "a+b", "..", "unmatched", "?#&="]
)
async def test_a_tag_value_may_hold_what_a_url_holds_dear(here: World, tag: str) -> None:
    assert (await here.map("cus_1", tag)).status_code == 201
    await here.spend(tag, 7)
    by_query = await here.get(f"/api/margins/_?tagValue={quote(tag, safe='')}")
    assert by_query["tagValue"] == tag
    assert by_query["costMicrodollars"] == 7
    if tag not in ("..", "unmatched"):
        assert await here.get(f"/api/margins/{quote(tag, safe='')}") == by_query


async def test_a_tag_without_a_mapping_is_not_found(here: World) -> None:
    await here.spend("costs-only", 7)
    for tag in ("costs-only", "nobody", "x" * 257):
        answer = await here.call("GET", f"/api/margins/{tag}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_the_models_are_ordered_by_cost_then_name(here: World) -> None:
    await here.map("cus_1", "a")
    for model, cost in (("b", 5), ("a", 5), ("z", 9), ("z", 1)):
        await here.spend("a", cost, model=model)
    detail = await here.get("/api/margins/a")
    assert detail["modelBreakdown"] == [
        {"model": "z", "cost": 10, "requestCount": 2},
        {"model": "a", "cost": 5, "requestCount": 1},
        {"model": "b", "cost": 5, "requestCount": 1},
    ]


async def unmatched_company(here: World) -> None:
    """Two customers and a tag value that nobody joined, and a pair that a sync does."""
    here.account.add_customer("cus_big", name="BetaCo", email="billing@beta.co")
    here.account.add_customer("cus_small", name=None)
    here.account.add_customer("cus_auto", name="Delta LLC")
    for customer, amount in (("cus_big", 5_000), ("cus_small", 100), ("cus_auto", 700)):
        here.account.add_invoice(customer, amount, created=unix(2026, 11, 3))
    await here.spend("gamma-inc", 15)
    await here.spend("cus_auto", 40)
    await here.spend("gamma-inc", 1, occurredAt="2026-09-01T00:00:00Z")
    await here.spend("long-ago", 99, occurredAt="2026-08-01T00:00:00Z")
    await here.post_event({**event(), "customer": None})
    await here.connect()
    await here.sync()


async def test_unmatched_lists_what_is_left_to_map(here: World) -> None:
    await unmatched_company(here)
    unmatched = await here.get("/api/margins/unmatched", role="viewer")
    (pending,) = unmatched.pop("pendingAutoMatches")
    assert pending.pop("id")
    assert pending == {
        "stripeCustomerId": "cus_auto",
        "customerName": "Delta LLC",
        "tagValue": "cus_auto",
        "confidence": 0.9,
    }
    assert unmatched == {
        "unmatchedStripeCustomers": [
            {
                "stripeCustomerId": "cus_big",
                "customerName": "BetaCo",
                "customerEmail": "billing@beta.co",
                "totalRevenueMicrodollars": 50_000_000,
            },
            {
                "stripeCustomerId": "cus_small",
                "customerName": None,
                "customerEmail": None,
                "totalRevenueMicrodollars": 1_000_000,
            },
        ],
        "unmappedTagValues": [
            {"tagValue": "gamma-inc", "totalCostMicrodollars": 16, "requestCount": 2}
        ],
        "customerNames": {"cus_big": "BetaCo", "cus_auto": "Delta LLC"},
    }


async def test_csv_is_a_download_that_a_spreadsheet_cannot_be_tricked_with(here: World) -> None:
    here.account.add_customer("cus_1", name='=HYPERLINK("http://x"), "Ltd"')
    here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
    await here.map("cus_1", "@cmd")
    await here.map("cus_2", "-5 apples")
    await here.spend("@cmd", 250_005_000)
    await here.spend("-5 apples", 4_999)
    await here.connect()
    await here.sync()
    answer = await here.call("GET", "/api/margins?period=2026-11&format=csv", role="viewer")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="margins-2026-11.csv"'
    text = answer.content.decode("utf-8")
    assert text.replace("\r\n", "").count("\n") == 0
    assert list(csv.reader(io.StringIO(text))) == [
        ["Customer", "Stripe ID", "Tag Value", "Revenue ($)", "Cost ($)", "Margin (%)",
         "Margin ($)", "Health Tier"],
        ["'=HYPERLINK(\"http://x\"), \"Ltd\"", "cus_1", "'@cmd", "100.00", "250.01", "-150.00",
         "-150.00", "critical"],
        ["'-5 apples", "cus_2", "'-5 apples", "0.00", "0.00", "0.00", "0.00", "critical"],
    ]  # fmt: skip


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\n="])
async def test_names_are_told_as_stripe_has_them_and_no_cell_is_a_formula(
    here: World, start: str
) -> None:
    name = f"{start}1+1, Ltd "
    here.account.add_customer("cus_1", name=name)
    here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
    await here.map("cus_1", "acme")
    await here.connect()
    await here.sync()
    [row] = (await here.get("/api/margins?period=2026-11"))["customers"]
    assert row["customerName"] == name
    answer = await here.call("GET", "/api/margins?period=2026-11&format=csv", role="viewer")
    [_, cells] = csv.reader(io.StringIO(answer.content.decode("utf-8"), newline=""))
    assert cells[0] == (name if start in {" =", "\n="} else f"'{name}")


async def test_another_format_is_a_validation_error(here: World) -> None:
    answer = await here.call("GET", "/api/margins?format=xml")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")


async def test_an_org_sees_nothing_of_another_org(here: World) -> None:
    await acme(here)
    assert (await here.get("/api/margins", org="org_2"))["customers"] == []
    assert await here.get("/api/customer-mappings", org="org_2") == []
    unmatched = await here.get("/api/margins/unmatched", org="org_2")
    assert unmatched == {
        "unmatchedStripeCustomers": [],
        "unmappedTagValues": [],
        "pendingAutoMatches": [],
        "customerNames": {},
    }
    assert (await here.call("GET", "/api/margins/acme-corp", org="org_2")).status_code == 404
    assert await here.get("/api/stripe/connect", org="org_2") is None
