"""The proxy's single calls, read from its own tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from nullspend_margins import CostBatch, CostEvent, Margins, Principal, Scope, ServiceUnavailable
from nullspend_margins.testing import FixedClock
from nullspend_margins_litellm.calls import event_of_call
from nullspend_margins_litellm.source import LiteLLMTables
from tests.litellm_plugin.schema import LiteLLMDatabase
from tests.litellm_plugin.support import payload, settings

LOGS = {"read": "spend_logs"}


async def pulled(source: LiteLLMTables, cursor: str | None = None) -> list[CostBatch]:
    return [batch async for batch in source.pull(cursor)]


async def events(tables: LiteLLMDatabase, **table: Any) -> dict[str, CostEvent]:
    source = LiteLLMTables(tables.settings(**LOGS, **table))
    return {
        f"{batch.org_id}:{event.event_id}": event
        for batch in await pulled(source)
        for event in batch.events
    }


async def test_a_row_is_the_same_event_as_the_callbacks(tables: LiteLLMDatabase) -> None:
    metadata = {
        "user_api_key_team_alias": "Acme",
        "usage_object": {"prompt_tokens_details": {"cached_tokens": 3}},
    }
    tables.calls({"request_id": "r", "at": "2026-04-05T10:00", "metadata": metadata})
    ((name, event),) = (await events(tables)).items()
    assert name == "org_1:call-r"
    assert (event.tag_value, event.provider, event.model) == ("acme", "openai", "gpt-4o")
    assert event.cost_nanodollars == 1_000_000
    assert event.occurred_at == datetime(2026, 4, 5, 10, tzinfo=UTC)
    assert (event.input_tokens, event.output_tokens, event.cached_input_tokens) == (10, 20, 3)
    assert "secret" not in repr(event)


async def test_a_name_in_utf8_is_read_as_it_was_meant(tables: LiteLLMDatabase) -> None:
    """The proxy has taken the bytes of the header for Latin-1."""
    spelt = "Łódź".encode().decode("latin-1")
    tables.calls({"request_id": "r", "at": "2026-04-05T10:00", "end_user": spelt})
    ((_, event),) = (await events(tables)).items()
    assert event.tag_value == "Łódź"


async def test_margins_are_no_cost_and_cache_hits_and_failures_cost_nothing(
    tables: LiteLLMDatabase,
) -> None:
    at = "2026-04-05T10:00"
    breakdown = {"cost_breakdown": {"margin_total_amount": 0.25, "discount_amount": 0.5}}
    tables.calls(
        {"request_id": "margin", "at": at, "spend": 1.25, "metadata": breakdown},
        {"request_id": "cached", "at": at, "spend": 1.0, "cache_hit": "True"},
        {"request_id": "failed", "at": at, "spend": 0.0, "status": "failure"},
        {"request_id": "billed", "at": at, "spend": 0.1 + 0.2, "status": "failure"},
    )
    costs = {name: event.cost_nanodollars for name, event in (await events(tables)).items()}
    assert costs == {
        "org_1:call-margin": 1_000_000_000,
        "org_1:call-cached": 0,
        "org_1:call-billed": 300_000_000,
    }


async def test_older_rows_have_their_call_id_elsewhere_or_none(tables: LiteLLMDatabase) -> None:
    at, none = "2026-04-05T10:00", {"litellm_call_id": None}
    tables.calls(
        {"request_id": "a", "at": at, **none, "metadata": {"litellm_call_id": "call-of-a"}},
        {"request_id": "b", "at": at, **none},
    )
    assert set(await events(tables)) == {"org_1:call-of-a", "org_1:b"}


async def test_customers_and_orgs_are_those_of_the_keys_where_they_decide(
    tables: LiteLLMDatabase,
) -> None:
    at = "2026-04-05T10:00"
    tables.execute(
        'INSERT INTO "LiteLLM_VerificationToken" (token, metadata)'
        """ VALUES ('hash-1', '{"customer": "acme-by-key"}')"""
    )
    tables.calls(
        {"request_id": "a", "at": at, "team_id": "t", "end_user": "rival"},
        {"request_id": "b", "at": at, "organization_id": "o", "end_user": "rival"},
        {"request_id": "c", "at": at, "team_id": "nobody's", "end_user": "rival"},
    )
    table = {"org": None, "orgs": {"t": "org_1", "o": "org_2"}}
    for choice, tag in (("key_alias", "key-of-acme"), ("key_metadata", "acme-by-key")):
        found = await events(tables, customer=choice, **table)
        assert {name: event.tag_value for name, event in found.items()} == {
            "org_1:call-a": tag,
            "org_2:call-b": tag,
        }


async def test_pages_go_on_where_the_last_one_ended(tables: LiteLLMDatabase) -> None:
    """Rows of the same millisecond are told apart by their ids."""
    tables.calls(*({"request_id": f"r{n}", "at": "2026-04-05T10:00"} for n in range(10)))
    source = LiteLLMTables(tables.settings(**LOGS), page_rows=3)
    batches = await pulled(source)
    assert [len(batch.events) for batch in batches] == [3, 3, 3, 1]
    rest = await pulled(source, batches[1].cursor)
    late = [event.event_id for batch in rest for event in batch.events]
    assert sorted(set(late)) == [f"call-r{n}" for n in range(10)]  # an hour back is read again
    assert await pulled(source, batches[-1].cursor) != []


async def test_late_rows_are_found_and_older_ones_are_not_read_again(
    tables: LiteLLMDatabase,
) -> None:
    tables.calls(
        {"request_id": "old", "at": "2026-04-05T08:00"},
        {"request_id": "new", "at": "2026-04-05T10:00"},
    )
    source = LiteLLMTables(tables.settings(**LOGS, late_minutes=30))
    cursor = (await pulled(source))[-1].cursor
    tables.calls(
        {"request_id": "late", "at": "2026-04-05T09:31"},
        {"request_id": "too-late", "at": "2026-04-05T09:29"},
    )
    (batch,) = await pulled(source, cursor)
    assert [event.event_id for event in batch.events] == ["call-late", "call-new"]
    assert batch.cursor == cursor


async def test_behind_a_row_of_the_future_the_present_is_still_read(
    tables: LiteLLMDatabase,
) -> None:
    clock = FixedClock(datetime(2026, 4, 5, 10, 30, tzinfo=UTC))
    source = LiteLLMTables(tables.settings(**LOGS), clock=clock)
    tables.calls(
        {"request_id": "now", "at": "2026-04-05T10:00"},
        {"request_id": "future", "at": "2027-01-01T00:00"},
    )
    batches = await pulled(source)
    assert {event.event_id for batch in batches for event in batch.events} == {
        "call-now",
        "call-future",
    }
    tables.calls({"request_id": "next", "at": "2026-04-05T10:40"})
    again = await pulled(source, batches[-1].cursor)
    assert "call-next" in {event.event_id for batch in again for event in batch.events}


async def test_rows_of_nobodys_are_not_read_again_and_again(tables: LiteLLMDatabase) -> None:
    tables.calls(
        {"request_id": "a", "at": "2026-04-05T10:00", "team_id": "t"},
        {"request_id": "b", "at": "2026-04-06T10:00"},
    )
    source = LiteLLMTables(tables.settings(**LOGS, org=None, orgs={"t": "org_1"}))
    cursor = (await pulled(source))[-1].cursor
    assert "2026-04-06" in cursor
    assert await pulled(source, cursor) == []


async def test_history_ends_where_the_callback_begins(tables: LiteLLMDatabase) -> None:
    tables.calls(
        {"request_id": "before", "at": "2026-04-05T23:59:59.999"},
        {"request_id": "after", "at": "2026-04-06T00:00"},
    )
    assert set(await events(tables, read_before="2026-04-06")) == {"org_1:call-before"}


async def test_a_row_that_can_not_be_counted_does_not_stop_the_others(
    tables: LiteLLMDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    at = "2026-04-05T10:00"
    tables.calls(
        {"request_id": "a", "at": at, "spend": 2e6},
        {"request_id": "b", "at": at, "spend": float("nan")},
    )
    assert set(await events(tables)) == {"org_1:call-b"}
    assert "row 'a' is not counted" in caplog.text


async def test_a_table_that_is_not_there_is_not_an_empty_one(own_tables: LiteLLMDatabase) -> None:
    own_tables.execute('DROP TABLE "LiteLLM_SpendLogs"')
    with pytest.raises(ServiceUnavailable, match="no table LiteLLM_SpendLogs that may be"):
        await events(own_tables)


async def test_a_column_that_is_needed_and_not_there_is_named(own_tables: LiteLLMDatabase) -> None:
    own_tables.execute('ALTER TABLE "LiteLLM_SpendLogs" DROP COLUMN spend')
    with pytest.raises(ServiceUnavailable, match="LiteLLM_SpendLogs has no column spend"):
        await events(own_tables)


async def test_an_older_proxys_table_will_do(own_tables: LiteLLMDatabase) -> None:
    gone = ("litellm_call_id", "status", "session_id", "organization_id")
    own_tables.calls({"request_id": "a", "at": "2026-04-05T10:00"})
    drops = ", ".join(f'DROP COLUMN "{name}"' for name in gone)
    own_tables.execute(f'ALTER TABLE "LiteLLM_SpendLogs" {drops}')
    assert set(await events(own_tables)) == {"org_1:a"}


class Everybody:
    name = "everybody"

    async def authenticate(self, scope: Scope) -> Principal:
        return Principal(org_id="org_1", user_id="ada", role="viewer")


async def test_a_call_that_the_callback_has_counted_counts_once(
    tables: LiteLLMDatabase, sqlite_url: str
) -> None:
    at = "2026-04-05T10:00"
    tables.calls({"request_id": "a", "at": at}, {"request_id": "b", "at": at, "spend": 0.002})
    plugin = {"org": "org_1", "read": "spend_logs", "database_url": tables.reading_url}
    tables_of_product = {
        "database": {"url": sqlite_url},
        "plans": {"orgs": {"org_1": "pro"}},
        "plugins": {"litellm": plugin},
    }
    margins = Margins(tables_of_product, plugins=[Everybody()], clock=FixedClock())
    host = httpx.AsyncClient(transport=httpx.ASGITransport(margins.app), base_url="http://host")
    async with margins.lifespan(), host:
        event = event_of_call(payload(litellm_call_id="call-a"), "acme", settings())
        assert await margins.ingest("org_1", [event], source="litellm") == 1
        await (await margins.services()).sync.pull_costs()
        assert await margins.ingest("org_1", [event], source="litellm") == 0
        found = (await host.get("/api/margins/unmatched")).json()["data"]["unmappedTagValues"]
    assert found == [{"tagValue": "acme", "totalCostMicrodollars": 3_230, "requestCount": 2}]
