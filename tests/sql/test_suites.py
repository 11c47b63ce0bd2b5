"""Both shapes keep the rules of their protocols, on both engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from nullspend_margins import CostBatch
from nullspend_margins.testing import (
    AggregatingCostSourceSuite,
    FixedClock,
    PulledCostSourceSuite,
)
from tests.sql.support import HostTable, at, source

NOW = at("2026-04-20 00:00:00")
ROWS = [
    # id, org, customer, model, cost in dollars, at
    (1, "org_1", "acme", "gpt-4o", "0.25", "2026-03-01 00:00:00"),
    (2, "org_2", "acme", "o3", "1.5", "2026-03-02 00:00:00"),
    (3, "org_1", None, None, "0.000000001", "2026-03-31 23:59:59.999999"),
    (4, "org_1", "acme", "o3", "2", "2026-04-01 00:00:00"),
    (5, "org_1", "beta", "o3", "0.1", "2026-04-05 10:00:00"),
    (6, "org_1", "acme", None, "0.3", "2026-04-19 23:30:00"),
]
UTC_ROWS = [(*row[:5], f"{row[5]}+00:00") for row in ROWS]


class OfTable:
    """What both suites need: a filled table, and one that nobody can reach."""

    settings: dict[str, Any]

    @pytest.fixture(autouse=True)
    def _filled(self, table: HostTable, tmp_path: Path) -> None:
        self.table, self.folder = table, tmp_path
        table.insert(*UTC_ROWS)

    def make(self) -> Any:
        return self.table.source(clock=FixedClock(NOW), **self.settings)

    def make_unreachable(self) -> Any:
        url = "postgresql://nobody@127.0.0.1:9/nothing"
        if self.table.url.startswith("sqlite"):
            url = f"sqlite:///{self.folder}/none.db"
        return source(url, clock=FixedClock(NOW), **self.settings)


class Pulled(OfTable, PulledCostSourceSuite):
    nanodollars = {"org_1": 2_650_000_001, "org_2": 1_500_000_000}  # noqa: RUF012

    def add_costs(self, source: Any) -> None:
        self.table.insert((7, "org_2", "acme", "o3", "1", "2026-04-19 23:45:00+00:00"))

    def make_failing_half_way(self) -> Any:
        return LosesItsTable(self)


class LosesItsTable:
    """A source whose table is gone after the first batch."""

    name = "sql-usage"

    def __init__(self, suite: Pulled) -> None:
        self._table, self._source = suite.table, suite.make()
        self._is_lost = False

    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        async for batch in self._source.pull(cursor):
            yield batch
            if not self._is_lost:
                self._is_lost = True
                lose = "ALTER TABLE usage_log RENAME TO elsewhere"
                await asyncio.to_thread(self._table.execute, lose)


class TestPulledByTime(Pulled):
    settings = {"page_rows": 2}  # noqa: RUF012
    overlaps = True


class TestPulledById(Pulled):
    settings = {"cursor": "id", "overlap_minutes": 0, "page_rows": 1}  # noqa: RUF012


class TestPulledAsFacts(Pulled):
    settings = {"corrections": True, "page_rows": 3}  # noqa: RUF012
    overlaps = True


class TestAggregated(OfTable, AggregatingCostSourceSuite):
    settings = {"mode": "aggregate"}  # noqa: RUF012
    org_id = "org_1"
    other_org_id = "org_2"
    nanodollars = {  # noqa: RUF012
        "2026-03": {"acme": 250_000_000, "": 1},
        "2026-04": {"acme": 2_300_000_000, "beta": 100_000_000},
    }


class TestAggregatedSelect(TestAggregated):
    settings = {  # noqa: RUF012
        "mode": "aggregate",
        "table": None,
        "select": "SELECT org, customer, model, cost, at, ':x %s' AS note FROM usage_log",
        "columns": {
            "org": "org",
            "customer": "customer",
            "cost": "cost",
            "model": "model",
            "time": "at",
        },
    }
