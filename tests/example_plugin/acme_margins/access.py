"""Who is asking, what their org pays for, and who hears about alerts."""

import hmac
import json
from collections.abc import Collection
from typing import ClassVar

from nullspend_margins import (
    Alert,
    AuthenticationRequired,
    PluginContext,
    Principal,
    Scope,
    ServiceUnavailable,
)


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
        if not hmac.compare_digest(token, self._token):
            raise AuthenticationRequired("This Acme token is not valid.")
        try:
            org_id = headers.get(b"x-acme-org", b"").decode()
            return Principal(org_id=org_id, user_id="acme", role="viewer")
        except ValueError as problem:  # a header may hold anything
            raise AuthenticationRequired("X-Acme-Org must name an org.") from problem


class AcmePlans:
    """Some orgs are on enterprise; the others are left to the next plan checker."""

    name = "acme"

    def __init__(self, enterprise_orgs: Collection[str]) -> None:
        self._enterprise_orgs = frozenset(enterprise_orgs)

    async def plan(self, org_id: str) -> str | None:
        return "enterprise" if org_id in self._enterprise_orgs else None


class AcmeWebhook:
    """Posts each alert as it is. Any error means: keep it and try again later.

    By ``outbound``, since people configure the URL: nothing internal is reached, and the URL,
    which may hold a token, is not logged.
    """

    name = "acme"

    def __init__(self, url: str, context: PluginContext) -> None:
        self._url = url
        self._outbound = context.outbound

    async def notify(self, alert: Alert) -> None:
        body = json.dumps(dict(alert.payload)).encode()
        headers = {"Content-Type": "application/json"}
        answer = await self._outbound.post(self._url, content=body, headers=headers)
        if not answer.is_success:
            raise ServiceUnavailable(f"{answer.host} answered HTTP {answer.status}.")
