"""Cost sources that have fallen silent: what an alert says of one. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from nullspend_margins.domain.alert import envelope
from nullspend_margins.domain.delivery import SourceKind
from nullspend_margins.domain.period import as_utc

SOURCE_STALE = "cost_source.stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A source that has not delivered for longer than it may: what an alert is written for.

    Once for each silence: it is told by the delivery that was the last one.
    """

    source: str
    kind: SourceKind
    last_delivered_at: datetime
    silent_for: timedelta
    stale_after: timedelta
    last_error: str | None

    @property
    def type(self) -> str:
        """``cost_source.stale``."""
        return SOURCE_STALE

    @property
    def provider(self) -> str:
        """None: it is about costs."""
        return ""

    @property
    def subject(self) -> str:
        """The source's name."""
        return self.source

    @property
    def about(self) -> str:
        """The source's name."""
        return self.source

    @property
    def occasion(self) -> str:
        """The moment of the last delivery."""
        return f"since {as_utc(self.last_delivered_at).isoformat(timespec='microseconds')}"

    def event(self, alert_id: str, created_at: datetime) -> dict[str, object]:
        """The event as it is sent: instants in Unix seconds."""
        content = {
            "source": self.source,
            "kind": self.kind,
            "last_delivered_at": int(self.last_delivered_at.timestamp()),
            "silent_seconds": int(self.silent_for.total_seconds()),
            "stale_after_seconds": int(self.stale_after.total_seconds()),
            "last_error": self.last_error,
        }
        return envelope(self.type, alert_id, created_at, content)
