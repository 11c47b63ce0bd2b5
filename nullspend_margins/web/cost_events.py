"""From cost events on the wire to cost events of the domain: ids, times, customers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.json import encode

from nullspend_margins.domain.cost import MAX_BREAKDOWN_BYTES, CostEvent, dedupe_problem
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.money import NANODOLLARS_PER_MICRODOLLAR
from nullspend_margins.domain.text import text_problem
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.web.issues import Issue
from nullspend_margins.web.wire.events import MAX_BREAKDOWN_DEPTH, MAX_KEY, TIME
from nullspend_margins.web.wire.events import CostEvent as CostEventOnWire

# Inside an event id: no key holds a control character, so that no two ids read the same.
_JOIN, _UNIQUE = "\x1f", "\x1e"

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCK_SKEW = timedelta(days=1)
_TIME = re.compile(TIME)


class Reading(Struct, frozen=True, kw_only=True):
    """How to read the events of one request.

    ``header_key`` is the request's ``Idempotency-Key``; ``dedupe_days`` the horizon beyond which
    duplicates would no longer be noticed.
    """

    now: datetime
    header_key: str | None
    dedupe_days: int | None

    def single(self, event: CostEventOnWire) -> CostEvent:
        """The one event of a request. Raises ``ValidationFailed``."""
        issues = list(self._issues(event, ""))
        if issues:
            raise ValidationFailed.of(*issues)
        return self._convert(event, self.header_key)

    def batch(self, events: Sequence[CostEventOnWire]) -> list[CostEvent]:
        """All events of a batch, or ``ValidationFailed`` with the index of each bad one.

        The header's key is good for the batch: each event gets it together with its index.
        """
        issues = [
            issue
            for index, event in enumerate(events)
            for issue in self._issues(event, f"events[{index}].")
        ]
        if issues:
            raise ValidationFailed.of(*issues)
        header = self.header_key
        return [
            self._convert(event, header and f"{header}{_JOIN}{index}")
            for index, event in enumerate(events)
        ]

    def _issues(self, event: CostEventOnWire, path: str) -> list[Issue]:
        problems = {
            "occurredAt": self._time_problem(event.occurred_at),
            "costBreakdown": _breakdown_problem(event.cost_breakdown),
        }
        return [(path + name, problem) for name, problem in problems.items() if problem]

    def _time_problem(self, text: str | None) -> str | None:
        if text is None:
            return None
        moment = _moment(text)
        if moment is None:
            return "must be an ISO 8601 time with an offset or Z"
        if moment < _EARLIEST:
            return "must not be before 2000"
        if moment > self.now + _CLOCK_SKEW:
            return "must not be over a day ahead"
        return dedupe_problem(moment, self.now, self.dedupe_days)

    def _convert(self, event: CostEventOnWire, request_key: str | None) -> CostEvent:
        key = event.idempotency_key or request_key
        tags = event.tags or {}
        return CostEvent(
            event_id=f"{event.provider}{_JOIN}{key}" if key else _UNIQUE + uuid.uuid4().hex,
            provider=event.provider,
            model=event.model,
            cost_nanodollars=event.cost_microdollars * NANODOLLARS_PER_MICRODOLLAR,
            occurred_at=(_moment(event.occurred_at) if event.occurred_at else None) or self.now,
            tag_value=event.customer or tags.get(CUSTOMER_TAG_KEY, ""),
            input_tokens=event.input_tokens,
            output_tokens=event.output_tokens,
            cached_input_tokens=event.cached_input_tokens or 0,
            reasoning_tokens=event.reasoning_tokens or 0,
            duration_ms=event.duration_ms,
            session_id=event.session_id,
            trace_id=event.trace_id,
            event_type=event.event_type,
            tool_name=event.tool_name,
            tool_server=event.tool_server,
            reported_source=event.source,
            tags=tags,
            cost_breakdown=event.cost_breakdown,
        )


def checked_header_key(header: str | None) -> str | None:
    """The ``Idempotency-Key`` header; an empty one is none. Raises ``ValidationFailed``."""
    if not header:
        return None
    problem = text_problem(header, at_most=MAX_KEY)
    if problem:
        raise ValidationFailed.of(("Idempotency-Key", problem))
    return header


def _moment(text: str) -> datetime | None:
    """The instant, or ``None``: Python's own reader takes much that is no ISO 8601 time."""
    if _TIME.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _breakdown_problem(breakdown: dict[str, object] | None) -> str | None:
    if breakdown is None:
        return None
    return _value_problem(breakdown, MAX_BREAKDOWN_DEPTH) or _size_problem(breakdown)


def _value_problem(value: object, levels: int) -> str | None:
    """What is wrong anywhere in ``value``: its depth first, which bounds the walk."""
    if isinstance(value, str):
        return text_problem(value, at_least=0, at_most=MAX_BREAKDOWN_BYTES)
    if not isinstance(value, (dict, list)):
        return None
    if not levels:
        return f"must be nested at most {MAX_BREAKDOWN_DEPTH} deep"
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    problems = (_value_problem(part, levels - 1) for part in parts)
    return next((problem for problem in problems if problem), None)


def _size_problem(breakdown: dict[str, object]) -> str | None:
    if len(encode(breakdown)) > MAX_BREAKDOWN_BYTES:
        return f"must be at most {MAX_BREAKDOWN_BYTES} bytes"
    return None
