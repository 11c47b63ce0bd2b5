"""Notifiers as the product makes them, in front of receivers on loopback."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from nullspend_margins import Alert, Notifier, Outbound, PluginContext
from nullspend_margins_webhook.plugin import register_notifiers
from tests.outbound.receivers import client
from tests.world import FixedClock

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(100, 124))).decode()
URL = "https://hooks.example.test/margins"

ALERT = Alert(
    alert_id="evt_5c1e",
    org_id="org_1",
    type="margin.threshold_crossed",
    payload={
        "id": "evt_5c1e",
        "type": "margin.threshold_crossed",
        "api_version": "2026-11-01",
        "created_at": 1775383200,
        "data": {
            "object": {
                "customer": {"stripeId": "cus_1", "name": "Zoë & Söhne ✓", "tagValue": "zoe"},
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
        },
    },
)


def notifiers(
    table: Mapping[str, object],
    *,
    outbound: Outbound | None = None,
    clock: FixedClock | None = None,
) -> list[Notifier]:
    """What ``[plugins.webhook]`` registers."""
    return register_notifiers(
        PluginContext(name="webhook", table=table, outbound=outbound or client(), clock=clock)
    )


def one(port: int, *secrets: str, clock: FixedClock | None = None) -> Notifier:
    """The notifier of a single receiver on loopback."""
    url = f"http://hooks.example.test:{port}/margins?token=s3cr3t"
    [found] = notifiers({"url": url, "secrets": list(secrets or (SECRET,))}, clock=clock)
    return found
