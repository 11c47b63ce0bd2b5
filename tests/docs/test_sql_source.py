"""The two examples of docs/sql-source.md, from the host's table to what people see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import tomli

from nullspend_margins import Margins, Principal
from nullspend_margins.testing import FixedClock
from tests.docs.taken import taken
from tests.sql.support import HostTable

PULL, AGGREGATE = taken("toml", page="sql-source.md")
CREATE, *INDEXES = taken("sql", page="sql-source.md")
ROWS = [
    (1, "org_1", "Acme Corp", "gpt-4o", "0.01", "2026-04-03 10:00:00+00:00"),
    (2, "org_1", "Acme Corp", "o3", "0.0000005", "2026-04-05 10:00:00+00:00"),
    (3, "org_1", None, "o3", "7", "2026-04-05 11:00:00+00:00"),
    (4, "org_2", "Acme Corp", "o3", "9", "2026-04-06 10:00:00+00:00"),
]
TIMER = {"Authorization": "Bearer a-secret-of-this-test"}


class Everybody:
    """A host's people."""

    name = "everybody"

    async def authenticate(self, scope: Any) -> Principal:
        return Principal(org_id="org_1", user_id="ada", role="admin")


@pytest.fixture(params=["sqlite", "postgresql"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HostTable]:
    """The table of the page with some rows, its indexes, and the customers of the second."""
    url, create = f"sqlite:///{tmp_path}/host.db", CREATE.text
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        create = create.replace("used_at TEXT", "used_at TIMESTAMPTZ")
    table = HostTable(url, create)
    for block in INDEXES:
        table.execute(block.text)
    table.execute("CREATE TABLE customers (name TEXT, slug TEXT)")
    table.execute("INSERT INTO customers VALUES ('Acme Corp', 'acme-corp')")
    table.insert(*ROWS)
    return table


async def unmapped(example: str, host: HostTable, folder: Path) -> dict[str, int]:
    """Costs that no mapping has a customer for yet, after the timer's call."""
    config = tomli.loads(example.replace('"env:HOST_DATABASE_URL"', f'"{host.url}"'))
    config["database"] = {"url": f"sqlite:///{folder}/margins.db"}
    config["cron"] = {"secret": "a-secret-of-this-test"}
    config["plans"] = {"orgs": {"org_1": "pro"}}
    margins = Margins(config, plugins=[Everybody()], clock=FixedClock())
    transport = httpx.ASGITransport(margins.app)
    async with (
        margins.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://host") as client,
    ):
        for _ in range(2):  # the second time nothing is new
            timer = await client.get("/api/stripe/revenue-sync", headers=TIMER)
            assert timer.json()["data"]["errors"] == 0
        found = (await client.get("/api/margins/unmatched")).json()["data"]
    return {each["tagValue"]: each["totalCostMicrodollars"] for each in found["unmappedTagValues"]}


async def test_the_pulled_table_is_in_the_product(host: HostTable, tmp_path: Path) -> None:
    assert await unmapped(PULL.text, host, tmp_path) == {"Acme Corp": 10_001}


async def test_the_table_that_is_added_up_is_in_the_product(
    host: HostTable, tmp_path: Path
) -> None:
    assert await unmapped(AGGREGATE.text, host, tmp_path) == {"acme-corp": 10_001}


def test_the_indexes_are_named_after_the_columns_of_the_page() -> None:
    columns = set(re.findall(r"^  (\w+)", CREATE.text, re.MULTILINE))
    for block in INDEXES:
        [named] = re.findall(r"ON usage_log \((.+)\)", block.text)
        assert set(named.split(", ")) <= columns
