"""With the indexes that the docs recommend, nothing but the first read looks at every row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from nullspend_margins import Period
from nullspend_margins.testing import FixedClock
from tests.docs.pages import DOCS, read
from tests.sql.support import HostTable, at

DAYS = 400
ROWS_A_DAY = 60
NOW = at("2026-06-30 12:00:00")


@contextmanager
def explained() -> Iterator[list[str]]:
    """The plan of every SELECT from the host's table that is run meanwhile."""
    plans: list[str] = []

    def explain(
        connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: object
    ) -> None:
        if "usage_log" not in statement or " false" in statement or "EXPLAIN" in statement:
            return
        prefix = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        found = connection.exec_driver_sql(prefix + statement, parameters).all()
        plans.append("\n".join(str(row[-1]) for row in found))

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(Engine, "before_cursor_execute", explain)


def scans(plan: str) -> bool:
    """Whether it reads the whole table, or the whole of an index."""
    if "Seq Scan" in plan or re.search(r"\bSCAN (usage_log|host_rows)", plan):
        return True
    bounds = plan.replace(" IS NOT NULL", "")
    return "Index Scan" in plan and re.search(r"Index Cond: .*[=>]", bounds) is None


@pytest.fixture
def filled(table: HostTable) -> HostTable:
    """More than a year, and the indexes of docs/sql-source.md."""
    first = NOW - timedelta(days=DAYS)
    table.insert(
        *(
            (
                day * ROWS_A_DAY + number,
                f"org_{number % 10}",
                f"c{number % 7}",
                "o3",
                "0.01",
                (first + timedelta(days=day, minutes=number)).isoformat(sep=" "),
            )
            for day in range(DAYS)
            for number in range(ROWS_A_DAY)
        )
    )
    indexes = re.findall(r"^CREATE INDEX .+;$", read(DOCS / "sql-source.md"), re.MULTILINE)
    assert len(indexes) == 2
    for statement in indexes:
        table.execute(statement.replace("used_at", "at").replace("org_id", "org"))
    table.execute("ANALYZE usage_log")
    return table


@pytest.mark.parametrize("changes", [{}, {"cursor": "id"}, {"corrections": True}, {"select": True}])
async def test_a_pull_reads_what_is_new_by_an_index(
    filled: HostTable, changes: dict[str, Any]
) -> None:
    if "select" in changes:
        changes = {"table": None, "select": "SELECT * FROM usage_log WHERE customer <> 'c1'"}
    clock = FixedClock(NOW)
    source = filled.source(clock=clock, page_rows=5000, **changes)
    batches = [batch async for batch in source.pull(None)]
    cursors = [batches[9].cursor, batches[-1].cursor]
    assert cursors[0] != cursors[1]
    clock.moment += timedelta(days=1)
    with explained() as plans:
        for cursor in cursors:
            async for _ in source.pull(cursor):
                pass
    assert len(plans) >= 2
    assert [plan for plan in plans if scans(plan)] == []


async def test_without_the_index_the_table_is_scanned(filled: HostTable) -> None:
    """What the other tests look for is there to be found."""
    source = filled.source()
    cursor = [batch async for batch in source.pull(None)][-1].cursor
    for name in ("usage_log_by_time", "usage_log_by_org"):
        filled.execute(f"DROP INDEX {name}")
    with explained() as plans:
        async for _ in source.pull(cursor):
            pass
    assert any(scans(plan) for plan in plans)


async def test_sums_read_the_rows_of_their_org_and_months(filled: HostTable) -> None:
    source = filled.source(mode="aggregate")
    month = Period.parse("2026-05")
    with explained() as plans:
        assert await source.month_costs("org_3", month, month)
        assert await source.model_costs("org_3", "c3", month)
        assert await source.tag_costs("org_3", NOW.date() - timedelta(days=5))
    assert len(plans) == 3
    assert [plan for plan in plans if scans(plan) or "org" not in plan] == []
