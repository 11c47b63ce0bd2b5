"""Who is asking, what their org pays for, and what they may do."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from nullspend_margins.config import Config
from nullspend_margins.domain.access import PLANS, Plan, Role
from nullspend_margins.domain.bearer import bearer_tokens
from nullspend_margins.errors import AuthenticationRequired, Forbidden
from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import Authenticator, PlanChecker, Principal, Scope


@dataclass(frozen=True, slots=True)
class Access:
    """An authenticated request. ``via_bearer``: by a token, not by anything a browser adds."""

    principal: Principal
    via_bearer: bool


class AccessService:
    """Asks the authenticators and plan checkers in their order."""

    def __init__(self, registry: Registry, config: Config) -> None:
        self._authenticators: Sequence[Authenticator] = registry.authenticators
        self._plan_checkers: Sequence[PlanChecker] = registry.plan_checkers
        self._required = PLANS[config.plans.required]
        self._upgrade_url = config.plans.upgrade_url
        self._cron_secret = config.cron.secret

    async def authenticate(self, scope: Scope) -> Access:
        """The principal of an ASGI scope. Raises ``AuthenticationRequired``.

        A request with a bearer token is shown only to authenticators that declare ``bearer``:
        a cookie beside it never counts.
        """
        tokens = bearer_tokens(scope.get("headers", ()))
        if self.is_cron(scope):
            raise AuthenticationRequired("The cron secret is for the sync routes only.")
        for authenticator in self._authenticators:
            if tokens and not getattr(authenticator, "bearer", False):
                continue
            principal = await authenticator.authenticate(scope)
            if principal is None:
                continue
            if not isinstance(principal, Principal):
                raise TypeError(
                    f"authenticator {authenticator.name!r} returned "
                    f"{type(principal).__name__}, not a Principal or None"
                )
            return Access(principal, bool(tokens))
        raise AuthenticationRequired

    def is_cron(self, scope: Scope) -> bool:
        """The request carries the cron secret. Compared in constant time."""
        expected = self._cron_secret.reveal() if self._cron_secret else ""
        tokens = bearer_tokens(scope.get("headers", ()))
        if not expected or len(tokens) != 1:
            return False
        return hmac.compare_digest(tokens[0], expected.encode())

    async def plan(self, org_id: str) -> Plan:
        """What the org pays for; free when no checker knows it."""
        for checker in self._plan_checkers:
            answer = await checker.plan(org_id)
            if answer is None:
                continue
            if not isinstance(answer, str) or answer not in PLANS:
                raise TypeError(
                    f"plan checker {checker.name!r} returned {answer!r}, "
                    f"not one of {', '.join(PLANS)} or None"
                )
            return PLANS[answer]
        return Plan.FREE

    async def has_plan(self, org_id: str) -> bool:
        """Whether the org's plan includes this product."""
        return await self.plan(org_id) >= self._required

    async def require_plan(self, org_id: str) -> None:
        """Raise ``Forbidden``, pointing to the upgrade, unless the org's plan qualifies."""
        current = await self.plan(org_id)
        if current >= self._required:
            return
        required = self._required.wire_name
        where = f" Upgrade at {self._upgrade_url}." if self._upgrade_url else ""
        raise Forbidden(
            f"Margins need the {required} plan or above; "
            f"this org is on {current.wire_name}.{where}",
            details={
                "requiredPlan": required,
                "currentPlan": current.wire_name,
                "upgradeUrl": self._upgrade_url or None,
            },
        )

    def require_role(self, principal: Principal, role: Role) -> None:
        """Raise ``Forbidden`` unless the principal has ``role`` or one that includes it."""
        if principal.rank >= role:
            return
        raise Forbidden(
            f"This needs the role {role.wire_name}; you are {principal.role} in this org.",
            details={"requiredRole": role.wire_name, "currentRole": principal.role},
        )
