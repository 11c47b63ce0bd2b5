"""Posts alerts to one incoming webhook of Slack."""

from __future__ import annotations

import re

import msgspec

from nullspend_margins import (
    Alert,
    Clock,
    Outbound,
    OutboundAnswer,
    ServiceUnavailable,
    ValidationFailed,
)
from nullspend_margins_slack.message import message_of
from nullspend_margins_slack.settings import Channel

_LOST = frozenset({403, 404, 410})
"""The webhook, its app or its channel is gone: ``invalid_token``, ``no_service`` and others."""
_MAX_BODY = 1024
_CODE = re.compile(rb"[a-z_]{1,64}")


class SlackNotifier:
    """One channel."""

    def __init__(
        self, channel: Channel, *, link: str | None, outbound: Outbound, clock: Clock
    ) -> None:
        self.name: str = channel.notifier_name
        self.orgs: tuple[str, ...] | None = channel.orgs
        self._url = channel.url.reveal().strip()
        self._link = link
        self._outbound = outbound
        self._clock = clock

    async def notify(self, alert: Alert) -> None:
        """Slack says ``ok``, or why not."""
        answer = await self._outbound.post(
            self._url,
            content=msgspec.json.encode(message_of(alert, self._link)),
            headers={"Content-Type": "application/json; charset=utf-8"},
            max_body=_MAX_BODY,
        )
        if answer.is_success and answer.body.strip() == b"ok":
            return
        if answer.status in _LOST:
            raise ValidationFailed(
                f"Slack takes no messages here any more: {_reason(answer)}. Make a new webhook."
            )
        raise ServiceUnavailable(
            f"Slack did not take the message: {_reason(answer)}.",
            retry_after_seconds=answer.retry_after_seconds(self._clock.now()),
        )


def _reason(answer: OutboundAnswer) -> str:
    """Status and Slack's own code; nothing else of what was answered."""
    code = answer.body.strip()
    said = f" ({code.decode()})" if _CODE.fullmatch(code) else ""
    wait = answer.headers.get("retry-after", "")
    asked = f", and asks to wait {wait} s" if wait.isdecimal() and len(wait) <= 5 else ""
    return f"it answered with {answer.status}{said}{asked}"
