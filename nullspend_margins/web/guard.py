"""Who may pass. The order of the checks is part of the contract."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.responses import Response

from nullspend_margins.config import Config
from nullspend_margins.domain.access import Role
from nullspend_margins.errors import AuthenticationRequired
from nullspend_margins.protocols import Principal
from nullspend_margins.web.call import CronCall, Incoming, IngestCall, OrgCall
from nullspend_margins.web.limits import RateLimiter
from nullspend_margins.web.origin import require_own_site
from nullspend_margins.web.route import IngestRoute, SessionRoute

if TYPE_CHECKING:
    from nullspend_margins.services import Services

INGEST_KEY_HEADER = "X-NullSpend-Key"


class Guard:
    """Lets a call through to its endpoint, in the name of an org, or raises."""

    def __init__(self, config: Config, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        limits = config.limits
        self._requests = RateLimiter(limits.requests_per_minute, "requests", monotonic=monotonic)
        self._events = RateLimiter(limits.events_per_minute, "cost events", monotonic=monotonic)

    async def session(self, route: SessionRoute, request: Incoming, services: Services) -> Response:
        """Serve a person (or the cron job, where the route has something for it).

        Authentication, plan, role, then where the request comes from, rate limit.
        """
        access = services.access
        if route.cron is not None and access.is_cron(request.scope):
            return await route.cron(CronCall(request=request, services=services))
        who = await access.authenticate(request.scope)
        org_id = who.principal.org_id
        if route.plan_gated:
            await access.require_plan(org_id)
        access.require_role(who.principal, route.role)
        if not route.is_safe and not who.via_bearer:
            require_own_site(request.scope)
        self._requests.take(org_id)
        return await route.endpoint(OrgCall(request=request, services=services, org_id=org_id))

    async def page(
        self, request: Incoming, services: Services, *, role: Role, is_safe: bool
    ) -> Principal:
        """Who looks at a page, after the same checks in the same order.

        Raises ``AuthenticationRequired``, ``Forbidden`` and ``RateLimitExceeded``.
        """
        access = services.access
        who = await access.authenticate(request.scope)
        await access.require_plan(who.principal.org_id)
        access.require_role(who.principal, role)
        if not is_safe:
            require_own_site(request.scope)
        self._requests.take(who.principal.org_id)
        return who.principal

    async def ingest(self, route: IngestRoute, request: Incoming, services: Services) -> Response:
        """Serve the holder of a cost-event key. The endpoint counts its events."""
        key = request.header(INGEST_KEY_HEADER)
        org_id = await services.keys.org_of(key) if key else None
        if org_id is None:
            raise AuthenticationRequired(
                f"Send a cost-event key of this org in the {INGEST_KEY_HEADER} header."
            )
        return await route.endpoint(
            IngestCall(
                request=request,
                services=services,
                org_id=org_id,
                event_limit=self._events,
            )
        )
