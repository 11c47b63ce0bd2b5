"""A row of the host's table as a cost event, or as a cost fact where rows may be corrected."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, null

from nullspend_margins import CostEvent, CostFact, ServiceUnavailable, ValidationFailed
from nullspend_margins_sql.cursors import Key, RowId, row_id
from nullspend_margins_sql.money import NANODOLLARS, nanodollars
from nullspend_margins_sql.relation import UNKNOWN_MODEL, Relation, constant
from nullspend_margins_sql.settings import SourceSettings
from nullspend_margins_sql.times import instant

T = TypeVar("T")

_MOST_ORG = 256
_MOST_FOLLOWED_ID = 200
"""A cursor holds several ids where they alone are followed."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRow:
    """One row, understood. ``moved``: when it was spent, or last changed."""

    key: Key
    moved: datetime
    org_id: str
    cost: CostEvent | CostFact


class RowReader:
    """Understands rows of ``columns``, in their order."""

    def __init__(self, source: str, settings: SourceSettings, relation: Relation) -> None:
        self._source = source
        self._settings = settings
        self._relation = relation
        self._factor = NANODOLLARS[settings.unit]
        self._model = constant(settings.columns.model) or UNKNOWN_MODEL
        self._provider = constant(settings.columns.provider) or source.removeprefix("sql-")

    def columns(self) -> Sequence[ColumnElement[Any]]:
        """What to select."""
        relation, names = self._relation, self._relation.columns
        org = null() if relation.org is not None else relation.text(relation.org_column())
        plain = (names.id, relation.moved, names.time, names.cost, names.requests)
        texts = (names.customer, names.model, names.provider)
        return [
            *(relation.column(name) if name else null() for name in plain),
            org,
            *(relation.text(name) if name and constant(name) is None else null() for name in texts),
        ]

    def read(self, row: Sequence[Any]) -> ReadRow:
        """Raises ``ServiceUnavailable`` naming the row's id and what is wrong, but no value."""
        names = self._relation.columns
        found, moved, spent, cost, requests, org, customer, model, provider = row
        known = self._checked(found, names.id, row_id, found)
        org_id = self._relation.org or self._checked(known, names.org, _org, org)
        at = self._checked(known, names.time, instant, spent)
        amount = self._checked(
            known, names.cost, lambda each: nanodollars(each, self._factor), cost
        )
        fields = {
            "provider": provider or self._provider,
            "model": model or self._model,
            "tag_value": customer or "",
            "cost_nanodollars": amount,
        }
        return ReadRow(
            key=Key(self._followed(moved, known), known),
            moved=self._checked(known, self._relation.moved, instant, moved),
            org_id=org_id,
            cost=self._checked(
                known, None, lambda count: self._cost(str(known), at, count, fields), requests
            ),
        )

    def _cost(
        self, name: str, at: datetime, requests: object, fields: dict[str, Any]
    ) -> CostEvent | CostFact:
        if self._settings.corrections:
            count = 1 if self._relation.columns.requests is None else _count(requests)
            return CostFact(key=name, day=at.date(), request_count=count, **fields)
        if fields["cost_nanodollars"] < 0:
            raise ValueError(
                "its cost is negative; rows that correct others need corrections = true"
            )
        return CostEvent(event_id=name, occurred_at=at, **fields)

    def _followed(self, moved: Any, known: RowId) -> Any:
        if self._settings.cursor == "time":
            return moved
        if isinstance(known, str) and len(known) > _MOST_FOLLOWED_ID:
            problem = ValueError(
                f'has more than {_MOST_FOLLOWED_ID} characters; set cursor = "time"'
            )
            raise self._stopped(known, self._relation.columns.id, problem)
        return None

    def _checked(self, known: object, name: str | None, read: Callable[[Any], T], raw: Any) -> T:
        try:
            return read(raw)
        except (ValueError, ValidationFailed) as problem:
            raise self._stopped(known, name, problem) from None

    def _stopped(self, known: object, name: str | None, problem: Exception) -> ServiceUnavailable:
        place = f"its column {name!r} " if name is not None else ""
        return ServiceUnavailable(
            f"The cost source {self._source} stops at the row with the id {str(known)[:80]!r}: "
            f"{place}{problem}."
        )


def _org(found: object) -> str:
    if isinstance(found, str) and 1 <= len(found) <= _MOST_ORG and not _CONTROL.search(found):
        return found
    raise ValueError(f"is no org: a text of 1 to {_MOST_ORG} characters without control characters")


def _count(found: object) -> int:
    if found is None:
        return 0
    with contextlib.suppress(OverflowError, ValueError):  # of what is infinite, or no number
        if isinstance(found, int | Decimal | float) and found == int(found):
            return int(found)
    raise ValueError("its number of requests is no whole number")
