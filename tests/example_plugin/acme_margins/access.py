"""Who is asking, what their org pays for, and who hears about alerts."""

import hmac
from collections.abc import Collection
from typing import ClassVar

from nullspend_margins import Alert, AuthenticationRequired, PluginContext, Principal, Scope


class AcmeTokens:
    """Machines that send ``Authorization: Bearer acme_...`` and ``X-Acme-Org``."""

    name = "acme"
    bearer: ClassVar[bool] = True

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    async def authenticate(self, scope: Scope) -> Principal | None:
        headers = dict(scope["headers"])
        _, _, token = headers.get(b"authorization", b"").partition(b" ")
        if not token.startswith(b"acme_"):
            return None  # not ours: the next authenticator is asked
        if not hmac.compare_digest(token, self._token) or b"x-acme-org" not in headers:
            raise AuthenticationRequired("This Acme token is not valid, or X-Acme-Org is missing.")
        return Principal(org_id=headers[b"x-acme-org"].decode(), user_id="acme", role="viewer")


class AcmePlans:
    """Some orgs are on enterprise; the others are left to the next plan checker."""

    name = "acme"

    def __init__(self, enterprise_orgs: Collection[str]) -> None:
        self._enterprise_orgs = frozenset(enterprise_orgs)

    async def plan(self, org_id: str) -> str | None:
        return "enterprise" if org_id in self._enterprise_orgs else None


class AcmeWebhook:
    """Posts each alert as it is. Any error means: keep it and try again later."""

    name = "acme"

    def __init__(self, url: str, context: PluginContext) -> None:
        self._url = url
        self._context = context

    async def notify(self, alert: Alert) -> None:
        response = await self._context.http.post(self._url, json=dict(alert.payload))
        response.raise_for_status()
