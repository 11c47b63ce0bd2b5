"""What was spent: cost events (append-only) and cost facts (replaced)."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeVar

import msgspec

from nullspend_margins.domain.fields import (
    day_problem,
    instant_problem,
    integer_problem,
    string_problem,
)
from nullspend_margins.domain.text import MAX_TEXT
from nullspend_margins.errors import ValidationFailed

MAX_COST_NANODOLLARS = 10**15
"""One event costs at most a million dollars (10^12 microdollars)."""
MAX_COUNT = 2**53 - 1
"""The largest token count or duration, what JSON carries exactly."""
MAX_PROVIDER, MAX_MODEL, MAX_LABEL = 100, 200, 1000
"""Characters. The contract sets no limit for labels; a database does well to have one."""
MAX_TAGS, MAX_TAG_KEY = 10, 64
MAX_BREAKDOWN_BYTES = 8192

Amount = tuple[int, int]
"""Nanodollars and number of requests."""
Key = TypeVar("Key", bound=Hashable)

_MAX_EVENT_ID = 1024
_KEPT_LONGER = timedelta(hours=1)
# Our own event ids join their parts with U+001E and U+001F.
_NOT_IN_EVENT_IDS = re.compile(r"[\x00-\x1d\x7f-\x9f\ud800-\udfff]")
# Field, least and most: characters of texts, amounts of integers.
_TEXTS = (("provider", 1, MAX_PROVIDER), ("model", 1, MAX_MODEL), ("tag_value", 0, MAX_TEXT))
_COUNTS = (
    ("cost_nanodollars", 0, MAX_COST_NANODOLLARS),
    ("input_tokens", 0, MAX_COUNT),
    ("output_tokens", 0, MAX_COUNT),
    ("cached_input_tokens", 0, MAX_COUNT),
    ("reasoning_tokens", 0, MAX_COUNT),
)
_FACT_TEXTS = (("key", 1, 512), *_TEXTS)
_FACT_COUNTS = (("cost_nanodollars", -(2**62), 2**62), ("request_count", 0, MAX_COUNT))
_LABELS = (
    ("session_id", MAX_LABEL),
    ("trace_id", MAX_LABEL),
    ("event_type", MAX_TEXT),
    ("tool_name", MAX_LABEL),
    ("tool_server", MAX_LABEL),
    ("reported_source", MAX_LABEL),
)
_MAPPINGS = (dict, Mapping)  # in this order: the first is much faster to tell


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEvent:
    """One request that cost money. Counted exactly once by (org, source, ``event_id``).

    ``cost_nanodollars`` is an ``int`` of 0 to 10^15, ``occurred_at`` is aware, ``tag_value`` is
    the host's own name for the customer, ``""`` when unattributed. Raises ``ValidationFailed``
    naming the field.
    """

    event_id: str
    """Unique within the org and the source, 1 to 1,024 characters: a repeated one is dropped."""
    provider: str
    """Who was paid, as ``openai``; 1 to 100 characters."""
    model: str
    """1 to 200 characters."""
    cost_nanodollars: int
    """0 to 10^15; a dollar is 10^9."""
    occurred_at: datetime
    """Aware; counts in its UTC month and day."""
    tag_value: str = ""
    """The customer, 256 characters at most; ``""`` is nobody."""
    input_tokens: int = 0
    """0 to 2^53 - 1, as the other counts; cached ones included."""
    output_tokens: int = 0
    """Reasoning included."""
    cached_input_tokens: int = 0
    """Those of ``input_tokens`` that came from a cache."""
    reasoning_tokens: int = 0
    """Those of ``output_tokens`` that were not shown."""
    duration_ms: int | None = None
    """How long the call took, in milliseconds."""
    session_id: str | None = None
    """The conversation it belongs to; this and the labels below have 1,000 characters at most."""
    trace_id: str | None = None
    """The trace it belongs to."""
    event_type: str | None = None
    """``llm``, ``tool`` or ``custom`` by HTTP; 256 characters at most."""
    tool_name: str | None = None
    """The tool that was called."""
    tool_server: str | None = None
    """Where that tool runs."""
    reported_source: str | None = None
    """What the sender says of itself."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Ten at most, keys of 1 to 64 characters, values of 256 at most; kept, not added up."""
    cost_breakdown: Mapping[str, object] | None = None
    """What the cost is made of, 8,192 bytes as JSON at most; kept, not added up."""

    def __post_init__(self) -> None:
        _check(self, _TEXTS, _COUNTS)
        for name, at_most in _LABELS:
            label = getattr(self, name)
            if label is not None and (problem := string_problem(label, 0, at_most)):
                raise ValidationFailed.of((name, problem))
        _require("event_id", _event_id_problem(self.event_id))
        _require("occurred_at", instant_problem(self.occurred_at))
        if self.duration_ms is not None:
            _require("duration_ms", integer_problem(self.duration_ms, 0, MAX_COUNT))
        _require("tags", _tags_problem(self.tags))
        if self.cost_breakdown is not None:
            _require("cost_breakdown", _breakdown_problem(self.cost_breakdown))


