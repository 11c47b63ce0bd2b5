"""What a number is made of, in the order in which people look: by object, and by whose costs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeVar

from nullspend_margins.dashboard.charts import DayChart, day_chart
from nullspend_margins.domain.cost import Amount, CostPart, add_amount
from nullspend_margins.domain.period import Period, day_of, month_index
from nullspend_margins.services.explanation import ExplainedRevenue, Explanation

MOST_ROWS = 200
"""Of each list; the API has the rest."""

Name = TypeVar("Name", bound=Hashable)

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)


class ServiceShare(NamedTuple):
    """Which part of a service is in a period: its ``month`` of ``months``, and days of it."""

    month: int
    months: int
    days: Decimal
    of_days: Decimal


class Line(NamedTuple):
    """A part of an object; ``service`` where it is spread over time."""

    each: ExplainedRevenue
    service: ServiceShare | None


@dataclass(slots=True)
class ObjectGroup:
    """An invoice, a refund, a credit note or a dispute with its parts; microdollars."""

    head: ExplainedRevenue
    lines: list[Line] = field(default_factory=list)
    total: int = 0


class Sum(NamedTuple):
    """What one source, provider or model cost. ``name`` is ``None`` where none was told."""

    name: str | None
    cost: int
    requests: int


class CostRow(NamedTuple):
    """One row of the costs, in microdollars."""

    day: date | None
    part: CostPart
    cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """An explanation as it is shown. Money in microdollars.

    ``objects`` and ``rows`` are the first ones; what ``more_…`` counts is left out.
    ``undated`` is the cost of no particular day.
    """

    found: Explanation
    objects: Sequence[ObjectGroup]
    object_count: int
    more_lines: int
    more_revenue: int
    by_source: Sequence[Sum]
    by_provider: Sequence[Sum]
    by_model: Sequence[Sum]
    days: DayChart
    undated: int
    rows: Sequence[CostRow]
    more_rows: int
    more_cost: int

    @property
    def line_count(self) -> int:
        """How many parts are shown."""
        return sum(len(group.lines) for group in self.objects)


def explained(found: Explanation, today: date) -> Explained:
    """Group what was found; the first ``MOST_ROWS`` of each list are kept as they are."""
    shown, rest = found.revenue[:MOST_ROWS], found.revenue[MOST_ROWS:]
    rows = [
        CostRow(None if part.day is None else day_of(part.day), part, cost)
        for part, cost in found.costs
    ]
    by_day = _sums((part.day, cost, part.request_count) for part, cost in found.costs)
    undated, _ = by_day.pop(None, (0, 0))
    return Explained(
        found=found,
        objects=_objects(shown, found.period),
        object_count=len({_key(each) for each in found.revenue}),
        more_lines=len(rest),
        more_revenue=sum(each.share.microdollars for each in rest),
        by_source=_by(found, "source"),
        by_provider=_by(found, "provider"),
        by_model=_by(found, "model"),
        days=day_chart(
            found.period, {day: cost for day, (cost, _) in by_day.items() if day is not None}, today
        ),
        undated=undated,
        rows=rows[:MOST_ROWS],
        more_rows=len(rows[MOST_ROWS:]),
        more_cost=sum(row.cost for row in rows[MOST_ROWS:]),
    )


def service_share(start: datetime, until: datetime, period: Period) -> ServiceShare:
    """How much of the time from ``start`` to ``until`` is in ``period``, which has some of it."""
    first, last = month_index(start), month_index(max(until - _TICK, start))
    inside = min(until, period.end) - max(start, period.start)
    return ServiceShare(
        month=period.index - first + 1,
        months=last - first + 1,
        days=_days(inside),
        of_days=_days(until - start),
    )


def _objects(shown: Iterable[ExplainedRevenue], period: Period) -> list[ObjectGroup]:
    groups: dict[tuple[str, str, str], ObjectGroup] = {}
    for each in shown:
        group = groups.setdefault(_key(each), ObjectGroup(each))
        start, until = each.part.occurred_at, each.part.until
        is_spread = until is not None and until > start
        service = service_share(start, until, period) if is_spread and until else None
        group.lines.append(Line(each, service))
        group.total += each.share.microdollars
    return [*groups.values()]


def _key(each: ExplainedRevenue) -> tuple[str, str, str]:
    return each.provider, each.customer_id, each.fact.object_id


def _by(found: Explanation, field_name: str) -> list[Sum]:
    """Largest first; what names none comes last among equals."""
    sums: Mapping[str | None, Amount] = _sums(
        (getattr(part, field_name), cost, part.request_count) for part, cost in found.costs
    )
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], item[0] is None, item[0] or ""))
    return [Sum(name, *amount) for name, amount in ordered]


def _sums(rows: Iterable[tuple[Name, int, int]]) -> dict[Name, Amount]:
    sums: dict[Name, Amount] = {}
    for name, cost, requests in rows:
        add_amount(sums, name, cost, requests)
    return sums


def _days(time: timedelta) -> Decimal:
    """With one decimal where they are not whole: a service may begin at any second."""
    tenths = round(time / _DAY * 10)
    return Decimal(tenths).scaleb(-1) if tenths % 10 else Decimal(tenths // 10)
