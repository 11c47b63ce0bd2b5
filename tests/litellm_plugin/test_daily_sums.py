"""The proxy's daily sums: facts that grow in place, and nobody's share of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import pytest

from nullspend_margins import CostBatch, CostFact, ServiceUnavailable
from nullspend_margins_litellm.source import LiteLLMTables
from tests.litellm_plugin.schema import LiteLLMDatabase

ALL_CALLS = "LiteLLM_DailyUserSpend"


async def pulled(source: LiteLLMTables, cursor: str | None = None) -> list[CostBatch]:
    return [batch async for batch in source.pull(cursor)]


def facts(batches: Iterable[CostBatch]) -> dict[str, CostFact]:
    """What is stored in the end."""
    return {fact.key: fact for batch in batches for fact in batch.facts}


def costs(batches: Iterable[CostBatch]) -> dict[tuple[str, str], int]:
    """Nanodollars by day and tag value; what costs nothing is left out."""
    found: dict[tuple[str, str], int] = {}
    for fact in facts(batches).values():
        key = (fact.day.isoformat(), fact.tag_value)
        found[key] = found.get(key, 0) + fact.cost_nanodollars
    return {key: cost for key, cost in found.items() if cost}


async def test_a_row_is_a_fact_of_its_customer(tables: LiteLLMDatabase) -> None:
    tables.days({"id": "a", "date": "2026-04-05", "spend": 0.1 + 0.2, "end_user_id": "acme"})
    (batch,) = await pulled(LiteLLMTables(tables.settings()))
    (fact,) = batch.facts
    assert batch.org_id == "org_1"
    assert (fact.tag_value, fact.provider, fact.model) == ("acme", "openai", "gpt-4o")
    assert (fact.day, fact.cost_nanodollars) == (date(2026, 4, 5), 300_000_000)
    assert fact.request_count == 1


async def test_calls_without_an_end_user_are_nobodys(tables: LiteLLMDatabase) -> None:
    """Of 5 dollars of all calls, 3 have a customer."""
    day = {"date": "2026-04-05"}
    tables.days(
        {"id": "a", **day, "spend": 1.0, "end_user_id": "acme"},
        {"id": "b", **day, "spend": 2.0, "end_user_id": "globex"},
    )
    tables.days(
        {"id": "a", **day, "spend": 4.5, "user_id": "u", "api_requests": 5},
        {"id": "b", **day, "spend": 0.5, "user_id": None, "model": "o3"},
        {"id": "c", "date": "2026-04-07", "spend": 0.25, "user_id": None},
        table=ALL_CALLS,
    )
    batches = await pulled(LiteLLMTables(tables.settings()))
    assert costs(batches) == {
        ("2026-04-05", "acme"): 1_000_000_000,
        ("2026-04-05", "globex"): 2_000_000_000,
        ("2026-04-05", ""): 2_000_000_000,
        ("2026-04-07", ""): 250_000_000,
    }
    nobody = {
        (fact.day.day, fact.model): fact.request_count
        for fact in facts(batches).values()
        if not fact.tag_value
    }
    assert nobody == {(5, "gpt-4o"): 3, (5, "o3"): 1, (7, "gpt-4o"): 1}


async def test_a_sum_of_all_calls_that_is_behind_takes_nothing_away(
    tables: LiteLLMDatabase,
) -> None:
    day = {"date": "2026-04-05"}
    tables.days({"id": "a", **day, "spend": 2.0, "end_user_id": "acme", "api_requests": 2})
    tables.days({"id": "a", **day, "spend": 1.0, "user_id": "u"}, table=ALL_CALLS)
    batches = await pulled(LiteLLMTables(tables.settings()))
    assert costs(batches) == {("2026-04-05", "acme"): 2_000_000_000}


async def test_sums_that_grew_are_written_again_and_others_are_not(
    tables: LiteLLMDatabase,
) -> None:
    tables.days(
        {"id": "a", "date": "2026-04-05", "spend": 1.0, "end_user_id": "acme"},
        {"id": "b", "date": "2026-04-05", "spend": 2.0, "end_user_id": "globex"},
        {"id": "c", "date": "2026-04-06", "spend": 3.0, "end_user_id": "globex"},
    )
    source = LiteLLMTables(tables.settings())
    cursor = (await pulled(source))[-1].cursor
    tables.execute(
        "UPDATE \"LiteLLM_DailyEndUserSpend\" SET spend = 5.0, updated_at = '2026-04-06T13:00'"
        " WHERE id = 'a'"
    )
    again = await pulled(source, cursor)
    assert costs(again) == {
        ("2026-04-05", "acme"): 5_000_000_000,
        ("2026-04-06", "globex"): 3_000_000_000,  # within minutes of the newest change
    }
    assert costs(await pulled(source, again[-1].cursor)) == {("2026-04-05", "acme"): 5_000_000_000}


async def test_nobodys_share_is_written_when_it_changed(tables: LiteLLMDatabase) -> None:
    """The proxy writes its tables one after the other: what was nobody's may find its customer."""
    day = {"date": "2026-04-05"}
    tables.days({"id": "a", **day, "spend": 1.0, "user_id": "u"}, table=ALL_CALLS)
    source = LiteLLMTables(tables.settings())
    first = await pulled(source)
    assert costs(first) == {("2026-04-05", ""): 1_000_000_000}
    assert await pulled(source, first[-1].cursor) == []
    tables.days({"id": "a", **day, "spend": 1.0, "end_user_id": "acme"})
    second = await pulled(source, first[-1].cursor)
    assert costs([*first, *second]) == {("2026-04-05", "acme"): 1_000_000_000}


