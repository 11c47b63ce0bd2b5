"""The default sign-in: a cookie that this product signed itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, ClassVar

from itsdangerous import BadData

from nullspend_margins.config import Config, SessionSettings
from nullspend_margins.errors import AuthenticationRequired
from nullspend_margins.protocols import Clock, Principal, Scope, SystemClock
from nullspend_margins.signing import SignedValues

_SALT = "nullspend_margins.session"
"""A signature made for another purpose with the same key is not a session."""
_FIELDS = ("org", "user", "role")
_SESSIONS_REMEMBERED = 1_024


def sign_session(
    config: Config, *, org_id: str, user_id: str, role: str, clock: Clock | None = None
) -> str:
    """The value of a session cookie, valid for ``config.session.max_age_seconds`` from now.

    The cookie is called ``config.session.cookie_name``. Raises ``ValueError`` for a role that
    does not exist and for ids that can't be.
    """
    principal = Principal(org_id=org_id, user_id=user_id, role=role)
    values = (principal.org_id, principal.user_id, principal.role)
    payload = dict(zip(_FIELDS, values, strict=True))
    return SignedValues(config.session, _SALT, clock or SystemClock()).sign(payload)


class SignedSessionAuthenticator:
    """Reads the cookie that ``sign_session`` makes."""

    name = "sessions"
    bearer: ClassVar[bool] = False

    def __init__(self, settings: SessionSettings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._signed = SignedValues(settings, _SALT, self._clock)
        self._max_age = timedelta(seconds=settings.max_age_seconds)
        # What a signature says never changes, and checking it takes longer than all else here.
        # Only what is signed is remembered: what is not raises.
        self._verified = lru_cache(_SESSIONS_REMEMBERED)(self._verify)

    async def authenticate(self, scope: Scope) -> Principal | None:
        """The cookie's person, ``None`` without the cookie.

        Raises ``AuthenticationRequired`` for a cookie that is forged, damaged or too old.
        """
        refusal: AuthenticationRequired | None = None
        # A browser may send several of one name (from a parent domain, or for another path).
        for value in _cookies(scope, self._settings.cookie_name):
            try:
                return self._read(value)
            except AuthenticationRequired as problem:
                refusal = problem
        if refusal is not None:
            raise refusal
        return None

    def _read(self, value: str) -> Principal:
        principal, signed_at = self._verified(value)
        # One signed on a host whose clock is ahead is no forgery: only the age counts.
        if self._clock.now() - signed_at > self._max_age:
            raise AuthenticationRequired("Your session has expired: sign in again.")
        return principal

    def _verify(self, value: str) -> tuple[Principal, datetime]:
        """Whose a cookie is, and when it was signed. Raises ``AuthenticationRequired``."""
        try:
            payload, signed_at = self._signed.read(value)
            org_id, user_id, role = (payload[name] for name in _FIELDS)
            principal = Principal(org_id=org_id, user_id=user_id, role=role)
        except (BadData, LookupError, TypeError, ValueError) as problem:
            raise AuthenticationRequired(
                "This session cookie is not valid here: sign in again."
            ) from problem
        return principal, signed_at


def _cookies(scope: Scope, name: str) -> Iterator[str]:
    headers: Any = scope.get("headers", ())
    for header, value in headers:
        if header.lower() == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                key, _, content = pair.partition("=")
                if key.strip() == name:
                    yield content.strip().strip('"')
