"""Sums in SQLite, whose own overflow, and round, and whose columns may hold anything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    case,
    func,
    literal_column,
    or_,
)

from nullspend_margins import Period, ValidationFailed
from nullspend_margins_sql.pages import FARTHEST_ZONE, strange
from nullspend_margins_sql.relation import value
from nullspend_margins_sql.sqlite import DAY, SUM, UNREADABLE
from nullspend_margins_sql.sums import Grouped, Span, Sum

_HALF_BITS = 32
_LARGEST = 2**63 - 1
_LOW_HALF = 2**_HALF_BITS - 1


class SqliteAdding(Grouped):
    """Integers are added in halves, so that no sum overflows; all else by ``margins_sum``."""

    def sum_of(self, row: Sequence[Any]) -> Sum:
        """One group."""
        name, month, requests, high, low, rest = row
        try:
            index = Period.parse(month or "").index if month != "" else 0
        except ValidationFailed:
            raise ValueError("a time is none such as 2026-04-05 10:00:00") from None
        if rest == UNREADABLE:
            raise ValueError("a cost is no number")
        whole = ((high or 0) << _HALF_BITS) + (low or 0)
        return Sum(
            name=name,
            month=index,
            nanodollars=whole * self._factor + int(rest or 0),
            requests=requests,
        )

    def _is_org(self, org_id: str) -> ColumnElement[bool]:
        # The first condition uses an index; the second does not take 5 for "05".
        name = self._relation.org_column()
        column = self._relation.column(name)
        loose = [column == value(each) for each in (org_id, *_numbers(org_id))]
        return and_(or_(*loose), self._text(name) == value(org_id))

    def _within(self, span: Span) -> ColumnElement[bool]:
        """By text, which an index has, near the bounds by the day, too.

        What is no time is let through, to be found.
        """
        moment, day = self._relation.column(self._relation.columns.time), self._day()
        earliest = f"{span.start - FARTHEST_ZONE:%Y-%m-%d %H:%M:%S}"
        first = f"{span.start:%Y-%m-%d}"
        after: list[ColumnElement[bool]] = [moment >= value(earliest)]
        inside = [moment >= value(f"{span.start + FARTHEST_ZONE:%Y-%m-%dT%H:%M:%S}")]
        exact: list[ColumnElement[bool]] = [day >= value(first)]
        if span.end is not None:
            latest = f"{span.end + FARTHEST_ZONE + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"
            after.append(moment < value(latest))
            exact.append(day < value(f"{span.end:%Y-%m-%d}"))
            inside.append(moment < value(f"{span.end - FARTHEST_ZONE:%Y-%m-%d %H:%M:%S}"))
        years = range(span.start.year, span.end.year + 1) if span.end is not None else ()
        near = or_(and_(*inside), and_(*exact), day.is_(None))
        return or_(strange(moment, years), and_(*after, near))

    def _day(self) -> ColumnElement[Any]:
        """The UTC day. Most times are UTC, and their day is their beginning."""
        moment = self._relation.column(self._relation.columns.time)
        two: ColumnElement[Any] = literal_column("2")
        month, day = (func.substr(moment, literal_column(place), two) for place in ("6", "9"))
        is_plain = and_(
            month.between(literal_column("'01'"), literal_column("'12'")),
            day.between(literal_column("'01'"), literal_column("'31'")),
            moment.op("GLOB")(literal_column("'[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]*'")),
            or_(
                func.substr(moment, literal_column("11")).op("NOT GLOB")(
                    literal_column("'*[-+]*'")
                ),
                moment.op("GLOB")(literal_column("'*+00:00'")),
            ),
        )
        beginning = func.substr(moment, literal_column("1"), literal_column("10"))
        return case((is_plain, beginning), else_=getattr(func, DAY)(moment))

    def _month(self) -> ColumnElement[Any]:
        """``YYYY-MM``: the day is made once for it."""
        return func.substr(self._day(), literal_column("1"), literal_column("7"))

    def _no_month(self, rows: Subquery) -> ColumnElement[Any]:
        """NULL where a row of the group has none."""
        is_whole = func.count(rows.c.month) == func.count()
        return case((is_whole, literal_column("''")))

    def _costs(self) -> Sequence[ColumnElement[Any]]:
        return [self._relation.column(self._relation.columns.cost).label("cost")]

    def _sums(self, rows: Subquery) -> Sequence[ColumnElement[Any]]:
        cost = rows.c.cost
        is_whole = func.typeof(cost) == "integer"
        return [
            func.sum(cost.op(">>")(_HALF_BITS)).filter(is_whole),
            func.sum(cost.op("&")(_LOW_HALF)).filter(is_whole),
            getattr(func, SUM)(cost, self._factor).filter(~is_whole),
        ]


def _numbers(text: str) -> Sequence[int | float]:
    """What a column of numbers would hold for it: SQLite compares an expression by its type."""
    found: list[int | float] = []
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if abs(number) <= _LARGEST:
            found.append(number)
    return found
