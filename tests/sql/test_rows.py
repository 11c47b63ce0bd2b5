"""Rows of all kinds: orgs of any type, what can't be read, what changes, what stands for many."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nullspend_margins import Period, ServiceUnavailable
from tests.sql.support import COLUMNS, HostTable


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
    ("cost", "9e999999", "no number"),
    ("at", "yesterday", "no time|is none such"),
    ("at", "2026-04-31 10:00:00+02:00", "does not exist|is none such"),
    ("at", 1_775_000_000, "not a time|is none such"),
    ("at", "", "no time|is none such"),
    ("at", "2026-13-01 10:00:00", "does not exist|is none such"),
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
    if str(broken).startswith("2026-13"):
        month = Period.parse("2026-12")
    pulled = [batch async for batch in table.source().pull(None)]
    table.insert(tuple((good | {"id": 77, column: broken}).values()))
    for asking in (
        source.month_costs("org_1", month, month),
        source.model_costs("org_1", "acme", month),
        source.tag_costs("org_1", date(2026, 4, 1)),
    ):
        with pytest.raises(ServiceUnavailable, match=f"sql-usage can't be added up: .*({message})"):
            await asking
    for cursor in (None, pulled[-1].cursor):
        with pytest.raises(ServiceUnavailable, match=f"the id '77': .*({message})") as caught:
            async for _ in table.source().pull(cursor):
                pass
        assert not broken or str(broken) not in caught.value.message


@pytest.mark.parametrize("declared", ["TEXT", "DATETIME", "INTEGER", ""])
@pytest.mark.parametrize(
    "no_time", [1_775_383_200, "1775383200", "04/05/2026", "31/04/2026", "2026/04/05", "20260405"]
)
async def test_no_time_is_passed_over_whatever_the_column_is_declared_as(
    tmp_path: Path, declared: str, no_time: object
) -> None:
    table = HostTable(
        f"sqlite:///{tmp_path}/host.db",
        f"CREATE TABLE usage_log (id INTEGER PRIMARY KEY, org, customer, model, cost, "
        f"at {declared})",
    )
    table.insert((1, "org_1", "acme", "o3", 1, "2026-04-05 10:00:00"))
    [first] = [batch async for batch in table.source().pull(None)]
    table.insert((77, "org_1", "acme", "o3", 1, no_time))
    source, month = table.source(mode="aggregate"), Period.parse("2026-04")
    for asking in (
        source.month_costs("org_1", month, month),
        source.model_costs("org_1", "acme", month),
        source.tag_costs("org_1", date(2026, 4, 1)),
    ):
        with pytest.raises(ServiceUnavailable, match="a time is none such"):
            await asking
    with pytest.raises(ServiceUnavailable, match="the id '77'"):
        async for _ in table.source().pull(first.cursor):
            pass


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


async def test_constants_and_numbers_of_requests_count_the_same_both_ways(
    table: HostTable,
) -> None:
    """``model`` holds how many requests a row stands for; org, model and provider are constants."""
    columns = {
        "customer": "customer",
        "cost": "cost",
        "time": "at",
        "id": "id",
        "requests": "requests",
        "model": "=o3",
        "provider": "=openai",
    }
    settings: dict[str, Any] = {
        "table": None,
        "select": "SELECT id, customer, cost, at, CAST(model AS INT) AS requests FROM usage_log",
        "columns": columns,
        "org": "org_9",
        "unit": "cents",
    }
    table.insert(
        (1, "any", "acme", "3", "5", "2026-04-05 10:00:00+00:00"),
        (2, None, "acme", None, "-2", "2026-04-05 10:00:00+00:00"),
    )
    added, april = table.source(mode="aggregate", **settings), Period.parse("2026-04")
    assert await added.model_costs("org_9", "acme", april) == [("o3", 30_000_000, 3)]
    assert not await added.month_costs("any", april, april)
    pulled = table.source(corrections=True, **settings).pull(None)
    [batch] = [batch async for batch in pulled]
    assert batch.org_id == "org_9"
    assert [(each.provider, each.model, each.request_count) for each in batch.facts] == [
        ("openai", "o3", 3),
        ("openai", "o3", 0),
    ]
    assert sum(each.cost_nanodollars for each in batch.facts) == 30_000_000


@pytest.mark.parametrize("requests", [float("inf"), 1.5, "many"])
async def test_what_is_no_number_of_requests_stops_the_pull_at_its_row(
    tmp_path: Path, requests: object
) -> None:
    table = HostTable(
        f"sqlite:///{tmp_path}/host.db",
        "CREATE TABLE usage_log (id INTEGER PRIMARY KEY, org, customer, model, cost, at, n)",
    )
    insert = "INSERT INTO usage_log VALUES (77, 'org_1', 'acme', 'o3', 1, '2026-04-05', ?)"
    table.execute(insert, [(requests,)])
    source = table.source(corrections=True, columns={**COLUMNS, "requests": "n"})
    with pytest.raises(ServiceUnavailable, match=r"the id '77': .*no whole number"):
        async for _ in source.pull(None):
            pass


async def test_an_id_that_other_rows_have_too_stops_the_pull(table: HostTable) -> None:
    """Else all but the first would be left out in silence."""
    table.insert(
        (1, "org_1", "acme", "o3", "5", "2026-04-05 10:00:00+00:00"),
        (2, "org_2", "acme", "o3", "6", "2026-04-05 10:00:00+00:00"),
        (3, "org_1", "acme", "o3", "7", "2026-04-05 11:00:00+00:00"),
        (4, "org_1", "acme", "o3", "8", "2026-04-05 12:00:00+00:00"),
    )
    columns = {**COLUMNS, "id": "model"}
    found = []
    with pytest.raises(ServiceUnavailable, match=r"the id 'o3': another row has the same\..*all"):
        async for batch in table.source(columns=columns).pull(None):
            found += [(batch.org_id, each.cost_nanodollars) for each in batch.events]
    assert found == [("org_1", 5 * 10**9), ("org_2", 6 * 10**9)]


async def test_a_row_that_a_join_repeats_counts_once(table: HostTable) -> None:
    table.insert((1, "org_1", "acme", "o3", "5", "2026-04-05 10:00:00+00:00"))
    twice = "SELECT * FROM usage_log UNION ALL SELECT * FROM usage_log"
    async for batch in table.source(table=None, select=twice).pull(None):
        assert {each.event_id for each in batch.events} == {"1"}


async def test_another_way_of_following_begins_anew_and_counts_nothing_twice(
    table: HostTable,
) -> None:
    table.insert((1, "org_1", "acme", "o3", "5", "2026-04-05 10:00:00+00:00"))
    [by_time] = [batch async for batch in table.source().pull(None)]
    [by_id] = [batch async for batch in table.source(cursor="id").pull(by_time.cursor)]
    assert by_id.events == by_time.events
