"""Whatever a table holds, adding up in place gives what its rows are, one by one."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nullspend_margins import Period, ServiceUnavailable
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
    exact = Decimal(text) * UNITS[unit]
    return int(exact.to_integral_value(ROUND_HALF_UP))


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


@examples(60)
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


@pytest.mark.parametrize("org", ["BIGINT", "UUID", "TEXT", "CHAR(40)"])
async def test_orgs_of_any_type_are_found_by_their_text_alone(postgres_url: str, org: str) -> None:
    known = {"UUID": "b6a4c1f0-0000-4000-8000-000000000001", "BIGINT": "5"}.get(org, "org_1")
    table = HostTable(
        postgres_url,
        f"CREATE TABLE usage_log (id UUID PRIMARY KEY, org {org}, customer INTEGER, "
        "model TEXT, cost NUMERIC, at DATE)",
    )
    table.insert(("b6a4c1f0-0000-4000-8000-000000000009", known, 7, "o3", 1, "2026-04-01"))
    await found_by_its_text_alone(table, known)


@pytest.mark.parametrize("org", [5, 5.0, "5", "org_1"])
async def test_orgs_in_sqlite_are_found_by_their_text_alone(tmp_path: Path, org: object) -> None:
    table = HostTable(
        f"sqlite:///{tmp_path}/host.db",
        "CREATE TABLE usage_log (id PRIMARY KEY, org, customer, model, cost, at)",
    )
    table.insert(("r1", org, 7, "o3", 1, "2026-04-01"))
    await found_by_its_text_alone(table, str(org))


async def found_by_its_text_alone(table: HostTable, known: str) -> None:
    source, month = table.source(mode="aggregate"), Period.parse("2026-04")
    [cell] = await source.month_costs(known, month, month)
    assert cell == ("7", month.index, 10**9)
    assert await source.model_costs(known, "7", month) == [("o3", 10**9, 1)]
    for other in (f"0{known}", f"{known}.0", known.upper() + "!", "", "9" * 30, "' OR 1=1 --"):
        assert await source.month_costs(other, month, month) == []
    [batch] = [batch async for batch in table.source().pull(None)]
    assert (batch.org_id.strip(), batch.events[0].tag_value) == (known, "7")
    async for _ in table.source().pull(batch.cursor):
        pass


BROKEN = [
    ("cost", "dear", "no number"),
    ("cost", float("inf"), "no number"),
    ("at", "yesterday", "no time|is none such"),
    ("at", "2026-04-31 10:00:00+02:00", "does not exist|is none such"),
    ("at", 1_775_000_000, "not a time|is none such"),
    ("at", "", "no time|is none such"),
]


@pytest.mark.parametrize(("column", "broken", "message"), BROKEN)
async def test_what_cannot_be_counted_is_an_error_and_no_smaller_cost(
    tmp_path: Path, column: str, broken: object, message: str
) -> None:
    table = HostTable(
        f"sqlite:///{tmp_path}/host.db",
        "CREATE TABLE usage_log (id INTEGER PRIMARY KEY, org, customer, model, cost, at)",
    )
    good = {
        "id": 1,
        "org": "org_1",
        "customer": "acme",
        "model": "o3",
        "cost": 1,
        "at": "2026-04-05",
    }
    table.insert(tuple(good.values()))
    source, month = table.source(mode="aggregate"), Period.parse("2026-04")
    pulled = [batch async for batch in table.source().pull(None)]
    table.insert(tuple((good | {"id": 77, column: broken}).values()))
    for asking in (
        source.month_costs("org_1", month, month),
        source.model_costs("org_1", "acme", month),
        source.tag_costs("org_1", month.start.date()),
    ):
        with pytest.raises(ServiceUnavailable, match=f"sql-usage can't be added up: .*({message})"):
            await asking
    for cursor in (None, pulled[-1].cursor):
        with pytest.raises(ServiceUnavailable, match=f"the id '77': .*({message})") as caught:
            async for _ in table.source().pull(cursor):
                pass
        assert not broken or str(broken) not in caught.value.message


async def test_a_negative_row_stops_a_pull_and_guesses_what_is_missing(table: HostTable) -> None:
    table.insert(
        (1, "org_1", "acme", "o3", "1", "2026-04-05 10:00:00+00:00"),
        (2, "org_1", "acme", "o3", "-1", "2026-04-05 11:00:00+00:00"),
    )
    batches = table.source().pull(None)
    assert [each.event_id for each in (await anext(batches)).events] == ["1"]
    with pytest.raises(ServiceUnavailable, match=r"'2': .*corrections = true"):
        await anext(batches)
    [batch] = [batch async for batch in table.source(corrections=True).pull(None)]
    assert sum(each.cost_nanodollars for each in batch.facts) == 0


async def test_a_row_that_changes_replaces_itself_however_old_it_is(table: HostTable) -> None:
    changed = {"id": "id", "org": "org", "customer": "customer", "cost": "cost", "time": "model"}
    is_sqlite = table.url.startswith("sqlite")
    day = "model" if is_sqlite else "CAST(model AS TIMESTAMP)"
    source = table.source(
        table=None,
        select=f"SELECT id, org, customer, cost, at, {day} AS model FROM usage_log",  # noqa: S608
        columns={**changed, "changed": "at"},
        corrections=True,
        overlap_minutes=5,
    )
    table.insert((1, "org_1", "acme", "2025-01-01", "1", "2026-04-01 10:00:00+00:00"))
    table.insert((2, "org_1", "acme", "2026-04-02", "9", "2026-04-02 10:00:00+00:00"))
    [first] = [batch async for batch in source.pull(None)]
    table.execute("UPDATE usage_log SET cost = 3, at = '2026-04-03 10:00:00+00:00' WHERE id = 1")
    [second] = [batch async for batch in source.pull(first.cursor)]
    facts = {each.key: each for each in second.facts}
    assert facts["1"].cost_nanodollars == 3 * 10**9
    assert str(facts["1"].day) == "2025-01-01"
