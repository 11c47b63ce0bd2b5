"""What an org has, as the properties draw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nullspend_margins import CostEvent, CostFact, RevenueFact


@dataclass(frozen=True, kw_only=True)
class DrawnMapping:
    """A mapping as it is asked for."""

    provider: str
    customer_id: str
    tag_value: str
    tag_key: str = "customer"
    match_type: str = "manual"


@dataclass(frozen=True, kw_only=True)
class Books:
    """All that an org has. Revenue is by provider; events and facts by source, as they came."""

    mappings: Sequence[DrawnMapping] = ()
    revenue: Sequence[tuple[str, RevenueFact]] = ()
    events: Sequence[tuple[str, CostEvent]] = ()
    facts: Sequence[tuple[str, CostFact]] = ()
    statuses: dict[str, str] = field(default_factory=dict)
