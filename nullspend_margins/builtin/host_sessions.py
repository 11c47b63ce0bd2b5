"""Authenticators for hosts that already know who is signed in. Pass one in ``plugins=[...]``."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from nullspend_margins.domain.access import ROLES
from nullspend_margins.errors import AuthenticationRequired
from nullspend_margins.plugins.signatures import argument_problem
from nullspend_margins.protocols import Principal, Scope

Answer = Principal | Mapping[str, object] | None
SessionFunction = Callable[[Scope], Answer | Awaitable[Answer]]


class ScopeSessionAuthenticator:
    """Reads the session that a middleware around this product left in ``scope["session"]``.

    For Starlette's ``SessionMiddleware`` and those like it. The keys say where org, user and role
    are in the session; ``default_role`` is for hosts whose sessions have no role.
    """

    def __init__(
        self,
        *,
        org_key: str = "org_id",
        user_key: str = "user_id",
        role_key: str = "role",
        name: str = "scope-session",
        default_role: str | None = None,
    ) -> None:
        if default_role is not None and default_role not in ROLES:
            raise ValueError(
                f"default_role must be one of {', '.join(ROLES)}, not {default_role!r}"
            )
        self.name = name
        self._keys = (org_key, user_key, role_key)
        self._default_role = default_role

    async def authenticate(self, scope: Scope) -> Principal | None:
        """The session's person; ``None`` when nobody is signed in.

        Raises ``AuthenticationRequired`` for a session that names a user without an org, an org
        without a user, or a role that does not exist.
        """
        session = scope.get("session")
        org_key, user_key, role_key = self._keys
        if not session or not (session.get(org_key) or session.get(user_key)):
            return None
        role = session.get(role_key) or self._default_role
        return _principal(session.get(org_key), session.get(user_key), role)


class CallableAuthenticator:
    """Asks a function of the host.

    ``fn`` gets the ASGI scope and returns a ``Principal``, a mapping with ``org_id``, ``user_id``
    and ``role``, or ``None`` for nobody; it may be ``async``. A plain function must not block: it
    runs on the event loop. ``bearer=True``: it is also asked about bearer tokens.
    """

    def __init__(self, fn: SessionFunction, *, name: str = "host", bearer: bool = False) -> None:
        if not callable(fn):
            raise TypeError(
                f"CallableAuthenticator wants a function of the ASGI scope, not {fn!r}; "
                "did you call it?"
            )
        if problem := argument_problem(fn, ["scope"]):
            raise TypeError(f"CallableAuthenticator: {fn!r} {problem}")
        self.name = name
        self.bearer = bearer
        self._fn = fn

    async def authenticate(self, scope: Scope) -> Principal | None:
        """What the function says.

        Raises ``AuthenticationRequired`` when the function does, and for an org, user or role
        that cannot be; ``TypeError`` when the function returned something else altogether.
        """
        found = self._fn(scope)
        if inspect.isawaitable(found):
            found = await found
        if found is None or isinstance(found, Principal):
            return found
        if isinstance(found, Mapping):
            return _principal(found.get("org_id"), found.get("user_id"), found.get("role"))
        raise TypeError(
            f"the session function of authenticator {self.name} returned a "
            f"{type(found).__name__}; it must return a Principal, a mapping with org_id, user_id "
            "and role, or None"
        )


def _principal(org_id: object, user_id: object, role: object) -> Principal:
    """Ids may be numbers or UUIDs, as databases have them. Anything doubtful is no principal."""
    try:
        return Principal(
            org_id=_text("org_id", org_id),
            user_id=_text("user_id", user_id),
            role=_text("role", role),
        )
    except ValueError as problem:
        raise AuthenticationRequired(f"The host's session is not complete: {problem}.") from problem


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, UUID | int) and not isinstance(value, bool):
        return str(value)
    state = "is missing" if value is None else f"is a {type(value).__name__}"
    raise ValueError(f"{name} {state}")
