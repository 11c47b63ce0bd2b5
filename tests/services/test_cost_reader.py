"""What an aggregating source may answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from nullspend_margins import ModelCost, MonthCost, Period, TagCost
from nullspend_margins.plugins import Registry
from nullspend_margins.services.cost_reader import CostReader

APRIL = Period.parse("2026-04")


class Warehouse:
    """An aggregating source that answers as it is told."""

    name = "warehouse"

    def __init__(self, months: Any = (), models: Any = (), tags: Any = ()) -> None:
        self._months, self._models, self._tags = months, models, tags

    async def month_costs(self, org_id: str, first: Period, last: Period) -> Sequence[MonthCost]:
        return self._months  # type: ignore[no-any-return]

    async def model_costs(self, org_id: str, tag_value: str, period: Period) -> Sequence[ModelCost]:
        return self._models  # type: ignore[no-any-return]

    async def tag_costs(self, org_id: str, since: date) -> Sequence[TagCost]:
        return self._tags  # type: ignore[no-any-return]


async def ask(source: Warehouse) -> None:
    reader = CostReader(Registry(cost_sources=(source,)))
    await reader.remote_months("org_1", APRIL, APRIL)
    await reader.remote_customer("org_1", "acme", APRIL, APRIL)
    await reader.remote_tags("org_1", APRIL.start.date())


async def test_rows_of_the_protocols_types_are_taken() -> None:
    months = [MonthCost("acme", APRIL.index, 5)]
    await ask(Warehouse(months, [ModelCost("o3", 5, 1)], (TagCost("acme", 5, 1),)))


@pytest.mark.parametrize(
    "source",
    [
        Warehouse(months=[MonthCost("acme", APRIL.index, Decimal(5))]),  # type: ignore[arg-type]
        Warehouse(months=[("acme", APRIL.index, 5)]),
        Warehouse(months=None),
        Warehouse(models=[ModelCost("o3", 5.0, 1)]),  # type: ignore[arg-type]
        Warehouse(models={"o3": 5}),
        Warehouse(tags=[TagCost("acme", 5, True), None]),
        Warehouse(tags=[TagCost("acme", 5, Decimal(1))]),  # type: ignore[arg-type]
    ],
)
async def test_other_rows_are_no_amounts_and_name_their_source(source: Warehouse) -> None:
    with pytest.raises(TypeError, match="cost source 'warehouse' answered with "):
        await ask(source)
