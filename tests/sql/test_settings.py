"""What is wrong in ``[plugins.sql]`` is said at the start, with what to do, and no password."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nullspend_margins import ConfigurationError
from nullspend_margins_sql.plugin import register_cost_sources
from nullspend_margins_sql.settings import SqlSettings
from nullspend_margins_sql.urls import engine_url
from tests.sql.support import COLUMNS, context, source

URL = "postgresql://ada:s3cr3t-word@127.0.0.1:9/app"
GOOD: Mapping[str, Any] = {
    "url": URL,
    "table": "app.usage_log",
    "columns": COLUMNS,
    "unit": "dollars",
}
PULLED = {key: name for key, name in COLUMNS.items() if key != "id"}


def start(name: str = "usage", **changes: object) -> list[Any]:
    table = {key: each for key, each in {**GOOD, **changes}.items() if each is not None}
    return list(register_cost_sources(context({name: table})))


def test_nothing_configured_is_nothing_registered() -> None:
    assert register_cost_sources(context({})) == []
    assert SqlSettings().sources == {}


def test_a_source_is_named_after_its_table_and_asks_nothing_at_the_start() -> None:
    sources = {"usage": {**GOOD}, "live": {**GOOD, "mode": "aggregate"}}
    assert [each.name for each in register_cost_sources(context(sources))] == [
        "sql-usage",
        "sql-live",
    ]


MISTAKES: list[tuple[dict[str, object], str]] = [
    ({"columns": {**COLUMNS, "custmer": "x"}}, r"columns\.custmer: .*Did you mean .*customer\?"),
    ({"columns": {**COLUMNS, "cost": None}}, r"columns\.cost: must be a string"),
    ({"columns": {"org": "org"}}, r"columns\.time: is missing"),
    ({"columns": {**COLUMNS, "cost": "=5"}}, "only org, provider and model can be one"),
    ({"columns": {**COLUMNS, "org": "="}}, "a constant without a value"),
    ({"columns": {**COLUMNS, "org": "  "}}, "must be the name of a column"),
    ({"columns": PULLED}, r'no columns\.id: .*would count twice.*mode = "aggregate"'),
    ({"columns": {**COLUMNS, "requests": "n"}}, "columns.requests.*corrections = true"),
    ({"columns": {**COLUMNS, "changed": "at"}}, "columns.changed, which needs corrections"),
    ({"org": "org_1"}, "has both org and columns.org"),
    ({"columns": {**COLUMNS, "org": "=org_1"}, "org": "org_1"}, "both org and columns.org"),
    ({"org": ""}, "must be an org's id"),
    ({"unit": "dolars"}, "Did you mean dollars"),
    ({"unit": None}, r"unit: is missing; it must be one of \"dollars\""),
    ({"select": "SELECT 1"}, "has both table and select"),
    ({"table": None}, "neither table nor select"),
    ({"table": None, "select": "usage_log"}, "begins with SELECT. A table's name goes into table"),
    ({"table": None, "select": "SELECT 1; DELETE FROM x"}, "one statement, without a semicolon"),
    ({"table": None, "select": "DELETE FROM usage_log"}, "begins with SELECT"),
    ({"table": "SELECT * FROM usage_log"}, "is a statement; write it as select"),
    ({"table": "app."}, "name of a table, or schema.table"),
    ({"mode": "aggregated"}, "Did you mean aggregate"),
    ({"mode": "aggregate", "corrections": True}, 'corrections, which is for mode = "pull"'),
    ({"mode": "aggregate", "cursor": "id"}, 'cursor = "id", which is for mode = "pull"'),
    ({"page_rows": 0}, "page_rows: must be at least 1"),
    ({"overlap_minutes": -1}, "overlap_minutes: must be at least 0"),
    ({"overlap": 5}, "Did you mean .*overlap_minutes"),
    ({"url": "usage.db"}, "is no URL"),
    ({"url": "postgresql://ada:s3cr3t-word@host:port/app"}, "must be percent-encoded"),
    ({"url": "postgresql://ada:word@s3cr3t@host/app"}, "must be percent-encoded"),
    ({"url": "sqlite:///host.db"}, "names a relative file; write the whole path"),
    ({"url": "sqlite://"}, "names no file"),
    ({"url": "sqlite:////srv/host.db?mode=ro"}, "has options"),
    ({"url": "sqlite+aiosqlite:////srv/host.db"}, r"asynchronous driver.*leave \+aiosqlite away"),
    ({"url": "postgresql+asyncpg://ada:s3cr3t-word@h/app"}, r"leave \+asyncpg away"),
    ({"url": "duckdb:////srv/host.duck"}, "pip install duckdb-engine"),
    ({"url": "mysql://ada:s3cr3t-word@h/app"}, "needs the driver mysqldb.*pip install mysqlclient"),
    ({"url": "mysql+pymysql://ada:s3cr3t-word@h/app"}, "pip install pymysql"),
    ({"url": "nosuch://ada:s3cr3t-word@h/app"}, "nothing here knows nosuch://"),
]


@pytest.mark.parametrize(("changes", "message"), MISTAKES, ids=[each[1] for each in MISTAKES])
def test_a_mistake_stops_the_start_with_its_key_and_what_to_do(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        start(**changes)
    assert "plugins.sql.sources.usage" in caught.value.message
    assert "s3cr3t" not in repr(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "é", "x" * 61, "-x"])
def test_a_name_that_a_cost_source_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="use 1 to 60 letters"):
        start(name)
    assert start("x" * 60)[0].name == "sql-" + "x" * 60


def test_postgresql_without_psycopg_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    wanted = r'sources\.usage\.url: .*psycopg.*pip install "nullspend-margins\[postgres\]"'
    with pytest.raises(ConfigurationError, match=wanted):
        start()


def test_urls_take_the_driver_that_comes_with_the_product() -> None:
    for written in ("postgres://h/app", "postgresql://h/app", "postgresql+psycopg://h/app"):
        assert engine_url(written, aggregates=True).drivername == "postgresql+psycopg"


def test_only_known_engines_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQL Server's driver is not here; a module in its place lets the URL through to that."""
    monkeypatch.setitem(sys.modules, "pymssql", ModuleType("pymssql"))
    sys.modules["pymssql"].__version__ = "2.3"  # type: ignore[attr-defined]
    assert engine_url("mssql+pymssql://h/app", aggregates=False)
    with pytest.raises(ValueError, match='for mssql set mode = "pull"'):
        engine_url("mssql+pymssql://h/app", aggregates=True)


async def test_names_and_values_are_no_sql(tmp_path: Path) -> None:
    """Names that would break out of their quotes do not."""
    evil = 'x" FROM usage_log; DROP TABLE usage_log; --'
    url = f"sqlite:///{tmp_path}/host.db"
    with closing(sqlite3.connect(tmp_path / "host.db")) as connection:
        quoted = evil.replace('"', '""')
        connection.execute(f'CREATE TABLE "order" (id, org, customer, model, "{quoted}", at)')
        connection.execute(
            """INSERT INTO "order" VALUES ('i''1', 'o''1', 'c%s:x', '?', 5, '2026-04-05')"""
        )
        connection.commit()
    columns = {**COLUMNS, "cost": evil}
    [batch] = [b async for b in source(url, table="order", columns=columns).pull(None)]
    [event] = batch.events
    assert (batch.org_id, event.event_id, event.tag_value) == ("o'1", "i'1", "c%s:x")
    assert event.cost_nanodollars == 5 * 10**9
