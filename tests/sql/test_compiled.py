"""The SQL of engines that no test runs on, and what holds for all."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine import Dialect

from nullspend_margins import Period, Secret
from nullspend_margins_sql import pages
from nullspend_margins_sql.cursors import Key
from nullspend_margins_sql.kinds import Kinds
from nullspend_margins_sql.relation import Relation, relation_of
from nullspend_margins_sql.settings import Columns, SourceSettings
from nullspend_margins_sql.sums import Adding, ServerAdding, Span
from nullspend_margins_sql.sums_sqlite import SqliteAdding
from tests.sql.support import COLUMNS

MARCH = Period.parse("2026-03")
SPAN = Span(MARCH.start, MARCH.end)
KINDS: Kinds = {"org": "text", "at": "aware", "cost": "float", "customer": "text", "model": "text"}


def relation(**columns: str) -> Relation:
    return relation_of(
        SourceSettings(
            url=Secret("sqlite://"),
            table="app.usage_log",
            columns=Columns(**{**COLUMNS, **columns}),
            unit="cents",
            mode="aggregate",
        )
    )


def questions(adding: Adding) -> list[Select[Any]]:
    return [
        adding.months("org_1", SPAN),
        adding.models("org_1", "acme", SPAN),
        adding.tags("org_1", Span(MARCH.start, None)),
    ]


def written(statement: Select[Any], dialect: Dialect) -> str:
    return re.sub(r"\s+", " ", str(statement.compile(dialect=dialect)))


ENGINES: list[tuple[Any, Dialect]] = [
    (lambda found: ServerAdding(found, "cents", "mysql", None), mysql.dialect()),
    (lambda found: ServerAdding(found, "cents", "postgresql", KINDS), postgresql.dialect()),
    (lambda found: SqliteAdding(found, "cents"), sqlite.dialect()),
]


@pytest.mark.parametrize(("adding", "dialect"), ENGINES, ids=["mysql", "postgresql", "sqlite"])
def test_the_org_comes_first_in_every_query_and_each_groups_once(
    adding: Any, dialect: Dialect
) -> None:
    for statement in questions(adding(relation())):
        found = written(statement, dialect)
        assert re.search(r"WHERE \(*(app\.)?usage_log\.org = ", found), found
        assert found.count("GROUP BY") == 1
    for statement in questions(adding(relation(org="=org_1"))):
        assert "usage_log.org" not in written(statement, dialect)


def test_mysql_adds_up_decimals_in_utc_months_and_tells_capitals_apart() -> None:
    found = written(questions(ServerAdding(relation(), "cents", "mysql", None))[0], mysql.dialect())
    for part in (
        "floor(CAST(usage_log.cost AS DECIMAL(60, 20)) * 10000000 + 0.5)",
        "EXTRACT(year FROM usage_log.at) * 12 + EXTRACT(month FROM usage_log.at)",
        "(CAST(usage_log.org AS CHAR) COLLATE utf8mb4_bin) = ",
        "coalesce(CAST(usage_log.customer AS CHAR) COLLATE utf8mb4_bin, ",
        "GROUP BY costs.customer, costs.month",
    ):
        assert part in found.replace("app.usage_log.", "usage_log."), (part, found)


def test_pages_of_other_engines_use_no_pairs() -> None:
    start = pages.Start(by_time=True, after=Key(MARCH.start, 7))
    found = written(
        pages.page(relation(), [relation().column("id")], start, "mysql", None), mysql.dialect()
    ).replace("app.usage_log.", "")
    assert "at >= %s AND (at > %s OR id > %s) ORDER BY at, id" in found
