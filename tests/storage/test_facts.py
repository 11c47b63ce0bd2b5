"""Cost facts: whatever is corrected, the rollups are what adding everything up again gives."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from nullspend_margins.domain.cost import CostEvent, CostFact
from nullspend_margins.domain.period import day_number
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import insert_events
from nullspend_margins.storage.facts import (
    FactChanges,
    compare_facts,
    fact_keys,
    remove_facts,
    replace_facts,
)
from nullspend_margins.storage.tables import cost_events, cost_facts, cost_model_days, cost_months
from tests.storage.builders import NOW, ORG, event, fact, rows

_orgs = count()

facts = st.builds(
    lambda key, cost, tag, model, day, requests: fact(
        key,
        cost,
        tag_value=tag,
        model=model,
        day=date(2026, 10, 25) + timedelta(days=day),
        request_count=requests,
    ),
    st.sampled_from("abcd"),
    st.integers(-50, 50),
    st.sampled_from(["", "acme", "zeta"]),
    st.sampled_from(["m1", "m2"]),
    st.integers(0, 12),
    st.integers(0, 3),
)
events = st.builds(
    lambda number, cost, tag: event(f"e{number}", cost, tag_value=tag),
    st.integers(0, 5),
    st.integers(0, 50),
    st.sampled_from(["", "acme"]),
)
batches = st.lists(
    st.tuples(
        st.sampled_from(["bill", "daily"]),
        st.lists(facts, max_size=5),
        st.lists(events, max_size=3),
    ),
    max_size=6,
)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=batches)
async def test_rollups_equal_a_recomputation_after_any_corrections(
    database: Database, batches: list[tuple[str, list[CostFact], list[CostEvent]]]
) -> None:
    org_id = f"org_{next(_orgs)}"
    for source, some_facts, some_events in batches:

        def store(
            tx: Connection, source: str = source, *, what: Any = (some_facts, some_events)
        ) -> None:
            replace_facts(tx, org_id, source, what[0], NOW)
            insert_events(tx, org_id, source, what[1], NOW)

        await database.write(store)
    stored_months, stored_days, months, days = await database.read(
        lambda tx: (rows(tx, cost_months, org_id), rows(tx, cost_model_days, org_id),
                    *_recomputed(tx, org_id))
    )  # fmt: skip
    assert stored_months == months
    assert stored_days == days


def _recomputed(tx: Connection, org_id: str) -> tuple[list[Any], list[Any]]:
    """The rollups from raw events and facts, less the cells that come to nothing."""
    months: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    days: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    for day, source, provider, model, tag, cost, requests in _everything(tx, org_id):
        of_day = date(1970, 1, 1) + timedelta(days=day)
        month = of_day.year * 12 + of_day.month - 1
        for cell in (months[month, tag], days[day, tag, source, provider, model]):
            cell[0] += cost
            cell[1] += requests
    return tuple(  # type: ignore[return-value]
        sorted(((*key, *cell) for key, cell in cells.items() if cell != [0, 0]), key=repr)
        for cells in (months, days)
    )


def _everything(tx: Connection, org_id: str) -> Iterable[tuple[Any, ...]]:
    f, e = cost_facts.c, cost_events.c
    yield from tx.execute(
        select(
            f.day, f.source, f.provider, f.model, f.tag_value, f.cost_nanodollars, f.request_count
        ).where(f.org_id == org_id)
    )
    found = tx.execute(
        select(e.occurred_at, e.source, e.provider, e.model, e.tag_value, e.cost_nanodollars).where(
            e.org_id == org_id
        )
    )
    for occurred_at, *rest in found:
        yield (day_number(occurred_at), *rest, 1)


async def test_the_same_facts_again_change_nothing(database: Database) -> None:
    given_facts = [fact("a"), fact("b", -5)]

    def store(tx: Connection) -> int:
        return replace_facts(tx, ORG, "bill", given_facts, NOW)

    assert await database.write(store) == 2
    assert await database.write(store) == 0


async def test_of_two_facts_with_one_key_the_later_wins(database: Database) -> None:
    await database.write(
        lambda tx: replace_facts(tx, ORG, "bill", [fact("a", 1), fact("a", 2)], NOW)
    )
    assert [row[2] for row in await database.read(lambda tx: rows(tx, cost_months))] == [2]


async def test_a_fact_that_moves_leaves_no_trace_where_it_was(database: Database) -> None:
    first = fact("a", 10, tag_value="acme", request_count=4)
    moved = replace(first, tag_value="zeta", model="other", day=date(2026, 10, 1))
    for each in (first, moved):
        await database.write(lambda tx, each=each: replace_facts(tx, ORG, "bill", [each], NOW))
    assert await database.read(lambda tx: rows(tx, cost_months)) == [(24321, "zeta", 10, 4)]
    assert len(await database.read(lambda tx: rows(tx, cost_model_days))) == 1


async def test_a_fact_may_change_from_one_end_of_a_cell_to_the_other(database: Database) -> None:
    full, empty = ([fact(key, sign * 2**62) for key in "ab"] for sign in (1, -1))
    full[1] = replace(full[1], cost_nanodollars=2**62 - 1)
    for facts in (full, empty, full):
        await database.write(lambda tx, facts=facts: replace_facts(tx, ORG, "b", facts, NOW))
        total = sum(each.cost_nanodollars for each in facts)
        assert [row[2] for row in await database.read(lambda tx: rows(tx, cost_months))] == [total]


async def test_facts_of_two_sources_or_orgs_do_not_replace_each_other(database: Database) -> None:
    def store(tx: Connection) -> None:
        replace_facts(tx, ORG, "bill", [fact("a", 1)], NOW)
        replace_facts(tx, ORG, "daily", [fact("a", 2)], NOW)
        replace_facts(tx, "org_2", "bill", [fact("a", 4)], NOW)

    await database.write(store)
    assert [row[2] for row in await database.read(lambda tx: rows(tx, cost_months))] == [3]


async def test_writers_that_replace_the_same_facts_at_the_same_time_agree(
    database: Database,
) -> None:
    def store(number: int) -> Any:
        mine = [fact(key, number * 10, tag_value=f"t{number % 3}") for key in "abc"]
        return database.write(lambda tx: replace_facts(tx, ORG, "bill", mine, NOW))

    await asyncio.gather(*(store(number) for number in range(16)))
    stored, (months, _) = await database.read(
        lambda tx: (rows(tx, cost_months), _recomputed(tx, ORG))
    )
    assert stored == months
    assert len(stored) == 1


async def test_what_would_change_is_told_before(database: Database) -> None:
    some = [fact("a"), fact("b", -5), fact("c")]
    await database.write(lambda tx: replace_facts(tx, ORG, "bill", some[:2], NOW))
    some[1] = replace(some[1], request_count=7)
    told = await database.read(lambda tx: compare_facts(tx, ORG, "bill", some))
    assert told == FactChanges(new=1, changed=1)


async def test_facts_that_are_removed_leave_no_trace(database: Database) -> None:
    kept, gone = [fact("kept", 3)], [fact(f"gone {n}", n - 300) for n in range(600)]

    def work(tx: Connection) -> int:
        replace_facts(tx, ORG, "bill", [*kept, *gone], NOW)
        replace_facts(tx, ORG, "other", gone[:1], NOW)
        return remove_facts(tx, ORG, "bill", [*(each.key for each in gone), "never there"])

    assert await database.write(work) == 600
    found = await database.read(
        lambda tx: (rows(tx, cost_months), rows(tx, cost_model_days), *_recomputed(tx, ORG))
    )
    assert found[:2] == found[2:]
    assert found[0] == [(24322, "acme", 3 - 300, 2)]


async def test_keys_of_days_are_read_some_at_a_time(database: Database) -> None:
    days = [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1)]
    some = [fact(f"{day} {n}", day=day) for day in days for n in "ab"]
    await database.write(lambda tx: replace_facts(tx, ORG, "bill", some, NOW))
    await database.write(lambda tx: replace_facts(tx, ORG, "other", [fact("x")], NOW))
    november = range(day_number(days[1]), day_number(days[3]))
    found, after = [], ""
    while keys := await database.read(
        lambda tx, after=after: fact_keys(tx, ORG, "bill", november, after, 3)
    ):
        found.append(keys)
        after = keys[-1]
    assert found == [
        ["2026-11-01 a", "2026-11-01 b", "2026-11-30 a"],
        ["2026-11-30 b"],
    ]
