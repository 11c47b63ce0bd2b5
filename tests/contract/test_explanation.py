"""``/explain``: what a cell is made of, from the provider's objects and the days of costs."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from tests.contract.ledgers import Ledger, annual, at, in_euros, map_to, part, synced
from tests.contract.test_costs_of_several_sources import HALF, Warehouse
from tests.world import ORG, World, world

_OBJECT = {"provider": "ledger", "customerId": "cus_1", "minorDigits": 2}
YEAR_AND_EUROS = [
    {
        **_OBJECT,
        "objectId": "in_year",
        "objectKind": "invoice",
        "partKind": "line",
        "partId": "line_1",
        "description": "A line",
        "occurredAt": "2026-10-01T00:00:00.000Z",
        "serviceStart": "2026-10-01T00:00:00.000Z",
        "serviceEnd": "2027-10-01T00:00:00.000Z",
        "amountMinor": 100_000,
        "shareMinor": 8_220,
        "currency": "usd",
        "rate": None,
        "revenueMicrodollars": 82_200_000,
    },
    {
        **_OBJECT,
        "objectId": "in_euros",
        "objectKind": "invoice",
        "partKind": "invoice",
        "partId": None,
        "description": None,
        "occurredAt": "2026-11-03T12:00:00.000Z",
        "serviceStart": None,
        "serviceEnd": None,
        "amountMinor": 1_999,
        "shareMinor": 1_999,
        "currency": "eur",
        "rate": {"value": "1.08421", "source": "ledger", "on": "2026-11-04"},
        "revenueMicrodollars": 21_673_358,
    },
]
_SPENT = {"source": "api", "provider": "openai"}
TWO_DAYS = [
    {**_SPENT, "model": "o1", "day": "2026-11-02", "costMicrodollars": 2, "requestCount": 1},
    {**_SPENT, "model": "gpt-4o", "day": "2026-11-07", "costMicrodollars": 30_000_001,
     "requestCount": 2},
]  # fmt: skip


async def test_every_part_is_told_with_all_that_a_person_would_look_up(database_url: str) -> None:
    ledger = Ledger(facts=[annual(), in_euros()])
    async with world(database_url, plugins=[ledger], revenue={"convert": True}) as here:
        await map_to(here, "ledger", "cus_1", "one")
        await here.spend("one", 30_000_000, occurredAt="2026-11-07T23:59:59Z")
        await here.spend("one", 1, occurredAt="2026-11-07T00:00:00Z")
        await here.spend("one", 2, occurredAt="2026-11-02T00:00:00Z", model="o1")
        await here.spend("one", 4, occurredAt="2026-10-31T23:59:59Z")
        await synced(here, ledger)
        found = await here.get("/api/margins/one/explain?period=2026-11&basis=accrual")
    revenue, costs = found.pop("revenue"), found.pop("costs")
    assert found == {
        "tagValue": "one",
        "period": "2026-11",
        "basis": "accrual",
        "revenueMicrodollars": 103_873_358,
        "costMicrodollars": 30_000_003,
        "marginMicrodollars": 73_873_355,
        "marginPercent": 71.12,
        "healthTier": "healthy",
    }
    assert revenue == YEAR_AND_EUROS
    assert costs == TWO_DAYS


async def test_refunds_credit_notes_and_disputes_are_told_as_what_they_are(
    database_url: str,
) -> None:
    facts = [
        replace(
            annual(), object_id=f"{kind}_x", kind=kind, amount_minor=700,
            occurred_at=at(11, day), parts=[part(kind, amount, at(11, day), "net")],
        )
        for kind, amount, day in (("refund", -500, 9), ("dispute", -700, 3), ("dispute", 700, 12))
    ]  # fmt: skip
    ledger = Ledger(facts=[annual(), *facts[:1], replace(facts[1], object_id="dp"), facts[2]])
    async with world(database_url, plugins=[ledger]) as here:
        await map_to(here, "ledger", "cus_1", "one")
        await synced(here, ledger)
        net = await here.get("/api/margins/one/explain?period=2026-11&basis=net")
        cash = await here.get("/api/margins/one/explain?period=2026-11&basis=cash")
        nothing = await here.get("/api/margins/one/explain?period=2026-11&basis=invoiced")
    told = [
        (each["objectKind"], each["partKind"], each["revenueMicrodollars"] // 10_000)
        for each in net["revenue"]
    ]
    assert told == [
        ("dispute", "dispute", -700), ("invoice", "payment", 50_000), ("invoice", "tax", -8_333),
        ("refund", "refund", -500), ("dispute", "dispute", 700),
    ]  # fmt: skip
    assert net["revenueMicrodollars"] == (50_000 - 8_333 - 500) * 10_000
    assert [each["partKind"] for each in cash["revenue"]] == ["payment"]
    assert (nothing["revenueMicrodollars"], nothing["revenue"]) == (0, [])


async def test_costs_of_several_sources_are_rounded_together(database_url: str) -> None:
    warehouse = Warehouse(one={"big": (1_500, 3), "small": (500, 1)})
    async with world(database_url, plugins=[warehouse]) as here:
        await here.map("cus_1", "one")
        await here.margins.ingest(ORG, [HALF])
        found = await here.get("/api/margins/one/explain")
        assert found["costMicrodollars"] == 3
        assert found["costMicrodollars"] == (await here.get("/api/margins/one"))["costMicrodollars"]
        assert found["costs"] == [
            {"source": "host", "provider": "openai", "model": "local", "day": "2026-11-02",
             "costMicrodollars": 1, "requestCount": 1},
            {"source": "warehouse", "provider": None, "model": "big", "day": None,
             "costMicrodollars": 2, "requestCount": 3},
            {"source": "warehouse", "provider": None, "model": "small", "day": None,
             "costMicrodollars": 0, "requestCount": 1},
        ]  # fmt: skip
        warehouse.is_down = True
        answer = await here.call("GET", "/api/margins/one/explain")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "service_unavailable")


class Vague(Warehouse):
    """Its months have more than its models."""

    async def model_costs(self, org_id: str, tag_value: str, period: object) -> list:  # type: ignore[override]
        rows = await super().model_costs(org_id, tag_value, period)  # type: ignore[arg-type]
        return rows[:1]


async def test_what_a_source_does_not_tell_by_model_is_told_all_the_same(sqlite_url: str) -> None:
    vague = Vague(one={"big": (2_000, 3), "small": (7_000, 1)})
    async with world(sqlite_url, plugins=[vague]) as here:
        await here.map("cus_1", "one")
        found = await here.get("/api/margins/one/explain")
        told = [(each["model"], each["costMicrodollars"]) for each in found["costs"]]
        assert (found["costMicrodollars"], told) == (9, [("big", 2), (None, 7)])


async def test_customers_of_several_providers_are_explained_together(database_url: str) -> None:
    ledger = Ledger(facts=[annual()])
    other = Ledger("other", facts=[annual("o_1"), annual("o_2", "in_of_another")])
    async with world(database_url, plugins=[ledger, other]) as here:
        await map_to(here, "ledger", "cus_1", "one")
        await map_to(here, "other", "o_1", "one")
        await synced(here, ledger, other)
        found = await here.get("/api/margins/one/explain?period=2026-10&basis=cash")
        told = [(each["provider"], each["customerId"]) for each in found["revenue"]]
        assert told == [("ledger", "cus_1"), ("other", "o_1")]
        assert found["revenueMicrodollars"] == 1_400_000_000


async def test_a_service_of_long_ago_is_still_explained(database_url: str) -> None:
    long = replace(
        annual(), occurred_at=at(10, 2), parts=[
            part("line", 36_500, datetime(2024, 1, 1, tzinfo=UTC), "accrual",
                 until=datetime(2027, 1, 1, tzinfo=UTC)),
        ],
    )  # fmt: skip
    ledger = Ledger(facts=[long])
    async with world(database_url, plugins=[ledger]) as here:
        await map_to(here, "ledger", "cus_1", "one")
        await synced(here, ledger)
        for period in ("2024-01", "2025-06", "2026-12"):
            found = await here.get(f"/api/margins/one/explain?period={period}&basis=accrual")
            [line] = found["revenue"]
            assert line["revenueMicrodollars"] == found["revenueMicrodollars"] > 0
        after = await here.get("/api/margins/one/explain?period=2027-01&basis=accrual")
        assert after["revenue"] == []


async def test_thousands_of_invoices_are_explained(sqlite_url: str) -> None:
    facts = [annual(object_id=f"in_{number:04}") for number in range(1_500)]
    ledger = Ledger(facts=facts)
    async with world(sqlite_url, plugins=[ledger]) as here:
        await map_to(here, "ledger", "cus_1", "one")
        await synced(here, ledger)
        found = await here.get("/api/margins/one/explain?period=2026-11&basis=net")
        assert len(found["revenue"]) == 3_000
        assert found["revenueMicrodollars"] == 1_500 * 416_670_000
        assert found["revenueMicrodollars"] == sum(
            each["revenueMicrodollars"] for each in found["revenue"]
        )


EXPLAINED = {
    "a": ("/a/explain", "/%61/expl%61in", "/_/explain?tagValue=a", "/a/b/explain?tagValue=a"),
    "a/explain": ("/a%2Fexplain/explain", "/a%2fexplain/explain", "/a/explain/explain"),
    "a/b": ("/a%2Fb/explain", "/a/b/explain"),
    "unmatched": ("/unmatched/explain",),
    "..": ("/_/explain?tagValue=..",),
    "explain": ("/explain/explain",),
}
SHOWN = {
    "a/explain": ("/a%2Fexplain", "/a%2fexplain", "/_?tagValue=a/explain"),
    "explain": ("/explain",),
    "a/explain/explain": ("/a%2Fexplain%2Fexplain", "/a/explain%2Fexplain"),
    "a/explain/": ("/a/explain/",),
}


@pytest.mark.parametrize(
    ("tag", "path", "is_explained"),
    [(tag, path, True) for tag, paths in EXPLAINED.items() for path in paths]
    + [(tag, path, False) for tag, paths in SHOWN.items() for path in paths],
)
async def test_a_slash_that_is_encoded_belongs_to_the_tag_value(
    sqlite_url: str, tag: str, path: str, is_explained: bool
) -> None:
    async with world(sqlite_url) as here:
        for number, each in enumerate({*EXPLAINED, *SHOWN}):
            await map_to(here, "stripe", f"cus_{number}", each)
        found = await here.get(f"/api/margins{path}")
        assert found["tagValue"] == tag
        assert ("costs" in found) is is_explained


async def test_who_may_not_see_the_detail_sees_no_explanation(here: World) -> None:
    await here.map("cus_1", "one")
    path = "/api/margins/one/explain"
    assert (await here.http.get(path)).status_code == 401
    assert (await here.call("GET", path, org="org_poor")).status_code == 403
    assert (await here.call("GET", path, org="org_2")).status_code == 404
    assert (await here.call("GET", path, role="viewer")).status_code == 200
    assert (await here.call("POST", path)).status_code == 405
    assert (await here.call("HEAD", path)).status_code == 200


@pytest.mark.parametrize("tag", ["nobody", "costs-only", "x" * 257, "a\nb"])
async def test_nobody_s_tag_value_is_not_found_as_in_the_detail(here: World, tag: str) -> None:
    await here.spend("costs-only", 7)
    quoted = quote(tag, safe="")
    explained = await here.call("GET", f"/api/margins/{quoted}/explain")
    detail = await here.call("GET", f"/api/margins/{quoted}")
    assert explained.status_code == detail.status_code == 404
    assert explained.json() == detail.json()


@pytest.mark.parametrize("query", ["period=2026-13", "basis=", "period="])
async def test_a_wrong_question_is_a_validation_error(here: World, query: str) -> None:
    answer = await here.call("GET", f"/api/margins/one/explain?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")


async def test_a_customer_without_anything_is_explained_by_nothing(here: World) -> None:
    await here.map("cus_1", "one")
    found = await here.get("/api/margins/one/explain?period=1970-01")
    assert (found["revenue"], found["costs"], found["marginPercent"]) == ([], [], 0)
    assert found["healthTier"] == (await here.get("/api/margins/one"))["healthTier"]
