"""Costs of the product's own store and of another engine, read as one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from nullspend_margins import CostEvent, ModelCost, MonthCost, Period, ServiceUnavailable, TagCost
from tests.world import ORG, World, world

READS = ("/api/margins", "/api/margins/one", "/api/margins/unmatched")
HALF = CostEvent(
    event_id="e1",
    provider="openai",
    model="local",
    cost_nanodollars=500,
    occurred_at=datetime(2026, 11, 2, tzinfo=UTC),
    tag_value="one",
)
"""Half a microdollar."""


class Warehouse:
    """Nanodollars and requests of one org, by tag value and model, in the last month asked for."""

    name = "warehouse"
    is_down = False

    def __init__(self, **costs: dict[str, tuple[int, int]]) -> None:
        self.costs = costs

    def of(self, org_id: str) -> dict[str, dict[str, tuple[int, int]]]:
        if self.is_down:
            raise ServiceUnavailable("The warehouse is down.")
        return self.costs if org_id == ORG else {}

    async def month_costs(self, org_id: str, first: Period, last: Period) -> list[MonthCost]:
        return [
            MonthCost(tag, last.index, sum(cost for cost, _ in models.values()))
            for tag, models in self.of(org_id).items()
        ]

    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> list[ModelCost]:
        models = self.of(org_id).get(tag_value, {})
        return [ModelCost(model, *amount) for model, amount in models.items()]

    async def tag_costs(self, org_id: str, since: date) -> list[TagCost]:
        return [
            TagCost(tag, *(sum(column) for column in zip(*models.values(), strict=True)))
            for tag, models in self.of(org_id).items()
        ]


async def spent(here: World, *events: CostEvent) -> None:
    await here.map("cus_1", "one")
    await here.margins.ingest(ORG, events)


async def cost_of_one(here: World) -> int:
    table = await here.get("/api/margins")
    [row] = table["customers"]
    assert table["summary"]["totalCostMicrodollars"] == row["costMicrodollars"]
    return row["costMicrodollars"]


async def test_halves_of_two_sources_are_rounded_once_and_models_add_up(database_url: str) -> None:
    warehouse = Warehouse(one={"far": (500, 3), "local": (500, 2)})
    async with world(database_url, plugins=[warehouse]) as here:
        await spent(here, HALF)
        assert await cost_of_one(here) == 2  # of 1,500 nanodollars
        detail = await here.get("/api/margins/one")
        assert detail["costMicrodollars"] == detail["revenueOverTime"][-1]["cost"] == 2
        assert detail["modelBreakdown"] == [
            {"model": "local", "cost": 1, "requestCount": 3},
            {"model": "far", "cost": 1, "requestCount": 3},
        ]


async def test_what_is_unmapped_is_added_up_too(database_url: str) -> None:
    warehouse = Warehouse(two={"far": (1_500, 4)}, three={"far": (9_000, 1)})
    async with world(database_url, plugins=[warehouse]) as here:
        await spent(here, replace(HALF, tag_value="two"))
        unmatched = await here.get("/api/margins/unmatched")
        assert unmatched["unmappedTagValues"] == [
            {"tagValue": "three", "totalCostMicrodollars": 9, "requestCount": 1},
            {"tagValue": "two", "totalCostMicrodollars": 2, "requestCount": 5},
        ]


async def test_a_table_follows_the_other_engine_and_its_outages(database_url: str) -> None:
    warehouse = Warehouse(one={"far": (4_000, 1)})
    async with world(database_url, plugins=[warehouse]) as here:
        await spent(here)
        assert await cost_of_one(here) == 4
        warehouse.costs = {"one": {"far": (7_000, 1)}}
        assert await cost_of_one(here) == 7
        warehouse.is_down = True
        for path in READS:
            answer = await here.call("GET", path)
            assert answer.status_code == 503
            assert answer.json()["error"]["message"] == "The warehouse is down."
        warehouse.is_down = False
        assert await cost_of_one(here) == 7


async def test_tag_values_of_another_engine_are_asked_for_every_time(database_url: str) -> None:
    warehouse = Warehouse(two={"m": (5_000, 1)})
    async with world(database_url, plugins=[warehouse]) as here:
        await here.spend("one", 1)
        tags = (await here.get("/api/margins/unmatched"))["unmappedTagValues"]
        assert {each["tagValue"] for each in tags} == {"one", "two"}
        warehouse.costs["three"] = {"m": (7_000, 1)}
        tags = (await here.get("/api/margins/unmatched"))["unmappedTagValues"]
        assert {each["tagValue"] for each in tags} == {"one", "two", "three"}
