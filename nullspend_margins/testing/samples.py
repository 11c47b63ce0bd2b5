"""What plugins are given in tests: requests, alerts, a month, a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from nullspend_margins.domain.alert import Alert, envelope
from nullspend_margins.domain.crossing import THRESHOLD_CROSSED
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.silence import Silence

NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
"""The time of ``FixedClock``, in the middle of a month."""

HOSTILE_NAMES = (
    'O\'Brien & Söhne "GmbH" <script>alert(1)</script>',
    "{name} {0} %s %(name)s ${name} $(id) `id`",
    "*bold* _it_ ~no~ <!channel> <@U1> [a](http://b.example) @everyone :boom:",
    "=cmd|'/c calc'!A1",
    "日本語 \U0001f680 \u202eevil\u2028next line\ufeff",
    "\\\"',;|\\n\\u0000",
    "\t=1+1\r\nLtd ",
    "x" * 256,
)
"""Customer names that a provider may hold: no control characters but tabs and line breaks, and 256
characters at most."""


@dataclass(slots=True)
class FixedClock:
    """A ``Clock`` that stands until a test moves it."""

    moment: datetime = NOW
    """Where it stands, aware; 2026-04-15 12:00 UTC at first."""

    def now(self) -> datetime:
        """The same instant every time."""
        return self.moment

    def advance(self, **duration: float) -> None:
        """Move it; ``duration`` is what ``timedelta`` takes, for example ``hours=2``."""
        self.moment += timedelta(**duration)


def http_scope(
    headers: Mapping[str, str] | None = None,
    *,
    bearer: str | None = None,
    cookies: Mapping[str, str] | None = None,
    **more: object,
) -> dict[str, Any]:
    """The ASGI scope of ``GET /api/margins`` as a browser or a program sends it.

    ``bearer`` is the token of an ``Authorization`` header; ``more`` are further keys of the
    scope, for example ``session={...}`` as a middleware of the host leaves it.
    """
    sent = {"host": "host.test", "accept": "*/*", "user-agent": "tests", **(headers or {})}
    if bearer is not None:
        sent["authorization"] = f"Bearer {bearer}"
    if cookies:
        sent["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/api/margins",
        "raw_path": b"/api/margins",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("203.0.113.7", 52000),
        "server": ("host.test", 80),
        **more,
    }


def sample_alert(
    *,
    alert_id: str = "evt_5c1e0000000000000000000000000001",
    org_id: str = "org_1",
    name: str | None = "Acme Corp",
    tag_value: str = "acme-corp",
    customer_id: str = "cus_abc123",
    period: str = "2026-04",
) -> Alert:
    """A customer that fell from moderate to critical, as the product tells it."""
    customer = {"stripeId": customer_id, "name": name, "tagValue": tag_value}
    tiers = {"previousTier": "moderate", "currentTier": "critical"}
    payload = {
        "id": alert_id,
        "type": THRESHOLD_CROSSED,
        "api_version": "2026-11-01",
        "created_at": int((Period.parse(period).start + timedelta(days=4)).timestamp()),
        "data": {
            "object": {
                "customer": customer,
                "margin": {"previous": 0.25, "current": -0.05, **tiers},
                "revenue_microdollars": 100_000_000,
                "cost_microdollars": 105_000_000,
                "period": period,
            }
        },
    }
    return Alert(alert_id=alert_id, org_id=org_id, type=THRESHOLD_CROSSED, payload=payload)


def sample_stale_alert(
    *,
    alert_id: str = "evt_5c1e0000000000000000000000000002",
    org_id: str = "org_1",
    source: str = "gateway",
    last_error: str | None = "The gateway's database does not answer.",
) -> Alert:
    """A cost source that has been silent for 30 hours, as the product tells it."""
    silence = Silence(
        source=source,
        kind="pulled",
        last_delivered_at=NOW - timedelta(hours=30),
        silent_for=timedelta(hours=30),
        stale_after=timedelta(hours=24),
        last_error=last_error,
    )
    payload = silence.event(alert_id, NOW)
    return Alert(alert_id=alert_id, org_id=org_id, type=silence.type, payload=payload)


def unknown_alert() -> Alert:
    """Of a type that a later release may bring: nothing of its content is known."""
    alert_id, kind = "evt_5c1e0000000000000000000000000003", "example.happened"
    payload = envelope(kind, alert_id, NOW, {"example": [1, "two", None]})
    return Alert(alert_id=alert_id, org_id="org_1", type=kind, payload=payload)
