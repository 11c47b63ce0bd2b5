"""The queries of an aggregating source: one GROUP BY each, the org first in every WHERE.

Every row is rounded to whole nanodollars before it is added, as a pulled row is. So models add up
to their month, and both ways of reading a table give the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Numeric,
    Select,
    Subquery,
    Text,
    and_,
    cast,
    collate,
    extract,
    func,
    literal,
    literal_column,
    select,
    true,
)

from nullspend_margins_sql.kinds import Kinds, is_text
from nullspend_margins_sql.money import NANODOLLARS
from nullspend_margins_sql.relation import UNKNOWN_MODEL, Relation, constant, value

_WIDEST = Numeric(60, 20)
"""What MySQL calculates a cost in: whole dollars of any size, and far below a nanodollar."""


@dataclass(frozen=True, slots=True)
class Span:
    """From ``start`` on, until before ``end`` where there is one. UTC."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """One group: a customer or a model, in ``month`` (``Period.index``) where it is asked for."""

    name: str
    month: int
    nanodollars: int
    requests: int


class Adding(Protocol):
    """How one kind of engine adds up. Statements have the columns of ``sum_of``."""

    def months(self, org_id: str, span: Span) -> Select[Any]:
        """By customer and month."""
        ...

    def models(self, org_id: str, tag_value: str, span: Span) -> Select[Any]:
        """By model, of one customer."""
        ...

    def tags(self, org_id: str, span: Span) -> Select[Any]:
        """By customer."""
        ...

    def sum_of(self, row: Sequence[Any]) -> Sum:
        """One row of the answer. Raises ``ValueError`` when it holds no sum."""
        ...


class Grouped:
    """What the engines have in common: what is grouped by what."""

    def __init__(self, relation: Relation, unit: str) -> None:
        self._relation = relation
        self._factor = NANODOLLARS[unit]

    def months(self, org_id: str, span: Span) -> Select[Any]:
        """By customer and month."""
        return self._grouped(self._rows(org_id, span), "customer", "month")

    def models(self, org_id: str, tag_value: str, span: Span) -> Select[Any]:
        """By model, of one customer."""
        return self._grouped(
            self._rows(org_id, span, self._customer() == value(tag_value)), "model"
        )

    def tags(self, org_id: str, span: Span) -> Select[Any]:
        """By customer."""
        return self._grouped(self._rows(org_id, span), "customer")

    def _grouped(self, rows: Subquery, *names: str) -> Select[Any]:
        groups = [rows.c[name] for name in names]
        month = rows.c.month if "month" in names else self._no_month(rows)
        return select(groups[0], month, func.sum(rows.c.requests), *self._sums(rows)).group_by(
            *groups
        )

    def _rows(self, org_id: str, span: Span, *more: ColumnElement[bool]) -> Subquery:
        """One row for each that counts, its columns made alike."""
        relation = self._relation
        org = [] if relation.org is not None else [self._is_org(org_id)]
        conditions = [*org, self._within(span), *relation.counts(), *more]
        return (
            select(
                self._customer().label("customer"),
                self._model().label("model"),
                self._month().label("month"),
                self._requests().label("requests"),
                *self._costs(),
            )
            .select_from(relation.rows)
            .where(and_(*conditions))
            .subquery("costs")
        )

    def _customer(self) -> ColumnElement[str]:
        return func.coalesce(self._text(self._relation.columns.customer), literal("", Text))

    def _model(self) -> ColumnElement[str]:
        name = self._relation.columns.model
        fixed = constant(name)
        if name is None or fixed is not None:
            return literal(fixed or UNKNOWN_MODEL, Text)
        known = func.nullif(self._text(name), literal("", Text))
        return func.coalesce(known, literal(UNKNOWN_MODEL, Text))

    def _requests(self) -> ColumnElement[int]:
        name = self._relation.columns.requests
        if name is None:
            return literal_column("1")
        return func.coalesce(cast(self._relation.column(name), BigInteger), literal_column("0"))

    def _text(self, name: str) -> ColumnElement[str]:
        return self._relation.text(name)

    # What each engine does in its own way.

    def _is_org(self, org_id: str) -> ColumnElement[bool]:
        raise NotImplementedError

    def _within(self, span: Span) -> ColumnElement[bool]:
        raise NotImplementedError

    def _month(self) -> ColumnElement[Any]:
        raise NotImplementedError

    def _no_month(self, rows: Subquery) -> ColumnElement[Any]:  # noqa: ARG002 - for SQLite
        """In the place of the month where nothing is grouped by it."""
        return literal_column("0")

    def _costs(self) -> Sequence[ColumnElement[Any]]:
        raise NotImplementedError

    def _sums(self, rows: Subquery) -> Sequence[ColumnElement[Any]]:
        raise NotImplementedError


class ServerAdding(Grouped):
    """PostgreSQL and MySQL: numbers of any size, and a session in UTC."""

    def __init__(self, relation: Relation, unit: str, dialect: str, kinds: Kinds | None) -> None:
        super().__init__(relation, unit)
        self._dialect = dialect
        self._kinds = kinds or {}

    def sum_of(self, row: Sequence[Any]) -> Sum:
        """One group. A NaN or an infinity among the costs makes a sum that is none."""
        name, month, requests, cost = row
        found = Decimal(cost)
        if not found.is_finite():
            raise ValueError("a cost is no number")
        return Sum(name=name, month=int(month), nanodollars=int(found), requests=int(requests))

    def _is_org(self, org_id: str) -> ColumnElement[bool]:
        name = self._relation.org_column()
        if self._dialect == "postgresql":
            return is_text(self._relation, name, self._kinds[name], org_id)
        # MySQL takes Org_1 for org_1, and 5 for "5 apples": the second condition does not.
        loose = self._relation.column(name) == value(org_id)
        return and_(loose, self._text(name) == value(org_id))

    def _text(self, name: str) -> ColumnElement[str]:
        found = self._relation.text(name)
        return found if self._dialect == "postgresql" else collate(found, "utf8mb4_bin")

    def _within(self, span: Span) -> ColumnElement[bool]:
        name = self._relation.columns.time
        moment = self._relation.column(name)
        is_aware = self._kinds.get(name) == "aware"
        start, end = (
            each if each is None or is_aware else each.astimezone(UTC).replace(tzinfo=None)
            for each in (span.start, span.end)
        )
        return and_(moment >= value(start), moment < value(end) if end is not None else true())

    def _month(self) -> ColumnElement[Any]:
        moment = self._relation.column(self._relation.columns.time)
        year, month = extract("year", moment), extract("month", moment)
        return year * literal_column("12") + month - literal_column("1")

    def _costs(self) -> Sequence[ColumnElement[Any]]:
        name = self._relation.columns.cost
        cost: ColumnElement[Any] = self._relation.column(name)
        if self._dialect != "postgresql":
            cost = cast(cost, _WIDEST)
        elif self._kinds[name] in ("integer", "numeric"):
            cost = cast(cost, Numeric)
        else:
            # A float is what it is written as, to its last digit; a cast alone gives 15.
            cost = cast(cast(cost, Text), Numeric)
        # Halves go up, as in the product; round() of the engines takes negative ones down.
        exact = cost * literal_column(str(self._factor))
        return [func.floor(exact + literal_column("0.5")).label("nanodollars")]

    def _sums(self, rows: Subquery) -> Sequence[ColumnElement[Any]]:
        return [func.sum(rows.c.nanodollars)]
