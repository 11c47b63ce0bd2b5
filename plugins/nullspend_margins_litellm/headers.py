"""Settles, before the proxy sees a request, which of its headers name the customer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from nullspend_margins_litellm.customers import CUSTOMER_HEADER, tidy
from nullspend_margins_litellm.settings import LiteLLMSettings

Message = MutableMapping[str, Any]
ASGIApp = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]
Headers = Iterable[tuple[bytes, bytes]]

STANDARD_HEADERS = (CUSTOMER_HEADER, "x-litellm-end-user-id")
"""Where every LiteLLM proxy looks for the end user, whatever its settings."""
CALL_ID_HEADER = "x-litellm-call-id"


class HeaderGuard:
    """Pure ASGI, around the whole proxy.

    What reaches the proxy names the customer in one header, ``x-litellm-customer-id``, or in
    none. ``proxy_settings`` gives the proxy's ``general_settings``, in which it may have been
    told further names; ``before`` is called with every request.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: LiteLLMSettings,
        *,
        proxy_settings: Callable[[], Mapping[str, Any]] = dict,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._app = app
        self._settings = settings
        self._proxy_settings = proxy_settings
        self._before = before
        self._trusted = tuple(name.encode() for name in settings.trusted_headers)
        fixed = () if settings.trust_call_ids else (CALL_ID_HEADER,)
        self._fixed = frozenset(name.encode() for name in (*STANDARD_HEADERS, *fixed))
        # A header of that role takes the place of the key's own user.
        is_user = settings.customer == "user_id"
        self._roles = ("customer", "internal_user") if is_user else ("customer",)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Serve one ASGI connection."""
        if scope["type"] in ("http", "websocket"):
            self._before()
            scope = {**scope, "headers": self.settled(scope["headers"])}
        await self._app(scope, receive, send)

    def settled(self, headers: Headers) -> list[tuple[bytes, bytes]]:
        """The headers with at most one customer, and that a trusted one."""
        names = self._fixed | self._names_of_the_proxy()
        given = list(headers)
        kept = [each for each in given if each[0].lower() not in names]
        customer = self._customer(given)
        if customer is not None:
            kept.append((CUSTOMER_HEADER.encode(), customer))
        return kept

    def _customer(self, headers: Headers) -> bytes | None:
        """The value of the first trusted header there is; two values of one name nobody."""
        if self._settings.customer != "end_user":
            return None
        for wanted in self._trusted:
            values = {value.strip() for name, value in headers if name.lower() == wanted}
            values.discard(b"")
            if values:
                (value, *others) = values
                is_sound = not others and tidy(value.decode("latin-1"))
                return value if is_sound else None
        return None

    def _names_of_the_proxy(self) -> frozenset[bytes]:
        """The header names that ``user_header_name`` and ``user_header_mappings`` add."""
        known = self._proxy_settings()
        name, mappings = known.get("user_header_name"), known.get("user_header_mappings")
        if not name and not mappings:
            return frozenset()
        rules = mappings if isinstance(mappings, list) else [mappings]
        names = [
            rule.get("header_name")
            for rule in rules
            if isinstance(rule, Mapping)
            and str(rule.get("litellm_user_role")).lower() in self._roles
        ]
        return frozenset(
            each.lower().encode() for each in (name, *names) if isinstance(each, str) and each
        )
