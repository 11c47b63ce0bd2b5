"""What several batches come to, once stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from nullspend_margins.domain.cost import CostEvent, CostFact
from nullspend_margins.protocols import CostBatch

Key: TypeAlias = tuple[str, str, str]
"""Org, ``event`` or ``fact``, and the id of the one or the key of the other."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What the product would have stored: events by their first delivery, facts by their last."""

    items: Mapping[Key, CostEvent | CostFact]

    @classmethod
    def of(cls, batches: Iterable[CostBatch]) -> Contents:
        """Everything in ``batches``, in their order."""
        items: dict[Key, CostEvent | CostFact] = {}
        for batch in batches:
            for event in batch.events:
                items.setdefault((batch.org_id, "event", event.event_id), event)
            for fact in batch.facts:
                items[batch.org_id, "fact", fact.key] = fact
        return cls(items)

    def missing_in(self, other: Contents) -> list[str]:
        """What ``other`` lacks, in words."""
        return [shown(key) for key in self.items if key not in other.items]


def shown(key: Key) -> str:
    """A key in words."""
    org_id, kind, name = key
    return f"{kind} {name!r} of {org_id}"
