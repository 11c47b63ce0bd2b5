"""Posts alerts to one receiver, signed anew at every attempt."""

from __future__ import annotations

import msgspec

from nullspend_margins import Alert, Clock, Outbound, ServiceUnavailable, ValidationFailed
from nullspend_margins_webhook.settings import Endpoint
from nullspend_margins_webhook.signing import signed_headers

_GONE = 410
_MAY_ASK_TO_WAIT = frozenset({429, 503})


class WebhookNotifier:
    """One endpoint. Every request has the alert's id, the time of the attempt and signatures."""

    def __init__(self, endpoint: Endpoint, *, outbound: Outbound, clock: Clock) -> None:
        self.name: str = endpoint.notifier_name
        self.orgs: tuple[str, ...] | None = endpoint.orgs
        self._url = endpoint.url.reveal().strip()
        self._secrets = [secret.reveal().strip() for secret in endpoint.secrets]
        self._outbound = outbound
        self._clock = clock

    async def notify(self, alert: Alert) -> None:
        """Any 2xx is delivered, 410 is final, anything else is tried again.

        429 and 503 may say by ``Retry-After`` when.
        """
        body = msgspec.json.encode(dict(alert.payload))
        timestamp = int(self._clock.now().timestamp())
        headers = signed_headers(alert.alert_id, timestamp, body, self._secrets)
        headers["Content-Type"] = "application/json"
        answer = await self._outbound.post(self._url, content=body, headers=headers, max_body=0)
        if answer.is_success:
            return
        if answer.status == _GONE:
            raise ValidationFailed(f"{answer.host} answered with {_GONE}: the endpoint is gone.")
        asks = answer.status in _MAY_ASK_TO_WAIT
        raise ServiceUnavailable(
            f"{answer.host} answered with {answer.status}.",
            retry_after_seconds=answer.retry_after_seconds(self._clock.now()) if asks else None,
        )
