"""An aggregating cost source that keeps every rule, and those that each break one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from nullspend_margins import (
    ModelCost,
    MonthCost,
    Period,
    ServiceUnavailable,
    TagCost,
)
from nullspend_margins.testing import (
    AggregatingCostSourceSuite,
)
from tests.testing.support import network


@dataclass(frozen=True)
class Use:
    org: str
    customer: str
    model: str
    day: str
    cost: int


USE = (
    Use("org_1", "c", "a", "2026-02-28", 1),
    Use("org_1", "c", "a", "2026-03-01", 10),
    Use("org_1", "c", "b", "2026-03-31", 20),
    Use("org_1", "", "b", "2026-03-31", 40),
    Use("org_1", "c", "a", "2026-04-01", 80),
    Use("org_1", "d", "a", "2026-04-01", 160),
    Use("org_1", "d", "a", "2026-05-01", 320),
    Use("org_2", "c", "a", "2026-03-01", 5),
)


class Warehouse:
    name = "warehouse"
    is_garbled = False
    other_json: Any = ...

    def __init__(self, *, down: bool = False) -> None:
        self.down = down

    async def rows(self, org_id: str) -> Sequence[Use]:
        await network()
        if self.down:
            raise ServiceUnavailable("Acme's warehouse does not answer.")
        return [row for row in USE if row.org == org_id]

    async def month_costs(self, org_id: str, first: Period, last: Period) -> list[MonthCost]:
        return [
            MonthCost(row.customer, Period.parse(row.day[:7]).index, row.cost)
            for row in await self.rows(org_id)
            if str(first) <= row.day[:7] <= str(last)
        ]

    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> list[ModelCost]:
        return [
            ModelCost(row.model, row.cost, 1)
            for row in await self.rows(org_id)
            if row.customer == tag_value and row.day[:7] == str(period)
        ]

    async def tag_costs(self, org_id: str, since: date) -> list[TagCost]:
        return [
            TagCost(row.customer, row.cost, 1)
            for row in await self.rows(org_id)
            if row.day >= since.isoformat()
        ]


class WarehouseRules(AggregatingCostSourceSuite):
    plugin: ClassVar[type[Warehouse]] = Warehouse
    org_id = "org_1"
    other_org_id = "org_2"
    secrets = ("reader-7d1f",)
    nanodollars: Mapping[str, Mapping[str, int]] = {
        "2026-03": {"c": 30, "": 40},
        "2026-04": {"c": 80, "d": 160},
    }

    def make(self) -> Warehouse:
        return self.plugin()

    def make_unreachable(self) -> Warehouse:
        return self.plugin(down=True)

    def make_garbled(self, status: int) -> Warehouse:
        garbled = self.make_unreachable()
        garbled.is_garbled = True
        return garbled

    def make_answering(self, body: object) -> Warehouse:
        answering = self.make_garbled(200)
        answering.other_json = body
        return answering


class ForgetsTheUnattributed(Warehouse):
    async def rows(self, org_id: str) -> Sequence[Use]:
        return [row for row in await super().rows(org_id) if row.customer]


class EndsBeforeTheLast(Warehouse):
    async def month_costs(self, org_id: str, first: Period, last: Period) -> list[MonthCost]:
        rows = await super().month_costs(org_id, first, last)
        return [
            row for row in rows if first == last or row.month < last.index or last.index > 24400
        ]


class HasNoEnd(Warehouse):
    async def month_costs(self, org_id: str, first: Period, last: Period) -> list[MonthCost]:
        return await super().month_costs(org_id, first, last.shift(12))


class ShowsTheTopModel(Warehouse):
    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> Any:
        return (await super().model_costs(org_id, tag_value, period))[:1]


class BeginsTheDayAfter(Warehouse):
    async def tag_costs(self, org_id: str, since: Any) -> Any:
        return await super().tag_costs(org_id, since.replace(day=2))


class GivesDecimals(Warehouse):
    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> Any:
        rows = await super().model_costs(org_id, tag_value, period)
        return [row._replace(cost_nanodollars=Decimal(row.cost_nanodollars)) for row in rows]


class HasADefaultOrg(Warehouse):
    async def rows(self, org_id: str) -> Sequence[Use]:
        return await super().rows(org_id) or await super().rows("org_1")


class HasADefaultCustomer(Warehouse):
    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> Any:
        known = tag_value in {"", "c", "d"}
        return await super().model_costs(org_id, tag_value if known else "c", period)


class CachesWithoutTheOrg(Warehouse):
    def __init__(self, *, down: bool = False) -> None:
        super().__init__(down=down)
        self.cache: dict[object, Any] = {}

    async def tag_costs(self, org_id: str, since: Any) -> Any:
        if since not in self.cache:
            self.cache[since] = await super().tag_costs(org_id, since)
        return self.cache[since]


class IsNothingWhenDown(Warehouse):
    async def rows(self, org_id: str) -> Sequence[Use]:
        return [] if self.down and not self.is_garbled else await super().rows(org_id)


class DecodesBlindly(Warehouse):
    async def rows(self, org_id: str) -> Sequence[Use]:
        if self.is_garbled and self.other_json is ...:
            json.loads("<!doctype html>")
        return await super().rows(org_id)


class ReadsFieldsBlindly(Warehouse):
    async def rows(self, org_id: str) -> Sequence[Use]:
        if self.other_json is not ...:
            return [Use(org_id, **each) for each in self.other_json]
        return await super().rows(org_id)


class TellsItsToken(Warehouse):
    async def rows(self, org_id: str) -> Sequence[Use]:
        try:
            return await super().rows(org_id)
        except ServiceUnavailable:
            raise ServiceUnavailable("The warehouse knows no reader-7d1f.") from None


AGGREGATING: dict[str, type] = {
    "test_the_costs_are_the_samples": ForgetsTheUnattributed,
    "test_the_first_and_the_last_month_are_included": EndsBeforeTheLast,
    "test_months_outside_of_the_span_are_left_out": HasNoEnd,
    "test_models_add_up_to_their_month": ShowsTheTopModel,
    "test_tags_since_a_day_add_up_to_the_months_since_then": BeginsTheDayAfter,
    "test_rows_have_the_types_of_the_protocol": GivesDecimals,
    "test_an_org_without_costs_has_none": HasADefaultOrg,
    "test_a_customer_without_costs_has_none": HasADefaultCustomer,
    "test_orgs_are_kept_apart": CachesWithoutTheOrg,
    "test_an_unreachable_source_is_not_an_empty_one": IsNothingWhenDown,
    "test_an_answer_that_is_none_is_a_failure": DecodesBlindly,
    "test_json_of_another_form_is_a_failure": ReadsFieldsBlindly,
    "test_a_failure_keeps_secrets_and_urls_to_itself": TellsItsToken,
}
