"""A Slack on loopback that checks what it gets, and alerts to send."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from nullspend_margins import Alert, Notifier, Outbound, PluginContext
from nullspend_margins_slack.plugin import register_notifiers
from tests.outbound.receivers import Receiver, answer, client, receiving
from tests.slack.block_kit import problems

URL = "https://hooks.slack.com/services/T00/B00/s3cr3t"
OK = answer(200, b"ok", Content_Type="text/html")


def alert(**changes: object) -> Alert:
    """An alert whose customer, margin or amounts are changed."""
    crossing: dict[str, Any] = {
        "customer": {"stripeId": "cus_1", "name": "Acme Corp", "tagValue": "acme"},
        "margin": {
            "previous": 0.25,
            "current": -0.05,
            "previousTier": "moderate",
            "currentTier": "critical",
        },
        "revenue_microdollars": 100_000_000,
        "cost_microdollars": 105_000_000,
        "period": "2026-04",
    }
    for name, value in changes.items():
        if isinstance(value, Mapping):
            crossing[name] = {**crossing[name], **value}
        else:
            crossing[name] = value
    return Alert(
        alert_id="evt_5c1e",
        org_id="org_1",
        type="margin.threshold_crossed",
        payload={"id": "evt_5c1e", "data": {"object": crossing}},
    )


def notifiers(table: Mapping[str, object], *, outbound: Outbound | None = None) -> list[Notifier]:
    """What ``[plugins.slack]`` registers."""
    return register_notifiers(
        PluginContext(name="slack", table=table, outbound=outbound or client())
    )


@dataclass(slots=True)
class Slack:
    """The receiver, and what was posted to it."""

    receiver: Receiver
    notifier: Notifier = field(init=False)

    @property
    def messages(self) -> list[Any]:
        """All messages, each of which Slack would have taken."""
        found = [json.loads(request.body) for request in self.receiver.received]
        assert [problems(message) for message in found] == [[]] * len(found)
        return found


@asynccontextmanager
async def slack(*answers: bytes, **table: object) -> AsyncIterator[Slack]:
    """A Slack that gives ``answers``, and a notifier that posts there."""
    async with receiving(*(answers or (OK,))) as receiver:
        found = Slack(receiver)
        url = f"http://hooks.slack.test:{receiver.port}/services/T00/B00/s3cr3t"
        lookup = client(_Anywhere())  # type: ignore[arg-type]
        [found.notifier] = notifiers({"url": url, **table}, outbound=lookup)
        yield found


class _Anywhere:
    async def __call__(self, host: str, port: int) -> list[str]:
        return ["127.0.0.1"]
