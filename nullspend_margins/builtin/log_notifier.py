"""The default notifier: alerts as lines in the log."""

from __future__ import annotations

import json
import logging

from nullspend_margins.domain.alert import Alert

_log = logging.getLogger("nullspend_margins.alerts")


class LogNotifier:
    """Writes each alert as one warning, so that it is seen where nothing else is set up."""

    name = "log"

    async def notify(self, alert: Alert) -> None:
        """Never fails. The payload is JSON in one line: nothing in a name can forge a second."""
        payload = json.dumps(alert.payload, default=str, sort_keys=True)
        _log.warning("%s %s in org %s: %s", alert.type, alert.alert_id, alert.org_id, payload)
