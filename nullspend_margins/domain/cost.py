"""What was spent: cost events (append-only) and cost facts (replaced)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from nullspend_margins.domain.text import MAX_TEXT, text_problem
from nullspend_margins.errors import ValidationFailed

MAX_COST_NANODOLLARS = 10**15
"""One event costs at most a million dollars (10^12 microdollars)."""
MAX_COUNT = 2**53 - 1
"""The largest token count or duration, what JSON carries exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEvent:
    """One request that cost money. Counted exactly once by (org, source, ``event_id``).

    ``cost_nanodollars`` is 0 to 10^15, ``occurred_at`` is aware, ``tag_value`` is the host's own
    name for the customer, ``""`` when unattributed. Raises ``ValidationFailed`` naming the field.
    """

    event_id: str
    provider: str
    model: str
    cost_nanodollars: int
    occurred_at: datetime
    tag_value: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_input_tokens: int = 0
    reasoning_tokens: int = 0
    duration_ms: int | None = None
    session_id: str | None = None
    trace_id: str | None = None
    event_type: str | None = None
    tool_name: str | None = None
    tool_server: str | None = None
    reported_source: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    cost_breakdown: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        for name, value, limit in (
            ("provider", self.provider, 100),
            ("model", self.model, 200),
        ):
            _require(name, text_problem(value, at_most=limit))
        _require("tag_value", text_problem(self.tag_value, at_least=0))
        if not self.event_id or len(self.event_id) > 1024:
            _require("event_id", "must have 1 to 1024 characters")
        if not 0 <= self.cost_nanodollars <= MAX_COST_NANODOLLARS:
            _require("cost_nanodollars", f"must be 0 to {MAX_COST_NANODOLLARS}")
        if self.occurred_at.tzinfo is None:
            _require("occurred_at", "must have a time zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class CostFact:
    """A cost another system has already added up, or may correct later.

    Keyed (org, source, ``key``); a later fact with the same key replaces the earlier one, so
    ``cost_nanodollars`` may be negative (a credit) and ``request_count`` may shrink.
    """

    key: str
    provider: str
    model: str
    cost_nanodollars: int
    day: date
    tag_value: str = ""
    request_count: int = 0

    def __post_init__(self) -> None:
        _require("key", text_problem(self.key, at_most=512))
        _require("provider", text_problem(self.provider, at_most=100))
        _require("model", text_problem(self.model, at_most=200))
        _require("tag_value", text_problem(self.tag_value, at_most=MAX_TEXT, at_least=0))
        if abs(self.cost_nanodollars) > 2**62:
            _require("cost_nanodollars", "must be within ±2^62")
        if not 0 <= self.request_count <= MAX_COUNT:
            _require("request_count", f"must be 0 to {MAX_COUNT}")


def _require(name: str, problem: str | None) -> None:
    if problem is not None:
        raise ValidationFailed.of((name, problem))


class MonthCost(NamedTuple):
    """The cost of one tag value in one period (``month`` is a ``Period.index``)."""

    tag_value: str
    month: int
    cost_nanodollars: int


class ModelCost(NamedTuple):
    """The cost of one model, of one customer in one period."""

    model: str
    cost_nanodollars: int
    request_count: int


class TagCost(NamedTuple):
    """The cost of one tag value over some days."""

    tag_value: str
    cost_nanodollars: int
    request_count: int
