"""What LiteLLM calls for every call that it has made: the call becomes a cost, without waiting.

The class exists where LiteLLM is installed alone, so it is made by a function: importing this
module imports nothing of it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from nullspend_margins import ConfigurationError, CostEvent, MarginsError
from nullspend_margins_litellm.calls import SOURCE, count, event_of_call, org_of_call
from nullspend_margins_litellm.customers import customer_of, end_user_of, mapping_of
from nullspend_margins_litellm.settings import LiteLLMSettings

INSTALL = 'LiteLLM is not installed here: pip install "litellm[proxy]"'
_END_USER = "user_api_key_end_user_id"
_METADATA = ("metadata", "litellm_metadata")
_PASSED_THROUGH = "passthrough_logging_payload"
_MOST_TOLD = 100

_log = logging.getLogger("nullspend_margins.litellm")


class Recording(Protocol):
    """The part of ``Margins`` that takes costs without waiting."""

    def record(self, org_id: str, events: Sequence[CostEvent], *, source: str = "host") -> int:
        """How many of ``events`` were taken."""
        ...


class CallRecorder:
    """Turns what LiteLLM logs into costs. Knows LiteLLM's names, and none of its code."""

    def __init__(self, margins: Recording, settings: LiteLLMSettings) -> None:
        self._margins = margins
        self._settings = settings
        self._told: set[str] = set()

    def record(self, kwargs: Mapping[str, Any]) -> None:
        """Take one call. Never raises: a call that was answered must not fail for its cost."""
        payload = kwargs.get("standard_logging_object")
        if not isinstance(payload, Mapping):
            self._tell("no standard_logging_object: LiteLLM logs a call in another form")
            return
        try:
            self._record(payload, _request_of(kwargs))
        except MarginsError as problem:
            _log.warning("call %s is not counted: %s", _id_of(payload), problem.message)
        except Exception:
            _log.exception("call %s is not counted", _id_of(payload))

    def record_failure(self, kwargs: Mapping[str, Any]) -> None:
        """Take a call that failed, if the vendor wants money for it all the same."""
        payload = kwargs.get("standard_logging_object")
        if isinstance(payload, Mapping) and payload.get("response_cost"):
            self.record(kwargs)

    def settle(self, data: MutableMapping[str, Any]) -> str | None:
        """Let the proxy's own records name the customer that is believed, and return it.

        ``data`` is a request on its way to the model, as the proxy's hooks see it.
        """
        found = None
        for place in _METADATA:
            metadata = data.get(place)
            # The proxy's own: it removes `user_api_key_...` from what clients send.
            if isinstance(metadata, MutableMapping) and _END_USER in metadata:
                request = mapping_of(data.get("proxy_server_request"))
                end_user = end_user_of(metadata, request, self._settings)
                found = customer_of(metadata, end_user, self._settings)
                if found and found == end_user:
                    found = str(metadata[_END_USER])  # as the proxy spells it, for its budgets
                metadata[_END_USER] = found or None
        return found

    def _record(self, payload: Mapping[str, Any], request: Mapping[str, Any]) -> None:
        metadata = mapping_of(payload.get("metadata"))
        org_id = org_of_call(payload, self._settings)
        if org_id is None:
            team = metadata.get("user_api_key_team_id")
            self._tell(f"calls of team {team!r} belong to no org: see [plugins.litellm] org, orgs")
            return
        event = event_of_call(
            payload, end_user_of(metadata, request, self._settings), self._settings
        )
        if not event.cost_nanodollars and _has_worked(payload):
            self._tell(
                f"LiteLLM has no price of model {event.model!r}, so its calls cost nothing. If it "
                "has one, set input_cost_per_token and output_cost_per_token"
            )
        self._margins.record(org_id, [event], source=SOURCE)

    def _tell(self, problem: str) -> None:
        """Once for each problem: it would come with every call."""
        if problem not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(problem)
            _log.warning("costs are missing: %s", problem)


def make_callback(recorder: CallRecorder) -> Any:
    """A LiteLLM ``CustomLogger`` over ``recorder``. Raises ``ConfigurationError`` without it."""
    return _callback_class()(recorder)


@cache
def _callback_class() -> Any:
    try:
        module: Any = import_module("litellm.integrations.custom_logger")
    except ImportError:
        raise ConfigurationError(INSTALL) from None

    # LiteLLM may not be installed, so its class is known at run time only; it reads the name.
    class Margins_PROXY_Callback(module.CustomLogger):  # type: ignore[misc] # noqa: N801
        """Logs to margins. Asynchronous methods alone: with both kinds a call comes twice.

        By ``_PROXY_`` in a class's name LiteLLM knows what it has to call even when the client
        asks for ``no-log``.
        """

        def __init__(self, recorder: CallRecorder) -> None:
            super().__init__()
            self._recorder = recorder

        # More comes with each: the response, which is not looked at, and times.
        async def async_log_success_event(self, kwargs: Any, *_: Any, **__: Any) -> None:
            self._recorder.record(kwargs)

        async def async_log_failure_event(self, kwargs: Any, *_: Any, **__: Any) -> None:
            self._recorder.record_failure(kwargs)

        async def async_pre_call_hook(
            self,
            user_api_key_dict: Any,
            cache: Any,  # noqa: ARG002 - LiteLLM passes it by this name
            data: Any,
            call_type: Any,  # noqa: ARG002 - the same
        ) -> Any:
            found = self._recorder.settle(data)
            if found is not None:
                user_api_key_dict.end_user_id = found or None
            return data

    return Margins_PROXY_Callback


def _request_of(kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request as far as it is known: of one that the proxy passed through, the body it keeps
    lacks `metadata` and `litellm_metadata`, in which the end user may have stood.
    """
    request = mapping_of(mapping_of(kwargs.get("litellm_params")).get("proxy_server_request"))
    return {**request, "body": None} if kwargs.get(_PASSED_THROUGH) is not None else request


def _has_worked(payload: Mapping[str, Any]) -> bool:
    """Whether the vendor was asked, and read something."""
    is_cached = payload.get("cache_hit") is True
    return (
        payload.get("status") == "success"
        and not is_cached
        and count(payload.get("prompt_tokens")) > 0
    )


def _id_of(payload: Mapping[str, Any]) -> str:
    return repr(payload.get("litellm_call_id"))
