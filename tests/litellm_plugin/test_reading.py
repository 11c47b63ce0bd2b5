"""The proxy's database is only read, by its indexes, and not for long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest

from nullspend_margins import ConfigurationError, Secret, ServiceUnavailable
from nullspend_margins_litellm.cursors import decoded
from nullspend_margins_litellm.daily import Position
from nullspend_margins_litellm.reading import PostgresReader, Row
from nullspend_margins_litellm.source import LiteLLMTables
from tests.docs.taken import taken
from tests.litellm_plugin.schema import LiteLLMDatabase

[READING_ROLE] = taken("sql", page="litellm.md")
_MANY_CALLS = """
INSERT INTO "LiteLLM_SpendLogs" (request_id, call_type, "startTime", "endTime", spend, model)
SELECT 'r' || n, 'c', '2026-01-01'::timestamp + n * interval '1 minute', now(), 0.001, 'm'
FROM generate_series(1, 20000) n
"""
_MANY_DAYS = """
INSERT INTO "{table}" (id, {who}, date, api_key, model, spend, updated_at)
SELECT 'r' || n, 'c' || n % 100, ('2026-01-01'::date + n / 2000)::text, 'k', 'm', 0.001,
  '2026-01-01'::timestamp + n * interval '10 minute'
FROM generate_series(1, 20000) n
"""


class Explaining:
    """Notes how PostgreSQL goes about each question."""

    def __init__(self, tables: LiteLLMDatabase) -> None:
        self._reader = PostgresReader(Secret(tables.reading_url))
        self.plans: list[str] = []

    async def rows(self, statement: str, values: Mapping[str, object]) -> Sequence[Row]:
        if "LiteLLM_" in statement:
            plan = await self._reader.rows(f"EXPLAIN (COSTS OFF) {statement}", values)
            self.plans.append("\n".join(row["QUERY PLAN"] for row in plan))
        return await self._reader.rows(statement, values)


async def ask(explaining: Explaining, tables: LiteLLMDatabase, **table: Any) -> None:
    source = LiteLLMTables(tables.settings(**table), reader=explaining)
    cursor = [batch async for batch in source.pull(None)][-1].cursor
    assert [batch async for batch in source.pull(cursor)] != []


async def test_single_calls_are_read_along_their_index(tables: LiteLLMDatabase) -> None:
    tables.execute(_MANY_CALLS)
    tables.execute('ANALYZE "LiteLLM_SpendLogs"')
    explaining = Explaining(tables)
    await ask(explaining, tables, read="spend_logs")
    assert len(explaining.plans) > 20
    for plan in explaining.plans:
        assert 'Index Scan using "LiteLLM_SpendLogs_startTime_' in plan
        assert "Seq Scan" not in plan


async def test_daily_sums_are_read_along_their_index(tables: LiteLLMDatabase) -> None:
    for table, who in (
        ("LiteLLM_DailyEndUserSpend", "end_user_id"),
        ("LiteLLM_DailyUserSpend", "user_id"),
    ):
        tables.execute(_MANY_DAYS.format(table=table, who=who))
        tables.execute(f'ANALYZE "{table}"')
    explaining = Explaining(tables)
    await ask(explaining, tables)
    assert len(explaining.plans) > 30
    assert [plan for plan in explaining.plans if "Seq Scan" in plan] == []


async def test_a_question_may_not_write(tables: LiteLLMDatabase) -> None:
    """Not even the owner's: the transaction is read-only."""
    reader = PostgresReader(Secret(tables.url))
    with pytest.raises(ServiceUnavailable, match="read-only transaction"):
        await reader.rows('DELETE FROM "LiteLLM_SpendLogs" RETURNING 1', {})


async def test_a_question_has_a_time_limit(tables: LiteLLMDatabase) -> None:
    (row,) = await PostgresReader(Secret(tables.url)).rows("SHOW statement_timeout", {})
    assert row == {"statement_timeout": "1min"}


async def test_no_transaction_is_open_while_a_batch_is_stored(tables: LiteLLMDatabase) -> None:
    tables.calls({"request_id": "a", "at": "2026-04-05T10:00"})
    source = LiteLLMTables(tables.settings(read="spend_logs"))
    async for _ in source.pull(None):
        with psycopg.connect(tables.url) as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name = 'nullspend-margins' AND xact_start IS NOT NULL"
            ).fetchone()
            assert found == (0,)


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("127.0.0.1:9/db", "port 9 failed: Connection refused"),
        ("127.0.0.1:nine/db", 'invalid integer value "nine"'),
        ("127.0.0.1:9/db?sslrootcert=hush&sslmode=verify-full", ""),
    ],
)
async def test_the_log_says_why_and_neither_it_nor_an_error_tells_the_url(
    place: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ServiceUnavailable, match="does not answer; the log says why") as caught:
        await PostgresReader(Secret(f"postgresql://u:hush@{place}")).rows("SELECT 1", {})
    assert reason in caplog.text
    assert "hush" not in f"{caught.value} {caught.value.__cause__} {caplog.text}"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "url", ["u:hu sh@h/db", "u:hu%sh@h/db", "u:hu@sh@h/db", "u:hush@h/db?pool_size=5"]
)
def test_a_url_that_the_driver_does_not_take_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"database_url: .* percent-encoded") as caught:
        PostgresReader(Secret(f"postgresql://{url}"))
    assert "hu" not in str(caught.value)


async def test_the_role_of_the_page_may_read_all_that_is_needed(tables: LiteLLMDatabase) -> None:
    tables.execute("DROP ROLE IF EXISTS margins_reading")
    tables.execute(READING_ROLE.text)
    try:
        reader = PostgresReader(Secret(tables.url.replace("postgres@", "margins_reading@")))
        for table in ({"read": "daily"}, {"read": "spend_logs", "customer": "key_metadata"}):
            source = LiteLLMTables(tables.settings(**table), reader=reader)
            assert [batch async for batch in source.pull(None)] == []
    finally:
        tables.execute("DROP OWNED BY margins_reading; DROP ROLE margins_reading")


@pytest.mark.parametrize(
    "cursor", ["call-7", "42", '{"kind": 3}', '{"kind": "daily", "seen": "today"}']
)
def test_a_cursor_of_another_source_is_told_of(cursor: str) -> None:
    with pytest.raises(ServiceUnavailable, match="cursor of LiteLLM's costs can't be read"):
        decoded(cursor, Position)
