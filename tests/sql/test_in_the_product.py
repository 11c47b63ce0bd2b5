"""Margins over HTTP: of a table that is pulled, and of one that is added up in place."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import ended, process
from tests.sql.support import COLUMNS, HostTable
from tests.world import World, unix, world

ROWS = [
    # id, org, customer, model, cost in dollars, at
    (1, "org_1", "acme", "gpt-4o", "12.34567891234", "2026-10-31 23:59:59.999999+00:00"),
    (2, "org_1", "acme", "o3", "70", "2026-11-01 00:00:00+00:00"),
    (3, "org_1", "acme", "o3", "0.0000005", "2026-11-01 05:29:59+05:30"),  # still October
    (4, "org_1", "beta", "gpt-4o", "0.1", "2026-11-02 10:00:00+00:00"),
    (5, "org_1", "beta", "gpt-4o", "0.2", "2026-11-02 10:00:00+00:00"),
    (6, "org_1", None, "gpt-4o", "3", "2026-11-03 10:00:00+00:00"),
    (7, "org_1", "lone", "o3", "4", "2026-11-03 10:00:00+00:00"),
    (8, "org_2", "acme", "o3", "999", "2026-11-03 10:00:00+00:00"),
    (9, "org_1", "acme", None, None, "2026-11-03 10:00:00+00:00"),  # not priced yet
]
READS = (
    "/api/margins?period=2026-11",
    "/api/margins?period=2026-10",
    "/api/margins/acme?period=2026-11",
    "/api/margins/beta?period=2026-10",
    "/api/margins/unmatched",
)
CUSTOMERS = {"cus_1": "acme", "cus_2": "beta"}
AGGREGATED = {"mode": "aggregate"}


@asynccontextmanager
async def product(database_url: str, host_url: str, **settings: object) -> AsyncIterator[World]:
    """The product with one source, two paying customers, and everything synced."""
    source = {"url": host_url, "table": "usage_log", "columns": COLUMNS, "unit": "dollars"}
    plugins = {"sql": {"sources": {"usage": {**source, **settings}}}}
    async with world(database_url, tables=plugins) as here:
        for customer in CUSTOMERS:
            here.account.add_customer(customer, name=customer)
            here.account.add_invoice(customer, 10_000, created=unix(2026, 11, 3))
        await here.connect()
        await here.sync()
        for customer, tag in CUSTOMERS.items():
            await here.map(customer, tag)
        yield here


@pytest.fixture
def own_url(sqlite_url: str, postgres_url: str, host_url: str) -> str:
    """Margins' database: in PostgreSQL the same one as the host's."""
    return sqlite_url if host_url.startswith("sqlite") else host_url


async def test_both_ways_show_the_same_margins(
    table: HostTable, own_url: str, sqlite_template: Path, tmp_path: Path
) -> None:
    table.insert(*ROWS)
    answers = []
    for number, settings in enumerate(({"page_rows": 2}, {"corrections": True}, AGGREGATED)):
        copied = tmp_path / f"{number}.db"
        shutil.copy(sqlite_template, copied)
        url = own_url if settings is AGGREGATED else f"sqlite:///{copied}"
        async with product(url, table.url, **settings) as here:
            for _ in range(2):
                assert (await here.cron()).json()["data"]["errors"] == 0
            answers.append([await here.get(path) for path in READS])
    assert answers[0] == answers[1] == answers[2]
    november, october, _, _, unmatched = answers[0]
    assert costs(november) == {"acme": 70_000_000, "beta": 300_000}
    assert costs(october)["acme"] == 12_345_679  # and half a microdollar of the third row
    found = {
        row["tagValue"]: row["totalCostMicrodollars"] for row in unmatched["unmappedTagValues"]
    }
    assert found == {"lone": 4_000_000}


def costs(table: Any) -> dict[str, int]:
    return {row["tagValue"]: row["costMicrodollars"] for row in table["customers"]}


async def test_a_database_that_does_not_answer_is_503_and_never_a_smaller_cost(
    table: HostTable, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    table.insert(*ROWS)
    async with product(sqlite_url, table.url, mode="aggregate") as here:
        whole = await here.get(READS[0])
        await asyncio.to_thread(table.execute, "ALTER TABLE usage_log RENAME TO gone")
        for path in READS:
            answer = await here.call("GET", path)
            assert answer.status_code == 503, path
            error = answer.json()["error"]
            assert error["code"] == "service_unavailable"
            assert (
                error["message"] == "The cost source sql-usage does not answer; the log says why."
            )
        assert (await here.call("GET", READS[0], headers={"Accept": "text/csv"})).status_code == 503
        await asyncio.to_thread(table.execute, "ALTER TABLE gone RENAME TO usage_log")
        assert await here.get(READS[0]) == whole
    told = [each for each in caplog.messages if each.startswith("cost source sql-usage: ")]
    assert len(told) == 1
    assert "usage_log" in told[0]


async def test_a_pull_that_fails_leaves_what_was_copied(
    table: HostTable, sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    table.insert(*ROWS)
    async with product(sqlite_url, table.url) as here:
        await here.cron()
        whole = await here.get(READS[0])
        await asyncio.to_thread(table.execute, "ALTER TABLE usage_log RENAME TO gone")
        await here.cron()
        assert await here.get(READS[0]) == whole
    assert any("cost source sql-usage stopped: " in each for each in caplog.messages)


SERVED = """
[database]
url = "sqlite:///served.db"
[plans.orgs]
org_1 = "pro"
[plugins.sql.sources.usage]
url = "env:HOST_URL"
table = "usage_log"
unit = "dollars"
[plugins.sql.sources.usage.columns]
"""
UNREACHABLE = """
[plugins.sql.sources.live]
url = "postgresql://nobody@127.0.0.1:9/nothing"
table = "nothing"
unit = "cents"
mode = "aggregate"
[plugins.sql.sources.live.columns]
"""
TOML_COLUMNS = "".join(f'{key} = "{name}"\n' for key, name in COLUMNS.items())


@dataclass(frozen=True, slots=True)
class Commands:
    """The command line over one configuration."""

    config: Path
    host_url: str

    def run(self, *words: object) -> str:
        with process(*words, "--config", self.config, HOST_URL=self.host_url) as running:
            found = ended(running)
        assert found.status == 0, found.err
        return found.out

    def get(self, path: str, cookie: str) -> httpx.Response:
        """One request to ``serve``."""
        serve = ("serve", "--config", self.config, "--port", 0)
        with process(*serve, HOST_URL=self.host_url) as server:
            assert server.stdout is not None
            [url] = re.findall(r"http://\S+", server.stdout.readline())
            answer = httpx.get(url + path, headers={"Cookie": cookie}, trust_env=False)
            server.terminate()
            assert "Traceback" not in ended(server).err
        return answer


def test_the_command_line_pulls_and_serves_and_asks_nothing_at_its_start(
    table: HostTable, tmp_path: Path
) -> None:
    now = datetime.now(UTC).isoformat(sep=" ")
    table.insert(*((*row[:5], now) for row in ROWS))
    commands = Commands(tmp_path / "margins.toml", table.url)
    commands.config.write_text(SERVED + TOML_COLUMNS + UNREACHABLE + TOML_COLUMNS)
    assert "cost source sql-usage, cost source sql-live" in commands.run("plugins")
    commands.run("sync")
    cookie = commands.run("session", "--org", "org_1", "--user", "ada", "--role", "admin").strip()
    refused = commands.get("/api/margins/unmatched", cookie)
    assert refused.status_code == 503
    assert "sql-live" in refused.json()["error"]["message"]
    commands.config.write_text(SERVED + TOML_COLUMNS)
    answer = commands.get("/api/margins/unmatched", cookie)
    found = {each["tagValue"] for each in answer.json()["data"]["unmappedTagValues"]}
    assert found == {"acme", "beta", "lone"}
