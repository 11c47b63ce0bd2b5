"""Calls as LiteLLM logs them, and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nullspend_margins import CostEvent, PluginContext
from nullspend_margins_litellm.settings import LiteLLMSettings

STARTED = 1_775_383_200.25  # 2026-04-05T10:00:00.25Z


def settings(**table: Any) -> LiteLLMSettings:
    """``[plugins.litellm]`` with these keys, for one org; a key that is ``None`` is left out."""
    given = {key: value for key, value in {"org": "org_1", **table}.items() if value is not None}
    return PluginContext(name="litellm", table=given).settings(LiteLLMSettings)


def payload(**changes: Any) -> dict[str, Any]:
    """A ``standard_logging_object``, as LiteLLM 1.106 makes it of one call."""
    metadata = {
        "user_api_key_alias": "key-of-acme",
        "user_api_key_team_id": "team-1",
        "user_api_key_team_alias": "Acme",
        "user_api_key_org_id": None,
        "user_api_key_user_id": "ada",
        "user_api_key_end_user_id": "acme",
        "user_api_key_auth_metadata": {"customer": "acme-by-key"},
        "usage_object": {
            "prompt_tokens_details": {"cached_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
    }
    return {
        "id": "chatcmpl-1",
        "litellm_call_id": "call-1",
        "call_type": "acompletion",
        "cache_hit": None,
        "stream": False,
        "status": "success",
        "custom_llm_provider": "openai",
        "startTime": STARTED,
        "endTime": STARTED + 1.5,
        "model": "gpt-4o",
        "model_group": "chat",
        "response_cost": 0.00123,
        "cost_breakdown": {"original_cost": 0.00123, "total_cost": 0.00123},
        "prompt_tokens": 10,
        "completion_tokens": 20,
        "trace_id": "trace-1",
        "messages": "a secret prompt",
        "response": {"content": "a secret answer"},
        **changes,
        "metadata": {**metadata, **changes.get("metadata", {})},
    }


def logged(
    *, headers: Mapping[str, str] | None = None, body: Any = None, **changes: Any
) -> dict[str, Any]:
    """The ``kwargs`` of a callback for one call, from a request with these headers and body."""
    request = {"headers": headers or {}, "body": {"model": "chat"} if body is None else body}
    return {
        "standard_logging_object": payload(**changes),
        "litellm_params": {"proxy_server_request": request},
    }


class Ledger:
    """Takes costs as ``Margins`` does, and keeps them."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, CostEvent]] = []

    def record(self, org_id: str, events: Sequence[CostEvent], *, source: str = "host") -> int:
        self.taken += [(org_id, source, event) for event in events]
        return len(events)

    @property
    def event(self) -> CostEvent:
        """The only one."""
        ((_, _, event),) = self.taken
        return event
