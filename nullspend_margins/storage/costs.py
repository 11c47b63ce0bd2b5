"""Costs as the rollups add them up. Money: nanodollars.

``events`` and ``facts`` bring them in.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, func, select

from nullspend_margins.domain.cost import Amount, CostPart, ModelCost, TagCost, add_amount
from nullspend_margins.domain.period import Months, Period, day_number, day_of
from nullspend_margins.storage.bulk import Row, fetch_tuples, json_object
from nullspend_margins.storage.dialects import upsert
from nullspend_margins.storage.questions import OneOf, Question
from nullspend_margins.storage.sums import halves, joined
from nullspend_margins.storage.tables import cost_cursors, cost_model_days, cost_months

# Equality on each month and day, not a range: the indexes continue with the tag value.
SELECT_CUSTOMER_MONTHS: Select[Any] = select(
    cost_months.c.month, cost_months.c.cost_nanodollars
).where(
    cost_months.c.org_id == bindparam("org_id"),
    OneOf(cost_months.c.month, "months"),
    cost_months.c.tag_value == bindparam("tag_value"),
)
SELECT_CUSTOMER_MODELS: Select[Any] = (
    select(
        cost_model_days.c.model,
        *halves(cost_model_days.c.cost_nanodollars),
        func.sum(cost_model_days.c.request_count),
    )
    .where(
        cost_model_days.c.org_id == bindparam("org_id"),
        OneOf(cost_model_days.c.day, "days"),
        cost_model_days.c.tag_value == bindparam("tag_value"),
    )
    .group_by(cost_model_days.c.model)
)
_customer_months = Question(SELECT_CUSTOMER_MONTHS)
_customer_days = Question(
    select(*(cost_model_days.c[name] for name in CostPart._fields)).where(
        cost_model_days.c.org_id == bindparam("org_id"),
        OneOf(cost_model_days.c.day, "days"),
        cost_model_days.c.tag_value == bindparam("tag_value"),
    )
)
_months = Question(
    lambda dialect: (
        select(
            cost_months.c.month,
            json_object(dialect, cost_months.c.tag_value, cost_months.c.cost_nanodollars),
        )
        .where(
            cost_months.c.org_id == bindparam("org_id"),
            OneOf(cost_months.c.month, "months"),
        )
        .group_by(cost_months.c.month)
    )
)
_by_tag_value = msgspec.json.Decoder(dict[str, int])


def month_costs(tx: Connection, org_id: str, months: Months) -> list[dict[str, int]]:
    """Cost by tag value in each month, in order; unattributed cost stands under the empty one."""
    found: dict[int, str] = dict(_months.rows(tx, org_id=org_id, months=months.indexes))
    return [_by_tag_value.decode(found.get(index, "{}")) for index in months.indexes]


def customer_month_costs(
    tx: Connection, org_id: str, tag_value: str, first: Period, last: Period
) -> dict[int, int]:
    """One customer's cost by ``Period.index``; months without cost are absent."""
    months = range(first.index, last.index + 1)
    return dict(_customer_months.rows(tx, org_id=org_id, months=months, tag_value=tag_value))


def by_model(rows: Iterable[Row]) -> list[ModelCost]:
    """What ``SELECT_CUSTOMER_MODELS`` found."""
    return [
        ModelCost(model, joined(high, low), int(requests))
        for model, high, low, requests in sorted(rows)
    ]


def day_costs(tx: Connection, org_id: str, tag_value: str, period: Period) -> list[CostPart]:
    """One customer's cost by day, source, AI provider and model."""
    days = period.day_numbers
    found = _customer_days.rows(tx, org_id=org_id, days=days, tag_value=tag_value)
    return [*map(CostPart._make, found)]


def tag_costs(tx: Connection, org_id: str, since_day: int) -> list[TagCost]:
    """Cost and requests of every customer from the UTC day ``since_day`` on, by tag value."""
    totals: dict[str, Amount] = {}
    for table, condition in _recent(org_id, since_day):
        sums = (
            select(
                table.c.tag_value,
                *halves(table.c.cost_nanodollars),
                func.sum(table.c.request_count),
            )
            .where(condition)
            .group_by(table.c.tag_value)
        )
        for tag_value, high, low, requests in fetch_tuples(tx, sums, {}):
            add_amount(totals, tag_value, joined(high, low), int(requests))
    return [TagCost(tag_value, *totals[tag_value]) for tag_value in sorted(totals)]


def load_cursor(tx: Connection, source: str) -> str | None:
    """How far a pulled source has been read; ``None``: never."""
    found: str | None = tx.scalar(
        select(cost_cursors.c.cursor).where(cost_cursors.c.source == source)
    )
    return found


def save_cursor(tx: Connection, source: str, cursor: str, now: datetime) -> None:
    """Remember how far a pulled source has been read."""
    values = {"source": source, "cursor": cursor, "updated_at": now}
    tx.execute(upsert(tx, cost_cursors, values))


def _recent(org_id: str, since_day: int) -> Iterable[tuple[Table, ColumnElement[bool]]]:
    """Which rows hold the costs since a day: single days of its month, then whole months.

    A day row is there for each model and day, a month row for each customer: reading 90 days
    this way takes at most a month of the former.
    """
    month = Period.containing(day_of(since_day))
    days, months = cost_model_days, cost_months
    yield (
        days,
        (days.c.org_id == org_id)
        & (days.c.day >= since_day)
        & (days.c.day < day_number(month.end))
        & (days.c.tag_value != ""),
    )
    yield (
        months,
        (months.c.org_id == org_id) & (months.c.month > month.index) & (months.c.tag_value != ""),
    )
