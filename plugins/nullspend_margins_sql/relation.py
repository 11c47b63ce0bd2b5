"""The host's table, or its SELECT, as something to ask for columns.

Every name goes through SQLAlchemy, which quotes it; every value is a parameter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnClause,
    ColumnElement,
    FromClause,
    Text,
    bindparam,
    cast,
    column,
    table,
    text,
)
from sqlalchemy.types import NULLTYPE

from nullspend_margins_sql.settings import Columns, SourceSettings

UNKNOWN_MODEL = "unknown"

_LONE_COLON = re.compile(r"(?<![:\\]):(?=\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Where rows come from, and which column is what. ``org`` is set when it is a constant."""

    rows: FromClause
    columns: Columns
    org: str | None

    def column(self, name: str) -> ColumnElement[object]:
        """A column by its name in the host's table."""
        found: ColumnElement[object] = self.rows.c[name]
        return found

    def text(self, name: str) -> ColumnElement[str]:
        """A column as text, whatever it holds, so that all dialects tell it alike."""
        return cast(self.column(name), Text)

    @property
    def moved(self) -> str:
        """The column that tells new and changed rows."""
        return self.columns.changed or self.columns.time

    def counts(self, *more: str | None) -> list[ColumnElement[bool]]:
        """What rows must have to be counted: a row without it is not finished yet.

        The column that a query has a bound of needs no such condition.
        """
        needed = [self.columns.cost, *(_named(name) for name in more)]
        return [self.column(name).is_not(None) for name in dict.fromkeys(needed)]

    def org_column(self) -> str:
        """The name of the org's column; only where ``org`` is no constant."""
        return _named(self.columns.org)


def relation_of(settings: SourceSettings) -> Relation:
    """What ``settings`` describe."""
    columns = settings.columns
    named = (
        columns.org,
        columns.customer,
        columns.cost,
        columns.time,
        columns.id,
        columns.model,
        columns.provider,
        columns.requests,
        columns.changed,
    )
    needed: list[ColumnClause[Any]] = [
        column(each) for each in dict.fromkeys(named) if each and not each.startswith("=")
    ]
    org = settings.org if settings.org is not None else constant(columns.org)
    rows: FromClause
    if settings.select is not None:
        # What looks like a parameter is the host's own text.
        statement = _LONE_COLON.sub(r"\\:", settings.select.strip().removesuffix(";")) + "\n"
        rows = text(statement).columns(*needed).subquery("host_rows")
    else:
        schema, _, name = (settings.table or "").rpartition(".")
        rows = table(name, *needed, schema=schema or None)
    return Relation(rows=rows, columns=columns, org=org)


def constant(name: str | None) -> str | None:
    """``VALUE`` of ``"=VALUE"``; ``None`` for a column."""
    return name[1:] if name is not None and name.startswith("=") else None


def value(given: object) -> BindParameter[object]:
    """A parameter without a type of its own: the database takes the column's."""
    return bindparam(None, given, type_=NULLTYPE, unique=True)


def _named(name: str | None) -> str:
    if name is None:
        raise ValueError("the settings name no such column")
    return name
