"""Cost events and rollups: exactly once, and nothing lost on the way."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, text

from nullspend_margins.domain.cost import MAX_COST_NANODOLLARS, ModelCost, TagCost
from nullspend_margins.domain.period import Months, Period, day_number
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.storage import costs
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import (
    StoredEvent,
    insert_events,
    orgs_with_events,
    prune_events,
)
from nullspend_margins.storage.facts import replace_facts
from nullspend_margins.storage.one_customer import read_customer
from nullspend_margins.storage.rollups import RollupOverflow
from nullspend_margins.storage.tables import cost_events, cost_model_days, cost_months
from tests.storage.builders import NOVEMBER, NOW, ORG, event, fact, rows

SINCE = day_number(NOW) - 90


async def test_an_event_is_counted_once_however_often_it_comes(database: Database) -> None:
    def submit(tx: Connection, *ids: str) -> list[StoredEvent]:
        return insert_events(tx, ORG, "api", [event(each) for each in ids], NOW)

    first = await database.write(lambda tx: submit(tx, "b", "a", "b"))
    later = NOW + timedelta(hours=1)
    again = await database.write(
        lambda tx: insert_events(tx, ORG, "api", [event("c"), event("b")], later)
    )
    assert [each.inserted for each in first] == [True, True, False]
    assert first[2].id == first[0].id != first[1].id
    assert again[0].inserted
    assert again[0].created_at == later
    assert again[1] == first[2]
    assert again[1].created_at == NOW
    [month] = await database.read(lambda tx: costs.month_costs(tx, ORG, Months(NOVEMBER, NOVEMBER)))
    assert month == {"acme": 3_000}


async def test_the_same_id_of_another_source_or_org_is_another_event(database: Database) -> None:
    def work(tx: Connection) -> list[bool]:
        return [
            insert_events(tx, org, source, [event("a")], NOW)[0].inserted
            for org, source in ((ORG, "api"), (ORG, "proxy"), ("org_2", "api"), (ORG, "api"))
        ]

    assert await database.write(work) == [True, True, True, False]


async def test_no_events_are_no_work(database: Database) -> None:
    assert await database.write(lambda tx: insert_events(tx, ORG, "api", [], NOW)) == []


async def test_every_field_of_an_event_is_kept(database: Database) -> None:
    full = event(
        'it\'s \u001f "quoted" \\ %s ? 日本',
        input_tokens=2**53 - 1,
        output_tokens=2,
        cached_input_tokens=3,
        reasoning_tokens=4,
        duration_ms=5,
        session_id="s",
        trace_id="t",
        event_type="llm",
        tool_name="n",
        tool_server="v",
        reported_source="sdk",
        tags={"team": "ä%s"},
        cost_breakdown={"input": 1.5, "nested": {"x": [1, None]}},
        occurred_at=datetime(2026, 11, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))),
    )
    await database.write(lambda tx: insert_events(tx, ORG, "api", [full], NOW))
    ((source, event_id, _, occurred_at, created_at, *rest),) = await database.read(
        lambda tx: rows(tx, cost_events)
    )
    assert (source, event_id, created_at) == ("api", full.event_id, NOW)
    assert (occurred_at, occurred_at.utcoffset()) == (full.occurred_at, timedelta(0))
    assert rest[:8] == ["openai", "gpt-4o", 1_000, "acme", 2**53 - 1, 2, 3, 4]
    assert rest[8:15] == [5, "s", "t", "llm", "n", "v", "sdk"]
    assert rest[15:] == [{"team": "ä%s"}, {"input": 1.5, "nested": {"x": [1, None]}}]


async def test_an_event_belongs_to_its_month_in_utc(database: Database) -> None:
    new_year_in_sydney = datetime(2027, 1, 1, 5, tzinfo=timezone(timedelta(hours=11)))
    await database.write(
        lambda tx: insert_events(tx, ORG, "api", [event("a", occurred_at=new_year_in_sydney)], NOW)
    )
    december = Period.parse("2026-12")
    months = Months(NOVEMBER, december.shift(1))
    found = await database.read(lambda tx: costs.month_costs(tx, ORG, months))
    assert found == [{}, {"acme": 1_000}, {}]
    days = await database.read(lambda tx: rows(tx, cost_model_days))
    assert days[0][0] == day_number(datetime(2026, 12, 31, tzinfo=UTC))


async def test_reads_give_what_was_asked_for_and_nothing_of_others(database: Database) -> None:
    october, september = NOVEMBER.shift(-1), NOVEMBER.shift(-2)

    def fill(tx: Connection) -> None:
        mine = [
            event("1", 10, model="a"),
            event("2", 20, model="b", provider="anthropic"),
            event("3", 30, model="a", provider="azure"),
            event("4", 40, occurred_at=october.start),
            event("5", 50, tag_value=""),
            event("6", 60, tag_value="zeta"),
            event("7", 70, occurred_at=september.start - timedelta(seconds=1)),
        ]
        insert_events(tx, ORG, "api", mine, NOW)
        insert_events(tx, ORG, "proxy", [event("1", 1, model="a")], NOW)
        insert_events(tx, "org_2", "api", [event("1", 999)], NOW)

    await database.write(fill)
    months = Months(september, NOVEMBER)
    table = await database.read(lambda tx: costs.month_costs(tx, ORG, months))
    assert table == [{}, {"acme": 40}, {"": 50, "acme": 61, "zeta": 60}]
    one = await database.read(
        lambda tx: costs.customer_month_costs(tx, ORG, "acme", september, NOVEMBER)
    )
    assert one == {october.index: 40, NOVEMBER.index: 61}
    found = await database.read(
        lambda tx: read_customer(tx, ORG, "customer", "acme", months, "invoiced")
    )
    assert found.model_costs == [ModelCost("a", 41, 3), ModelCost("b", 20, 1)]
    assert await database.read(orgs_with_events) == [ORG, "org_2"]


async def test_recent_costs_begin_on_the_very_day(database: Database) -> None:
    first_day = datetime(2026, 8, 22, tzinfo=UTC)
    assert day_number(first_day) == SINCE
    events = [
        event("before", 1, tag_value="old", occurred_at=first_day - timedelta(microseconds=1)),
        event("first", 2, tag_value="edge", occurred_at=first_day),
        event("end", 4, occurred_at=datetime(2026, 8, 31, 23, 59, tzinfo=UTC)),
        event("next", 8, occurred_at=datetime(2026, 9, 1, tzinfo=UTC)),
        event("now", 16),
        event("tomorrow", 32, occurred_at=NOW + timedelta(days=1)),
        event("nobody", 64, tag_value=""),
    ]
    await database.write(lambda tx: insert_events(tx, ORG, "api", events, NOW))
    assert await database.read(lambda tx: costs.tag_costs(tx, ORG, SINCE)) == [
        TagCost("acme", 60, 4),
        TagCost("edge", 2, 1),
    ]


async def test_sums_of_full_cells_do_not_overflow(database: Database) -> None:
    full = 2**62 - 1
    facts = [
        fact(f"{sign}{month}{model}", sign * full, model=model, day=period.start.date(),
             tag_value="rich" if sign > 0 else "credited")
        for month, period in enumerate((NOVEMBER, NOVEMBER.shift(-1), NOVEMBER.shift(-2)))
        for sign in (1, -1)
        for model in (["a"] if sign > 0 else ["a", "b"])
    ]  # fmt: skip
    await database.write(lambda tx: replace_facts(tx, ORG, "bill", facts, NOW))
    assert await database.read(lambda tx: costs.tag_costs(tx, ORG, SINCE)) == [
        TagCost("credited", -6 * full, 6),
        TagCost("rich", 3 * full, 3),
    ]


@pytest.mark.parametrize("filled_by", ["facts", "event"])
async def test_a_cell_that_would_overflow_refuses_and_keeps_nothing(
    database: Database, filled_by: str
) -> None:
    nearly = [fact("a", 2**62), fact("b", 2**62 - 1)]
    await database.write(lambda tx: replace_facts(tx, ORG, "bill", nearly, NOW))
    before = await database.read(lambda tx: rows(tx, cost_months))

    def add(tx: Connection) -> None:
        if filled_by == "event":
            insert_events(tx, ORG, "api", [event("x", 1), event("y", 1)], NOW)
        else:
            replace_facts(tx, ORG, "bill", [fact("c", 2**62)], NOW)

    with pytest.raises(RollupOverflow, match="full") as raised:
        await database.write(add)
    assert isinstance(raised.value, ValidationFailed)
    assert await database.read(lambda tx: rows(tx, cost_months)) == before
    assert await database.read(lambda tx: rows(tx, cost_events)) == []


async def test_facts_that_overflow_among_themselves_are_refused(database: Database) -> None:
    facts = [fact(str(number), 2**62) for number in range(5)]
    with pytest.raises(RollupOverflow):
        await database.write(lambda tx: replace_facts(tx, ORG, "bill", facts, NOW))


async def test_the_dearest_events_fit_a_batch(database: Database) -> None:
    batch = [event(str(number), MAX_COST_NANODOLLARS) for number in range(1000)]
    await database.write(lambda tx: insert_events(tx, ORG, "api", batch, NOW))
    found = await database.read(
        lambda tx: costs.customer_month_costs(tx, ORG, "acme", NOVEMBER, NOVEMBER)
    )
    assert found == {NOVEMBER.index: 1000 * MAX_COST_NANODOLLARS}


async def test_pruning_forgets_old_events_and_keeps_their_costs(database: Database) -> None:
    events = [event(f"{age:02d}", occurred_at=NOW - timedelta(days=age)) for age in range(20)]

    def fill(tx: Connection) -> None:
        insert_events(tx, ORG, "api", events[::2], NOW)
        insert_events(tx, ORG, "proxy", events[1::2], NOW)
        insert_events(tx, "org_2", "api", events, NOW)

    await database.write(fill)
    before = NOW - timedelta(days=9)
    gone = [await database.write(lambda tx: prune_events(tx, ORG, before, 6)) for _ in range(3)]
    assert gone == [6, 4, 0]
    left = await database.read(lambda tx: rows(tx, cost_events))
    assert sorted(row[1] for row in left) == [f"{age:02d}" for age in range(10)]
    assert len(await database.read(lambda tx: rows(tx, cost_events, "org_2"))) == 20
    assert (await database.read(lambda tx: rows(tx, cost_months)))[0][2:] == (20_000, 20)


async def test_a_cursor_is_what_was_last_saved(database: Database) -> None:
    assert await database.read(lambda tx: costs.load_cursor(tx, "s")) is None
    for cursor in ("one", "two"):
        await database.write(lambda tx, cursor=cursor: costs.save_cursor(tx, "s", cursor, NOW))
    assert await database.read(lambda tx: costs.load_cursor(tx, "s")) == "two"


async def test_overlapping_batches_at_the_same_time_neither_deadlock_nor_count_twice(
    database: Database,
) -> None:
    """Every batch has events and cells in common with every other, each in its own order."""
    chance = random.Random(7)
    attempts = 0

    def submit(batch: list[str]) -> object:
        def work(tx: Connection) -> int:
            nonlocal attempts
            attempts += 1
            events = [event(each, int(each), tag_value=f"t{int(each) % 5}") for each in batch]
            return sum(row.inserted for row in insert_events(tx, ORG, "api", events, NOW))

        return database.write(work)

    batches = [[str(n) for n in chance.sample(range(60), 40)] for _ in range(24)]
    inserted = await asyncio.gather(*map(submit, batches))
    distinct = {int(each) for batch in batches for each in batch}
    assert sum(inserted) == len(distinct)
    assert attempts == len(batches)  # nothing was rolled back and tried again
    [month] = await database.read(lambda tx: costs.month_costs(tx, ORG, Months(NOVEMBER, NOVEMBER)))
    assert sum(month.values()) == sum(distinct)


async def test_an_event_pruned_while_it_comes_again_is_new_again(database: Database) -> None:
    await database.write(lambda tx: insert_events(tx, ORG, "api", [event("a")], NOW))
    await database.write(lambda tx: prune_events(tx, ORG, NOW + timedelta(days=1), 10))
    (again,) = await database.write(lambda tx: insert_events(tx, ORG, "api", [event("a")], NOW))
    assert again.inserted


async def test_the_margin_table_is_read_from_one_index_range(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await database.start()
    plan = await database.read(
        lambda tx: tx.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT tag_value, month, cost_nanodollars "
                "FROM margins_cost_months WHERE org_id = 'o' AND month BETWEEN 1 AND 3"
            )
        ).all()
    )
    await database.close()
    assert "USING PRIMARY KEY (org_id=? AND month>? AND month<?)" in plan[0][3]
