"""The queries of a pull: one page after another, each by an index on what is followed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal_column, or_, select, tuple_

from nullspend_margins_sql.cursors import Key, RowId
from nullspend_margins_sql.kinds import Kinds
from nullspend_margins_sql.relation import Relation, value

FARTHEST_ZONE = timedelta(hours=14)
"""How far a local time may be from UTC, either way."""

_COMPARE_PAIRS = ("postgresql", "sqlite")
"""Their indexes are used for (a, b) > (x, y)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """After a row, or from a time on, or after an id; all ``None``: from the beginning."""

    by_time: bool
    after: Key | None = None
    base: RowId | None = None
    floor: datetime | None = None


def page(
    relation: Relation,
    columns: Sequence[ColumnElement[Any]],
    start: Start,
    dialect: str,
    kinds: Kinds | None,
) -> Select[Any]:
    """The rows from ``start`` on, in the order of what is followed."""
    row_id = relation.column(relation.columns.id or "")
    moved = relation.column(relation.moved)
    conditions = relation.counts(*_never_null(relation))
    if not start.by_time:
        conditions.append(moved.is_not(None))
        last = start.after.row_id if start.after is not None else start.base
        conditions += [row_id > value(last)] if last is not None else []
    elif start.after is not None:
        conditions.append(_after(moved, row_id, start.after, dialect))
    elif start.floor is not None:
        conditions.append(moved >= value(_bound(start.floor, dialect, kinds, relation.moved)))
    else:
        conditions.append(moved.is_not(None))
    order = (moved, row_id) if start.by_time else (row_id,)
    return select(*columns).select_from(relation.rows).where(*conditions).order_by(*order)


def lost(relation: Relation, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """A row of SQLite whose time is none, and stands before those that are."""
    moved = relation.column(relation.moved)
    return (
        select(*columns)
        .select_from(relation.rows)
        .where(strange(moved), *relation.counts(*_never_null(relation)))
        .limit(1)
    )


def strange(moved: ColumnElement[Any], years: Iterable[int] = ()) -> ColumnElement[bool]:
    """What is no time, by an index of it in SQLite: numbers, and texts such as 04/05/2026.

    ``years`` are those in which texts such as 2026/04/05 are looked for, too. No bound looks like
    a number: a column declared as DATETIME would compare it as one.
    """
    ranges = [moved < value("1970-"), moved >= value("2100-")]
    ranges += [
        and_(moved >= value(f"{year:04}-~"), moved < value(f"{year + 1:04}-")) for year in years
    ]
    is_none = moved.op("NOT GLOB")(literal_column("'[0-9][0-9][0-9][0-9]-*'"))
    return or_(*(and_(each, is_none) for each in ranges))


def _never_null(relation: Relation) -> list[str | None]:
    """Besides what is followed, which has a condition of its own."""
    others = [relation.columns.id, relation.columns.time]
    if relation.org is None:
        others.append(relation.columns.org)
    return [name for name in others if name != relation.moved]


def _after(
    moved: ColumnElement[Any], row_id: ColumnElement[Any], last: Key, dialect: str
) -> ColumnElement[bool]:
    raw, known = last.raw, last.row_id
    if dialect in _COMPARE_PAIRS:
        return tuple_(moved, row_id) > tuple_(value(raw), value(known))
    return and_(moved >= value(raw), or_(moved > value(raw), row_id > value(known)))


def _bound(floor: datetime, dialect: str, kinds: Kinds | None, name: str) -> datetime | str:
    """``floor`` as the column has times. Texts may be of any zone, so theirs is earlier."""
    if dialect == "sqlite":
        return f"{floor - FARTHEST_ZONE:%Y-%m-%d %H:%M:%S}"
    is_aware = kinds is not None and kinds[name] == "aware"
    return floor if is_aware else floor.astimezone(UTC).replace(tzinfo=None)