async def test_late_days_are_read_again_and_older_ones_are_not(tables: LiteLLMDatabase) -> None:
    tables.days({"id": "a", "date": "2026-04-10", "spend": 1.0, "end_user_id": "acme"})
    source = LiteLLMTables(tables.settings(late_days=2))
    cursor = (await pulled(source))[-1].cursor
    changed = {"updated_at": datetime.fromisoformat("2026-04-10T13:00"), "end_user_id": "late"}
    tables.days(
        {"id": "b", "date": "2026-04-08", "spend": 2.0, **changed},
        {"id": "c", "date": "2026-04-07", "spend": 4.0, **changed},
        {"id": "d", "date": "2026-04-11", "spend": 8.0, **changed},
    )
    found = costs(await pulled(source, cursor))
    assert {day for day, tag in found if tag == "late"} == {"2026-04-08", "2026-04-11"}


@pytest.mark.parametrize("page_rows", [1, 2, 1000])
async def test_from_every_cursor_the_rest_comes(tables: LiteLLMDatabase, page_rows: int) -> None:
    tables.days(
        *(
            {"id": f"{d}{n}", "date": f"2026-04-0{d}", "spend": 1.0, "end_user_id": f"c{n}"}
            for d in range(1, 7)
            for n in range(2)
        )
    )
    tables.days(
        *(
            {"id": f"{d}{n}", "date": f"2026-04-0{d}", "spend": 2.0, "user_id": f"u{n}"}
            for d in range(1, 7)
            for n in range(2)
        ),
        table=ALL_CALLS,
    )
    source = LiteLLMTables(tables.settings(), page_rows=page_rows)
    batches = await pulled(source)
    assert max(len(batch.facts) for batch in batches) <= page_rows
    whole = costs(batches)
    assert sum(whole.values()) == 24_000_000_000
    for number, batch in enumerate(batches, start=1):
        assert costs([*batches[:number], *await pulled(source, batch.cursor)]) == whole


async def test_history_ends_where_the_callback_begins(tables: LiteLLMDatabase) -> None:
    rows: list[dict[str, Any]] = [
        {"id": d, "date": f"2026-04-{d}", "spend": 1.0, "end_user_id": "acme"} for d in ("05", "06")
    ]
    tables.days(*rows)
    source = LiteLLMTables(tables.settings(read_before="2026-04-06"))
    assert costs(await pulled(source)) == {("2026-04-05", "acme"): 1_000_000_000}


async def test_sums_and_single_calls_are_never_both_read(tables: LiteLLMDatabase) -> None:
    tables.calls({"request_id": "a", "at": "2026-04-05T10:00"})
    tables.days({"id": "a", "date": "2026-04-05", "spend": 0.001, "end_user_id": "acme"})
    sums = LiteLLMTables(tables.settings())
    calls = LiteLLMTables(tables.settings(read="spend_logs"))
    for one, other in ((sums, calls), (calls, sums)):
        cursor = (await pulled(one))[-1].cursor
        with pytest.raises(ServiceUnavailable, match="they would count twice"):
            await pulled(other, cursor)
    with pytest.raises(ServiceUnavailable, match="can't be read"):
        await pulled(sums, "7")


async def test_without_the_tables_of_sums_the_single_calls_are_read(
    own_tables: LiteLLMDatabase,
) -> None:
    own_tables.calls({"request_id": "a", "at": "2026-04-05T10:00"})
    own_tables.execute('DROP TABLE "LiteLLM_DailyEndUserSpend"')
    (batch,) = await pulled(LiteLLMTables(own_tables.settings()))
    assert [event.event_id for event in batch.events] == ["call-a"]


async def test_orgs_and_customers_by_key_are_read_from_the_single_calls(
    tables: LiteLLMDatabase,
) -> None:
    tables.calls({"request_id": "a", "at": "2026-04-05T10:00"})
    for table in ({"customer": "key_alias"}, {"orgs": {"t": "org_2"}}):
        (batch,) = await pulled(LiteLLMTables(tables.settings(**table)))
        assert len(batch.events) == 1
