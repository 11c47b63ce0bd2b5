"""What the cost rollups must hold: events, facts and pruned costs, added up again.

A cell is there unless both its cost and its requests come to nothing: an event of no cost
leaves one, a fact that says nothing does not, and ``rollups.drop_empty`` keeps to that.

Statements of the parameter ``org_id``, and, where they are of some days alone, of those of
``day_parameters``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    Select,
    Subquery,
    Table,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
)

from nullspend_margins.domain.period import FIRST_YEAR, LAST_YEAR, Period, day_number, day_of
from nullspend_margins.storage.sums import day_of_instant, halves, month_of_day, whole
from nullspend_margins.storage.tables import cost_events, cost_facts, pruned_costs

_FIRST_MONTH = Period.containing(date(FIRST_YEAR, 1, 1))
_LAST_MONTH = Period.containing(date(LAST_YEAR, 12, 1))
_LAST_DAY = day_number(_LAST_MONTH.end) - 1
_KEYS = ("day", "tag_value", "source", "provider", "model")
_HALVES = ("cost_high", "cost_low", "requests_high", "requests_low")


class Span(NamedTuple):
    """Days, or months, as they are stored, both included."""

    first: int
    last: int


def model_day_cells(dialect: str, *, some_days: bool) -> Select[Any]:
    """The right rows of ``cost_model_days``, without the org."""
    return _cells(dialect, _day_sums(dialect, some_days=some_days).subquery(), _KEYS)


def month_cells(dialect: str, *, some_days: bool) -> Select[Any]:
    """The right rows of ``cost_months``, without the org."""
    days = _day_sums(dialect, some_days=some_days).subquery()
    month = month_of_day(dialect, days.c.day)
    sums = select(
        month.label("month"),
        days.c.tag_value,
        *(func.sum(days.c[name]).label(name) for name in _HALVES),
    ).group_by(month, days.c.tag_value)
    return _cells(dialect, sums.subquery(), ("month", "tag_value"))


def day_parameters(days: Span) -> dict[str, object]:
    """What statements of some days are of: of all costs of ``days`` at least."""
    first, last = (min(max(day, 0), _LAST_DAY) for day in days)
    return {
        "first_day": days.first,
        "last_day": days.last,
        "since": _midnight(first),
        "until": _midnight(last) + timedelta(days=1),
    }


def days_of_months(months: Span) -> Span:
    """The days of ``months``, of those that there are."""
    first, last = (
        Period(min(max(month, _FIRST_MONTH.index), _LAST_MONTH.index)) for month in months
    )
    return Span(day_number(first.start), day_number(last.end) - 1)


def _cells(dialect: str, sums: Subquery, keys: tuple[str, ...]) -> Select[Any]:
    cells = select(
        *(sums.c[name] for name in keys),
        whole(dialect, sums.c.cost_high, sums.c.cost_low).label("cost_nanodollars"),
        whole(dialect, sums.c.requests_high, sums.c.requests_low).label("request_count"),
    ).subquery()
    return select(cells).where(or_(cells.c.cost_nanodollars != 0, cells.c.request_count != 0))


def _day_sums(dialect: str, *, some_days: bool) -> Select[Any]:
    costs = union_all(
        _events(dialect, some_days=some_days),
        _added_up(cost_facts, some_days=some_days),
        _added_up(pruned_costs, some_days=some_days),
    ).subquery()
    keys = [costs.c[name] for name in _KEYS]
    sums = (*halves(costs.c.cost_nanodollars), *halves(costs.c.request_count))
    labelled = (each.label(name) for each, name in zip(sums, _HALVES, strict=True))
    return select(*keys, *labelled).group_by(*keys)


def _events(dialect: str, *, some_days: bool) -> Select[Any]:
    events = cost_events.c
    found = select(
        day_of_instant(dialect, events.occurred_at).label("day"),
        *(events[name] for name in _KEYS[1:]),
        events.cost_nanodollars,
        literal(1).label("request_count"),
    ).where(events.org_id == bindparam("org_id"))
    if not some_days:
        return found
    return found.where(
        events.occurred_at >= bindparam("since"), events.occurred_at < bindparam("until")
    )


def _added_up(table: Table, *, some_days: bool) -> Select[Any]:
    names = (*_KEYS, "cost_nanodollars", "request_count")
    found = select(*(table.c[name] for name in names)).where(table.c.org_id == bindparam("org_id"))
    if not some_days:
        return found
    return found.where(table.c.day.between(bindparam("first_day"), bindparam("last_day")))


def _midnight(day: int) -> datetime:
    return datetime.combine(day_of(day), time(), UTC)
