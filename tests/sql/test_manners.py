"""How a source behaves in somebody else's database."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from nullspend_margins import Period, ServiceUnavailable
from tests.sql.support import HostTable, source

APRIL = Period.parse("2026-04")


async def test_it_can_read_and_not_write(table: HostTable) -> None:
    made = table.source(mode="aggregate")
    with pytest.raises(ServiceUnavailable):
        await made._database.ask(lambda tx: tx.execute(text("DELETE FROM usage_log")))


async def test_a_query_ends_at_its_time(table: HostTable, tmp_path: Path) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) "
        "SELECT 'org_1' AS org, 'c' AS customer, i AS cost, '2026-04-05' AS at, i AS id, "
        "'m' AS model FROM n"
    )
    if table.url.startswith("postgresql"):
        endless = endless.replace("'2026-04-05' AS", "TIMESTAMP '2026-04-05' AS")
        endless = endless.replace("i AS cost", "i::bigint AS cost").replace(
            "i + 1", "i + 1 + 0*length(pg_sleep(0)::text)"
        )
    made = table.source(mode="aggregate", table=None, select=endless, timeout_seconds=1)
    started = time.monotonic()
    with pytest.raises(ServiceUnavailable):
        await made.month_costs("org_1", APRIL, APRIL)
    assert time.monotonic() - started < 15


def test_a_missing_sqlite_file_is_not_made(tmp_path: Path) -> None:
    made = source(f"sqlite:///{tmp_path}/none.db", mode="aggregate")
    with pytest.raises(ServiceUnavailable):
        asyncio.run(made.month_costs("org_1", APRIL, APRIL))
    assert list(tmp_path.iterdir()) == []


async def test_a_sqlite_file_that_another_replaces_is_not_read_on(tmp_path: Path) -> None:
    table = HostTable(f"sqlite:///{tmp_path}/host.db")
    other = HostTable(f"sqlite:///{tmp_path}/other.db")
    table.insert((1, "org_1", "acme", "o3", 1, "2026-04-05"))
    other.insert((1, "org_1", "acme", "o3", 2, "2026-04-05"))
    made = table.source(mode="aggregate")
    [before] = await made.month_costs("org_1", APRIL, APRIL)
    (tmp_path / "other.db").replace(tmp_path / "host.db")
    [after] = await made.month_costs("org_1", APRIL, APRIL)
    assert (before.cost_nanodollars, after.cost_nanodollars) == (10**9, 2 * 10**9)
    (tmp_path / "host.db").unlink()
    await _problem(made)


async def test_neither_password_nor_values_are_told(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    table = HostTable(
        postgres_url,
        "CREATE TABLE usage_log (id INT PRIMARY KEY, org TEXT, "
        "customer TEXT, model TEXT, cost TEXT, at TIMESTAMP)",
    )
    table.insert((1, "org_1", "private-customer", "m", "private-value", "2026-04-05"))
    url = postgres_url.replace("postgres@", "postgres:s3cr3t-word@")
    problems = [
        await _problem(source(where, **changes))
        for changes in ({"mode": "aggregate"}, {}, {"table": "nothing"})
        for where in (url, "postgresql://ada:s3cr3t-word@127.0.0.1:9/app")
    ]
    found = "\n".join([*map(repr, problems), caplog.text])
    assert len(problems) == 6
    assert "private" not in found
    assert "s3cr3t" not in found
    assert 'relation "nothing" does not exist' in caplog.text
    assert "cost source sql-usage: OperationalError connection failed" in caplog.text


async def _problem(made: Any) -> ServiceUnavailable:
    with pytest.raises(ServiceUnavailable) as caught:
        if hasattr(made, "pull"):
            async for _ in made.pull(None):
                pass
        else:
            await made.month_costs("org_1", APRIL, APRIL)
    return caught.value


async def test_a_server_that_restarts_is_found_again(postgres_url: str) -> None:
    table = HostTable(postgres_url)
    table.insert((1, "org_1", "acme", "o3", 1, "2026-04-05"))
    made = table.source(mode="aggregate")
    first = await made.month_costs("org_1", APRIL, APRIL)
    table.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    assert await made.month_costs("org_1", APRIL, APRIL) == first


async def test_costs_of_a_type_that_is_no_number_are_refused(postgres_url: str) -> None:
    table = HostTable(
        postgres_url,
        "CREATE TABLE usage_log (id INT PRIMARY KEY, org TEXT, "
        "customer TEXT, model TEXT, cost MONEY, at TEXT)",
    )
    for changes in ({"mode": "aggregate"}, {}):
        problem = await _problem(table.source(**changes))
        assert "its column 'cost' is of a type that is no cost" in problem.message


async def test_a_nan_is_an_error(postgres_url: str) -> None:
    table = HostTable(postgres_url)
    table.insert((1, "org_1", "acme", "o3", "NaN", "2026-04-05"))
    assert "a cost is no number" in (await _problem(table.source(mode="aggregate"))).message
    assert "the id '1'" in (await _problem(table.source())).message
