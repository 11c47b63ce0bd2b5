"""What the rollups hold, told from the specification: plain loops over all that is counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any

from sqlalchemy import Connection

from nullspend_margins import CostEvent, CostFact
from nullspend_margins.storage.tables import cost_model_days, cost_months
from tests.storage.builders import rows

Cells = dict[tuple[object, ...], tuple[int, int]]
"""Nanodollars and requests, by what names a cell."""


@dataclass
class Ledger:
    """What one org was told: each event once, of each fact the latest."""

    events: dict[tuple[str, str], CostEvent] = field(default_factory=dict)
    facts: dict[tuple[str, str], CostFact] = field(default_factory=dict)
    pruned: list[tuple[str, CostEvent]] = field(default_factory=list)

    def tell(self, source: str, events: Iterable[CostEvent]) -> None:
        """Events come: those known already by source and id change nothing."""
        for event in events:
            self.events.setdefault((source, event.event_id), event)

    def correct(self, source: str, facts: Iterable[CostFact]) -> None:
        """Facts come: each takes the place of the one with its source and key."""
        for fact in facts:
            self.facts[source, fact.key] = fact

    def forget(self, keys: Iterable[tuple[str, str]]) -> None:
        """Raw events go; what they cost stays."""
        for key in keys:
            self.pruned.append((key[0], self.events.pop(key)))

    def counted(self) -> Iterable[tuple[date, str, str, str, str, int, int]]:
        """Day in UTC, customer, source, provider, model, nanodollars, requests of everything."""
        alive = [(source, event) for (source, _), event in self.events.items()]
        for source, event in (*alive, *self.pruned):
            yield (
                event.occurred_at.astimezone(UTC).date(), event.tag_value, source, event.provider,
                event.model, event.cost_nanodollars, 1,
            )  # fmt: skip
        for (source, _), fact in self.facts.items():
            yield (
                fact.day, fact.tag_value, source, fact.provider,
                fact.model, fact.cost_nanodollars, fact.request_count,
            )  # fmt: skip

    def months(self) -> Cells:
        """By year and month, and customer."""
        cells: Cells = {}
        for day, tag_value, _, _, _, cost, requests in self.counted():
            _add(cells, (day.year, day.month, tag_value), cost, requests)
        return _something(cells)

    def model_days(self) -> Cells:
        """By day, customer, source, provider and model."""
        cells: Cells = {}
        for *key, cost, requests in self.counted():
            _add(cells, tuple(key), cost, requests)
        return _something(cells)


def _add(cells: Cells, key: tuple[object, ...], cost: Any, requests: Any) -> None:
    known_cost, known_requests = cells.get(key, (0, 0))
    cells[key] = (known_cost + cost, known_requests + requests)


def _something(cells: Cells) -> Cells:
    """Without those that come to nothing."""
    return {key: amount for key, amount in cells.items() if amount != (0, 0)}


def stored_months(tx: Connection, org_id: str) -> Cells:
    """The rollup by month, named as ``Ledger.months`` names it."""
    return {
        (month // 12, month % 12 + 1, tag_value): (cost, requests)
        for month, tag_value, cost, requests in rows(tx, cost_months, org_id)
    }


def stored_model_days(tx: Connection, org_id: str) -> Cells:
    """The rollup by model and day, named as ``Ledger.model_days`` names it."""
    epoch = date(1970, 1, 1).toordinal()
    return {
        (date.fromordinal(day + epoch), *key): (cost, requests)
        for day, *key, cost, requests in rows(tx, cost_model_days, org_id)
    }


def require_right(tx: Connection, org_id: str, ledger: Ledger) -> None:
    """What is stored is what ``ledger`` adds up to."""
    assert stored_months(tx, org_id) == ledger.months()
    assert stored_model_days(tx, org_id) == ledger.model_days()
