"""Statements that put every cell of a rollup beside what the facts say it must be.

Both sides are put below each other and grouped by key: no join, so it is no matter that nobody
has statistics, and all of it is done by the database, in the same memory for an org of any size.
The statements have the parameters of ``parameters``, and are made once for each rollup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Delete,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
)

from nullspend_margins.storage import cost_sums, revenue_sums
from nullspend_margins.storage.columns import PREFIX
from nullspend_margins.storage.cost_sums import Span, day_parameters, days_of_months
from nullspend_margins.storage.dialects import Insert, insert_for
from nullspend_margins.storage.tables import (
    cost_model_days,
    cost_months,
    customer_months,
    revenue_customers,
    revenue_facts,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """A table of cells, and the rows it must have: ``right`` of an org, without ``org_id``.

    ``span_column`` (``day`` or ``month``): the key by which ``right`` can be of some days alone.
    """

    table: Table
    right: Callable[[str, bool], Select[Any]]
    span_column: str | None = None

    @property
    def name(self) -> str:
        """The table's name, without the prefix of ours."""
        return self.table.name.removeprefix(PREFIX)

    @property
    def keys(self) -> list[str]:
        """What names a cell within its org."""
        return [column.name for column in self.table.primary_key if column.name != "org_id"]

    @property
    def values(self) -> list[str]:
        """What a cell holds."""
        return [column.name for column in self.table.columns if not column.primary_key]


def _of_customers() -> ColumnElement[bool]:
    facts = revenue_facts.c
    return and_(facts.org_id == bindparam("org_id"), facts.customer_id.is_not(None))


ROLLUPS = (
    Rollup(
        table=cost_months,
        right=lambda dialect, some: cost_sums.month_cells(dialect, some_days=some),
        span_column="month",
    ),
    Rollup(
        table=cost_model_days,
        right=lambda dialect, some: cost_sums.model_day_cells(dialect, some_days=some),
        span_column="day",
    ),
    Rollup(
        table=customer_months,
        right=lambda dialect, _: revenue_sums.month_cells(dialect, _of_customers()),
    ),
    Rollup(
        table=revenue_customers,
        right=lambda dialect, _: revenue_sums.customer_cells(dialect, _of_customers()),
    ),
)
"""In the order in which ingest and syncs write them: whoever locks several does it so too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What can be asked of, and done to, one rollup.

    ``totals``: cells, those that differ, the first and last ``span_column`` of these.
    ``differing``: those cells by key, ``limit`` of them: the key, ``right_`` and ``stored_``
    values, ``in_right``, ``in_stored``. ``remove``: those that must not be. ``put``: those that
    must be otherwise.
    """

    totals: Select[Any]
    differing: Select[Any]
    remove: Delete
    put: Insert


def parameters(rollup: Rollup, org_id: str, span: Span | None) -> dict[str, object]:
    """What the statements are of: an org's cells, all or those in ``span``."""
    if span is None:
        return {"org_id": org_id}
    days = span if rollup.span_column == "day" else days_of_months(span)
    whose = {"org_id": org_id, "first": span.first, "last": span.last}
    return {**whose, **day_parameters(days)}


@cache
def statements(rollup: Rollup, dialect: str, *, some: bool) -> Statements:
    """Of all cells, or of ``some``: those in a span."""
    pairs = _pairs(rollup, dialect, some=some)
    differs = _differs(rollup, pairs)
    keys = [pairs.c[name] for name in rollup.keys]
    return Statements(
        totals=_totals(rollup, pairs, differs),
        differing=select(pairs).where(differs).order_by(*keys).limit(bindparam("limit")),
        remove=_remove(rollup, select(*keys).where(pairs.c.in_right == 0)),
        put=_put(rollup, dialect, pairs, differs),
    )


def _totals(rollup: Rollup, pairs: Subquery, differs: ColumnElement[bool]) -> Select[Any]:
    place = case((differs, pairs.c[rollup.span_column] if rollup.span_column else null()))
    return select(
        func.count(),
        func.coalesce(func.sum(case((differs, 1), else_=0)), 0),
        func.min(place),
        func.max(place),
    ).select_from(pairs)


def _remove(rollup: Rollup, stale: Select[Any]) -> Delete:
    table = rollup.table
    key = tuple_(*(table.c[name] for name in rollup.keys))
    return delete(table).where(table.c.org_id == bindparam("org_id"), key.in_(stale))


def _put(rollup: Rollup, dialect: str, pairs: Subquery, differs: ColumnElement[bool]) -> Insert:
    right = select(
        bindparam("org_id", type_=rollup.table.c.org_id.type),
        *(pairs.c[name] for name in rollup.keys),
        *(pairs.c[f"right_{name}"] for name in rollup.values),
    ).where(pairs.c.in_right == 1, differs)
    names = ["org_id", *rollup.keys, *rollup.values]
    statement = insert_for(dialect, rollup.table).from_select(names, right)
    return statement.on_conflict_do_update(
        index_elements=["org_id", *rollup.keys],
        set_={name: statement.excluded[name] for name in rollup.values},
    )


def _pairs(rollup: Rollup, dialect: str, *, some: bool) -> Subquery:
    """Each cell once: its key, its values on both sides, and on which sides it is."""
    table = rollup.table
    sides = {
        "right": rollup.right(dialect, some).subquery(),
        "stored": select(table).where(table.c.org_id == bindparam("org_id")).subquery(),
    }
    both = union_all(*(_side(rollup, sides, side, some=some) for side in sides)).subquery()
    keys = [both.c[name] for name in rollup.keys]
    held = [column for column in both.columns if column.name not in rollup.keys]
    grouped = select(*keys, *(func.max(column).label(column.name) for column in held))
    return grouped.group_by(*keys).subquery()


def _side(rollup: Rollup, sides: Mapping[str, Subquery], this: str, *, some: bool) -> Select[Any]:
    """The cells of one side, with NULL for what the other has."""
    cells, types = sides[this].c, rollup.table.c
    found = select(
        *(cells[name] for name in rollup.keys),
        *(
            (cells[name] if side == this else cast(null(), types[name].type)).label(
                f"{side}_{name}"
            )
            for side in sides
            for name in rollup.values
        ),
        *(literal(int(side == this)).label(f"in_{side}") for side in sides),
    )
    if not some or rollup.span_column is None:
        return found
    return found.where(cells[rollup.span_column].between(bindparam("first"), bindparam("last")))


def _differs(rollup: Rollup, pairs: Subquery) -> ColumnElement[bool]:
    """Also where one side has no cell: every cell holds a number."""
    return or_(
        *(
            pairs.c[f"right_{name}"].is_distinct_from(pairs.c[f"stored_{name}"])
            for name in rollup.values
        )
    )
