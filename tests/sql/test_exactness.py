"""Whatever a table holds, adding up in place gives what its rows are, one by one."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nullspend_margins import Period, round_half_up
from tests.properties.profile import examples
from tests.sql.support import HostTable

FIRST, LAST = Period.parse("2026-03"), Period.parse("2026-05")
EARLIEST = datetime(2026, 2, 27, tzinfo=UTC)
UNITS = {"dollars": 10**9, "cents": 10**7, "microdollars": 1000, "nanodollars": 1}

COSTS = st.one_of(
    st.integers(-(10**6), 10**6),
    st.floats(-1e6, 1e6, allow_nan=False, width=64),
    st.decimals(-(10**6), 10**6, places=12).map(str),
)
MOMENTS = st.one_of(
    st.integers(0, 95 * 86_400).map(lambda seconds: EARLIEST + timedelta(seconds=seconds)),
    st.sampled_from([FIRST, FIRST.shift(1), LAST, LAST.shift(1)]).flatmap(
        lambda month: st.integers(-(10**6), 10**6).map(
            lambda number: month.start + timedelta(microseconds=number)
        )
    ),
)
ZONES = st.integers(-14 * 4, 14 * 4).map(lambda number: timezone(timedelta(minutes=15 * number)))
WAYS_TO_WRITE = (
    lambda moment, zone: moment.astimezone(zone).isoformat(sep=" "),
    lambda moment, zone: moment.astimezone(zone).isoformat(),
    lambda moment, zone: moment.replace(tzinfo=None).isoformat(sep=" "),
    lambda moment, zone: moment.replace(tzinfo=None).isoformat() + "Z",
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["org_1", "org_2"]),
        st.sampled_from(["acme", "beta", "", None]),
        st.sampled_from(["o3", "gpt-4o", "", None]),
        COSTS,
        MOMENTS,
        ZONES,
        st.sampled_from(WAYS_TO_WRITE),
    ),
    max_size=12,
)


def whole(cost: object, unit: str) -> int:
    text = repr(cost) if isinstance(cost, float) else str(cost)
    return round_half_up(*(Decimal(text) * UNITS[unit]).as_integer_ratio())


async def check(table: HostTable, rows: Sequence[tuple[Any, ...]], unit: str) -> None:
    """Months, models and tags against the rows, and against what a pull makes of them."""
    source = table.source(mode="aggregate", unit=unit)
    facts = [
        (batch.org_id, fact.tag_value, fact.model, Period.containing(fact.day), fact)
        async for batch in table.source(corrections=True, unit=unit, page_rows=5).pull(None)
        for fact in batch.facts
    ]
    for org_id in ("org_1", "org_2"):
        expected: Counter[tuple[str, int]] = Counter()
        pulled: Counter[tuple[str, int]] = Counter()
        for org, customer, _, cost, moment, *_ in rows:
            month = Period.containing(moment)
            if org == org_id and FIRST <= month <= LAST:
                expected[customer or "", month.index] += whole(cost, unit)
        for org, tag, _, month, fact in facts:
            if org == org_id and FIRST <= month <= LAST:
                pulled[tag, month.index] += fact.cost_nanodollars
        found = await source.month_costs(org_id, FIRST, LAST)
        assert {(tag, month): cost for tag, month, cost in found} == expected == pulled
        for tag, month in expected:
            models = await source.model_costs(org_id, tag, Period(month))
            assert sum(each.cost_nanodollars for each in models) == expected[tag, month]
            assert {each.model for each in models} <= {"o3", "gpt-4o", "unknown"}
        since = FIRST.start.date() + timedelta(days=20)
        tags = await source.tag_costs(org_id, since)
        recent = [
            (tag, fact) for org, tag, _, _, fact in facts if org == org_id and fact.day >= since
        ]
        counted = Counter(tag for tag, _ in recent)
        assert {each.tag_value: each.request_count for each in tags} == counted


HALVES = [
    ("org_1", customer, "o3", cost, FIRST.start, UTC, WAYS_TO_WRITE[1])
    for customer, cost in (("acme", "-2.5"), ("acme", "-2.5"), ("beta", "2.5"), ("", "-0.5"))
]
"""Of a nanodollar: those of negative costs go up, as all amounts of the product do."""


@examples(60)
@example(HALVES, "nanodollars")
@example([(*row[:3], float(row[3]), *row[4:]) for row in HALVES], "nanodollars")
@example([("org_1", "acme", "o3", 4 * 10**9, FIRST.start, UTC, WAYS_TO_WRITE[1])] * 4, "dollars")
@example(
    [
        ("org_1", "acme", "o3", 1, datetime(2026, 4, 30, 23, 59, 59, 999900, UTC), UTC, each)
        for each in WAYS_TO_WRITE
    ],
    "dollars",
)
@given(ROWS, st.sampled_from(list(UNITS)))
def test_sqlite_adds_up_what_the_rows_are(rows: Sequence[tuple[Any, ...]], unit: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = HostTable(
            f"sqlite:///{Path(folder)}/host.db",
            "CREATE TABLE usage_log (id INTEGER PRIMARY KEY, org, customer, model, cost, at)",
        )
        insert(table, rows)
        asyncio.run(check(table, rows, unit))


@pytest.mark.parametrize("cost", ["NUMERIC", "DOUBLE PRECISION", "TEXT", "BIGINT"])
@pytest.mark.parametrize("at", ["TIMESTAMPTZ", "TIMESTAMP"])
def test_postgresql_adds_up_what_the_rows_are(postgres_url: str, cost: str, at: str) -> None:
    drop = "DROP TABLE IF EXISTS usage_log; "

    @examples(6)
    @example(HALVES, "nanodollars")
    @given(ROWS, st.sampled_from(list(UNITS)))
    def holds(rows: Sequence[tuple[Any, ...]], unit: str) -> None:
        kept = [row for row in rows if cost != "BIGINT" or isinstance(row[3], int)]
        if cost == "DOUBLE PRECISION":
            kept = [(*row[:3], float(row[3]), *row[4:]) for row in kept]
        if at == "TIMESTAMP":
            kept = [(*row[:6], WAYS_TO_WRITE[2]) for row in kept]
        table = HostTable(
            postgres_url,
            drop + "CREATE TABLE usage_log (id BIGINT PRIMARY KEY, org TEXT, customer TEXT, "
            f"model VARCHAR(50), cost {cost}, at {at})",
        )
        table.execute("SET TIME ZONE 'UTC'")
        insert(table, kept, zone="Z" if at == "TIMESTAMPTZ" else "")
        asyncio.run(check(table, kept, unit))

    holds()


def insert(table: HostTable, rows: Sequence[tuple[Any, ...]], zone: str = "") -> None:
    written = []
    for number, (org, customer, model, cost, moment, offset, write) in enumerate(rows):
        text = write(moment, offset)
        naive = zone and datetime.fromisoformat(text).tzinfo is None
        written.append((number, org, customer, model, cost, text + zone if naive else text))
    if written:
        table.insert(*written)