@dataclass(frozen=True, slots=True, kw_only=True)
class CostFact:
    """A cost another system has already added up, or may correct later.

    Keyed (org, source, ``key``); a later fact with the same key replaces the earlier one, so
    ``cost_nanodollars`` may be negative (a credit) and ``request_count`` may shrink. Raises
    ``ValidationFailed`` naming the field.
    """

    key: str
    """Unique within the org and the source, 1 to 512 characters."""
    provider: str
    """Who was paid, 1 to 100 characters."""
    model: str
    """1 to 200 characters."""
    cost_nanodollars: int
    """-2^62 to 2^62; a dollar is 10^9."""
    day: date
    """The UTC day that it counts in."""
    tag_value: str = ""
    """The customer, 256 characters at most; ``""`` is nobody."""
    request_count: int = 0
    """How many requests it adds up, 0 to 2^53 - 1."""

    def __post_init__(self) -> None:
        _check(self, _FACT_TEXTS, _FACT_COUNTS)
        _require("day", day_problem(self.day))


def _check(
    thing: object, texts: Iterable[tuple[str, int, int]], integers: Iterable[tuple[str, int, int]]
) -> None:
    """Raise ``ValidationFailed`` for the first of these fields that is wrong."""
    for name, at_least, at_most in texts:
        if problem := string_problem(getattr(thing, name), at_least, at_most):
            raise ValidationFailed.of((name, problem))
    for name, lowest, highest in integers:
        value = getattr(thing, name)
        if type(value) is int and lowest <= value <= highest:
            continue  # nearly every one, and in half the time of a call
        if problem := integer_problem(value, lowest, highest):
            raise ValidationFailed.of((name, problem))


def _require(name: str, problem: str | None) -> None:
    if problem is not None:
        raise ValidationFailed.of((name, problem))


def _event_id_problem(value: object) -> str | None:
    if not isinstance(value, str):
        return f"must be a str, not {type(value).__name__}"
    if not 1 <= len(value) <= _MAX_EVENT_ID:
        return f"must have 1 to {_MAX_EVENT_ID} characters"
    if _NOT_IN_EVENT_IDS.search(value):
        return "must not contain control characters (but U+001E and U+001F) or lone surrogates"
    return None


def _tags_problem(value: object) -> str | None:
    if not isinstance(value, _MAPPINGS):
        return f"must be a mapping of str to str, not {type(value).__name__}"
    if len(value) > MAX_TAGS:
        return f"must be at most {MAX_TAGS}"
    for key, text in value.items():
        problem = string_problem(key, 1, MAX_TAG_KEY)
        if problem is not None:
            return f"a key {problem}"
        problem = string_problem(text, 0, MAX_TEXT)
        if problem is not None:
            return f"{key} {problem}"
    return None


def _breakdown_problem(value: object) -> str | None:
    if not isinstance(value, _MAPPINGS):
        return f"must be a mapping, not {type(value).__name__}"
    try:
        size = len(msgspec.json.encode(dict(value)))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return "must be values that JSON has"
    if size > MAX_BREAKDOWN_BYTES:
        return f"must be at most {MAX_BREAKDOWN_BYTES} bytes as JSON"
    return None


def dedupe_problem(occurred_at: datetime, now: datetime, dedupe_days: int | None) -> str | None:
    """What is wrong with an event older than the horizon of ``[ingest] dedupe_days``."""
    if dedupe_days is None or occurred_at >= now - timedelta(days=dedupe_days):
        return None
    return f"must be of the last {dedupe_days} days: older duplicates are not noticed"


def forgotten_before(now: datetime, dedupe_days: int) -> datetime:
    """What occurred before then may be let go: a little more than what is refused.

    Clocks of servers differ, and a request that was in time may wait for the database.
    """
    return now - timedelta(days=dedupe_days) - _KEPT_LONGER


class MonthCost(NamedTuple):
    """The cost of one tag value in one period (``month`` is a ``Period.index``)."""

    tag_value: str
    """The customer; ``""`` is nobody."""
    month: int
    """A ``Period.index``."""
    cost_nanodollars: int
    """A dollar is 10^9; negative where credits prevail."""


class ModelCost(NamedTuple):
    """The cost of one model, of one customer in one period."""

    model: str
    """Its name."""
    cost_nanodollars: int
    """A dollar is 10^9."""
    request_count: int
    """How many requests that was."""


class CostPart(NamedTuple):
    """What one model of one source cost on one day, counted from 1970-01-01.

    ``None`` is what a source that only adds up does not tell.
    """

    source: str
    provider: str | None
    model: str | None
    day: int | None
    cost_nanodollars: int
    request_count: int


class TagCost(NamedTuple):
    """The cost of one tag value over some days."""

    tag_value: str
    """The customer; ``""`` is nobody."""
    cost_nanodollars: int
    """A dollar is 10^9."""
    request_count: int
    """How many requests that was."""


def add_amount(amounts: dict[Key, Amount], key: Key, nanodollars: int, requests: int) -> None:
    """Add to what ``amounts`` has under ``key``."""
    known_cost, known_requests = amounts.get(key, (0, 0))
    amounts[key] = (known_cost + nanodollars, known_requests + requests)


def largest_first(amounts: Mapping[str, Amount]) -> list[str]:
    """Names by what they cost; on a tie by code point."""
    return sorted(amounts, key=lambda name: (-amounts[name][0], name))
