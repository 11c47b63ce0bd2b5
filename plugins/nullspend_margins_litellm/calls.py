"""A call that the proxy has logged, as a cost event. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from nullspend_margins import CostEvent, ValidationFailed
from nullspend_margins_litellm.customers import customer_of, mapping_of, tidy
from nullspend_margins_litellm.money import vendor_cost
from nullspend_margins_litellm.settings import LiteLLMSettings

SOURCE = "litellm"
"""The source that calls are keyed by, whether the callback or the table delivers them."""

_TOOL = "call_mcp_tool"
_MOST_TOKENS = 2**53 - 1


def org_of_call(payload: Mapping[str, Any], settings: LiteLLMSettings) -> str | None:
    """The org of a ``standard_logging_object``; ``None`` where the settings have none for it."""
    metadata = mapping_of(payload.get("metadata"))
    return settings.org_of(
        metadata.get("user_api_key_team_id"), metadata.get("user_api_key_org_id")
    )


def event_of_call(
    payload: Mapping[str, Any], end_user: str, settings: LiteLLMSettings
) -> CostEvent:
    """The event of a ``standard_logging_object``, or of a row that was made to look like one.

    ``end_user`` is one that may be believed. Messages and responses are not looked at. Raises
    ``ValidationFailed`` for a call without an id and for what the product does not store.
    """
    metadata = mapping_of(payload.get("metadata"))
    started = instant(payload.get("startTime"))
    ended = instant(payload.get("endTime") or payload.get("startTime"))
    is_cached = payload.get("cache_hit") is True
    cached_tokens, reasoning_tokens = details_of(metadata)
    return CostEvent(
        event_id=_event_id(payload, started),
        provider=text(payload.get("custom_llm_provider"), 100) or "unknown",
        model=text(payload.get("model") or payload.get("model_group"), 200) or "unknown",
        cost_nanodollars=0
        if is_cached
        else vendor_cost(
            payload.get("response_cost"),
            payload.get("cost_breakdown"),
            are_discounts_ours=settings.discounts == "customer",
        ),
        occurred_at=started,
        tag_value=customer_of(metadata, tidy(end_user), settings),
        input_tokens=count(payload.get("prompt_tokens")),
        output_tokens=count(payload.get("completion_tokens")),
        cached_input_tokens=cached_tokens,
        reasoning_tokens=reasoning_tokens,
        duration_ms=max(round((ended - started).total_seconds() * 1000), 0),
        session_id=text(payload.get("session_id"), 1000) or None,
        trace_id=text(payload.get("trace_id"), 1000) or None,
        event_type=text(payload.get("call_type"), 100) or None,
        tags=tags_of(payload, metadata),
    )


def _event_id(payload: Mapping[str, Any], started: datetime) -> str:
    """The call's own id. A tool that the proxy runs within a call is logged with that one's."""
    call_id = text(payload.get("litellm_call_id") or payload.get("id"), 1000)
    if payload.get("call_type") == _TOOL and call_id:
        return f"{call_id}:tool:{int(started.timestamp() * 1000)}"
    return call_id


def instant(value: object) -> datetime:
    """Seconds since 1970, or a time as databases have it (UTC), as an instant.

    Raises ``ValidationFailed`` for what is neither: a call without a time is in no period.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):
        pass
    raise ValidationFailed("The call has no time.")


def text(value: object, most: int) -> str:
    """At most ``most`` visible characters; ``""`` for what is no text."""
    if not isinstance(value, str):
        return ""
    return "".join(each for each in value if each.isprintable())[:most].strip()


def count(value: object) -> int:
    """A number of tokens; 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return min(max(value, 0), _MOST_TOKENS)


def details_of(metadata: Mapping[str, Any]) -> tuple[int, int]:
    """Input tokens that the vendor had cached, and output tokens spent on reasoning."""
    usage = mapping_of(metadata.get("usage_object"))
    cached = mapping_of(usage.get("prompt_tokens_details")).get("cached_tokens")
    reasoning = mapping_of(usage.get("completion_tokens_details")).get("reasoning_tokens")
    return count(cached), count(reasoning)


def tags_of(payload: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, str]:
    """What helps to find a call again in the proxy."""
    found = {
        "litellm_model_group": text(payload.get("model_group"), 200),
        "litellm_key_alias": text(metadata.get("user_api_key_alias"), 200),
        "litellm_team_id": text(metadata.get("user_api_key_team_id"), 200),
    }
    return {name: value for name, value in found.items() if value}
