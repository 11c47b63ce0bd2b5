"""The proxy's own keys and roles as sessions: whoever administers the proxy may see margins.

Asked within the proxy's process alone; elsewhere (the command line, another host) nobody is
signed in by it. Everything that is not a plain yes of the proxy is a no.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any

from nullspend_margins import AuthenticationRequired, Principal, Scope, ServiceUnavailable
from nullspend_margins_litellm.customers import tidy
from nullspend_margins_litellm.settings import ADMIN_ROLES, LiteLLMSettings

ORG_HEADER = b"x-nullspend-org"
"""By which an administrator of the proxy, whose key has no team, chooses among the orgs."""
Ask = Callable[[str, Scope], Awaitable[Any]]
"""From a key and the scope it came with to the proxy's ``UserAPIKeyAuth``; raises what it likes."""

_PROXY = "litellm.proxy.proxy_server"
_FALLBACK = "failed-to-connect-to-db"
"""The token that the proxy makes up for anybody while its database is away."""
_HOLDER = ("api_key", "token", "user_id", "team_id")
"""One of which the proxy knows of every key. It knows none of anybody at all, to whom it gives a
role, too, where its operator has made the route that is asked for public.
"""
_MOST_KEY = 16_384
_REFUSED = "The proxy does not take this key."

_log = logging.getLogger("nullspend_margins.litellm")


class LiteLLMAuthenticator:
    """``Authorization: Bearer`` with a key of the proxy."""

    name: str = "litellm"
    bearer: bool = True

    def __init__(self, settings: LiteLLMSettings, *, ask: Ask | None = None) -> None:
        self._settings = settings
        self._ask = ask

    async def authenticate(self, scope: Scope) -> Principal | None:
        """The holder of a key of the proxy; ``None`` without a key, and outside of the proxy.

        Raises ``AuthenticationRequired`` for a key that the proxy refuses or whose role is not
        among ``roles``, and ``ServiceUnavailable`` when the proxy can't tell.
        """
        keys = _bearer_keys(scope)
        ask = self._ask or _proxy_of_this_process()
        if not keys or ask is None:
            return None
        key = keys[0].decode("latin-1")
        if len(keys) > 1 or not key.isprintable() or not 0 < len(key) <= _MOST_KEY:
            raise AuthenticationRequired(_REFUSED)
        return self._principal(await _answer(ask, key, scope), scope)

    def _principal(self, found: Any, scope: Scope) -> Principal:
        if getattr(found, "token", None) == _FALLBACK:
            raise ServiceUnavailable("The proxy's database does not answer.")
        role_there = _text(getattr(found, "user_role", None)) or "none"
        if role_there not in ADMIN_ROLES and not any(
            getattr(found, name, None) for name in _HOLDER
        ):
            raise AuthenticationRequired(_REFUSED)
        role = self._settings.roles.get(role_there)
        if role is None:
            raise AuthenticationRequired("Keys of this role may not see margins.")
        org_id = self._chosen(scope) if role_there in ADMIN_ROLES else None
        org_id = org_id or self._settings.org_of(
            getattr(found, "team_id", None), getattr(found, "org_id", None)
        )
        if org_id is None:
            raise AuthenticationRequired("This key belongs to no org whose margins are here.")
        user_id = tidy(getattr(found, "user_id", None)) or tidy(getattr(found, "key_alias", None))
        try:
            return Principal(org_id=org_id, user_id=user_id or role_there, role=role)
        except ValueError:
            raise AuthenticationRequired("This key has no name that can be shown.") from None

    def _chosen(self, scope: Scope) -> str | None:
        """The org that an administrator asks for, if there is such a one."""
        wanted = {value for name, value in scope["headers"] if name.lower() == ORG_HEADER}
        known = {self._settings.org, *self._settings.orgs.values()} - {None}
        asked = [each for each in known if each is not None and each.encode() in wanted]
        if len(wanted) > 1 or len(asked) < len(wanted):
            raise AuthenticationRequired("X-NullSpend-Org names no org whose margins are here.")
        return asked[0] if asked else None


async def _answer(ask: Ask, key: str, scope: Scope) -> Any:
    """What the proxy says of ``key``; its errors may quote it, so none of them goes on."""
    try:
        return await ask(key, scope)
    except Exception as problem:
        status = _status(problem)
        _log.info("the proxy refuses a key: %s, status %s", type(problem).__name__, status)
        failure: Exception = AuthenticationRequired(_REFUSED)
        if status is None or status >= 500:
            failure = ServiceUnavailable("The proxy can't check keys at the moment.")
    raise failure


def _status(problem: Exception) -> int | None:
    """The HTTP status of an error of FastAPI (``status_code``) or of the proxy (``code``)."""
    for name in ("status_code", "code"):
        value = str(getattr(problem, name, None))
        if value.isascii() and value.isdigit() and len(value) == 3:
            return int(value)
    return None


def _text(value: Any) -> str:
    """A role, which may be an enumeration's member."""
    found = getattr(value, "value", value)
    return found if isinstance(found, str) else ""


def _bearer_keys(scope: Scope) -> list[bytes]:
    return [
        value[6:].strip()
        for name, value in scope["headers"]
        if name.lower() == b"authorization"
        and value[:6].lower() == b"bearer"
        and not value[6:7].strip()
    ]


def _proxy_of_this_process() -> Ask | None:
    """The proxy, if it runs here and checks keys at all."""
    proxy = sys.modules.get(_PROXY)
    checks = getattr(proxy, "master_key", None) or getattr(proxy, "user_custom_auth", None)
    return _ask_proxy if checks else None


async def _ask_proxy(key: str, scope: Scope) -> Any:
    """Ask as for the list of models, which every key may see: the role decides here, not there.

    Nothing of the request but its key and address is shown to the proxy.
    """
    from starlette.requests import Request

    auth = import_module("litellm.proxy.auth.user_api_key_auth")
    bearer = f"Bearer {key}"
    asked: Mapping[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/v1/models",
        "raw_path": b"/v1/models",
        "root_path": "",
        "query_string": b"",
        "headers": [(b"authorization", bearer.encode("latin-1")), (b"host", b"localhost")],
        "client": scope.get("client"),
        "server": scope.get("server"),
        "state": {},
    }
    request = Request(dict(asked), receive=_nothing)
    return await auth.user_api_key_auth(request=request, api_key=bearer)


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}
