"""A Stripe-shaped server: what the product reads from Stripe, as an ASGI app.

It binds nothing. The demo serves it on loopback; tests call it through ``httpx.ASGITransport``::

    stripe = StripeServer()
    account = stripe.add_account("rk_live_demo0000000000000000")
    ada = account.add_customer("cus_ada", name="Ada", metadata={"nullspend_customer": "ada"})
    account.add_invoice(ada, 4900, created=1_767_225_600)
    stripe.faults.fail(429, times=2, headers={"Retry-After": "1"})
    http = httpx.AsyncClient(transport=httpx.ASGITransport(stripe))

Every answer has the fields, the order (newest first) and the error form of Stripe's API.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_endpoints import ENDPOINTS, Endpoint
from nullspend_margins.demo.stripe_expansion import expand, permissions_for
from nullspend_margins.demo.stripe_faults import Fault, Faults, Rest
from nullspend_margins.demo.stripe_objects import API_VERSION
from nullspend_margins.demo.stripe_parameters import StripeRefusal, items_of
from nullspend_margins.demo.stripe_templates import Json

READ_NEEDED = frozenset({"rak_customer_read", "rak_invoice_read"})
"""Without these a key is of no use."""
READ_ALL = READ_NEEDED | {
    "rak_balance_transaction_source_read",
    "rak_charge_read",
    "rak_credit_note_read",
    "rak_dispute_read",
    "rak_event_read",
}
"""Whatever a key may be good for here."""


@dataclass(slots=True)
class StripeKey:
    """A key of an account; ``permissions`` may be changed while the server runs."""

    account: StripeAccount
    permissions: set[str] = field(default_factory=lambda: set(READ_ALL))
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """A request as it came in. ``params`` keeps repeated ones; ``key`` is the whole key."""

    path: str
    params: tuple[tuple[str, str], ...]
    key: str = field(repr=False)
    version: str | None

    def param(self, name: str) -> str | None:
        """The value of one parameter."""
        return dict(self.params).get(name)


class StripeServer:
    """The ASGI app. ``requests`` are the latest ones, ``faults`` what goes wrong next."""

    def __init__(self, *, remember: int = 10_000, rest: Rest = asyncio.sleep) -> None:
        self.keys: dict[str, StripeKey] = {}
        self.faults: Faults = Faults()
        self.requests: deque[SeenRequest] = deque(maxlen=remember)
        self.request_count: int = 0
        self._rest = rest
        self._app = Starlette(
            routes=[
                *(Route(each.path, self._endpoint(each)) for each in ENDPOINTS),
                Route("/{path:path}", self._unknown, methods=["GET", "POST", "DELETE"]),
            ]
        )

    def add_account(self, *keys: str, permissions: Iterable[str] = READ_ALL) -> StripeAccount:
        """A new account that ``keys`` read; live if its first key is."""
        account = StripeAccount(livemode=not keys or "_live_" in keys[0])
        for key in keys:
            self.grant(key, account, permissions)
        return account

    def grant(
        self, key: str, account: StripeAccount, permissions: Iterable[str] = READ_ALL
    ) -> None:
        """Let ``key`` read ``account`` with these ``rak_…`` permissions."""
        self.keys[key] = StripeKey(account, set(permissions))

    def revoke(self, key: str, *, code: str = "api_key_invalid") -> None:
        """Refuse ``key`` from now on; ``code`` may be ``api_key_expired``."""
        self.keys[key].refusal = code

    def forbid(self, key: str, permission: str) -> None:
        """Take one ``rak_…`` permission from ``key``."""
        self.keys[key].permissions.discard(permission)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        self._remember(request)
        fault = await self.faults.meet(request.url.path, self._rest)
        if fault and fault.status is not None:
            await _faulty(fault)(scope, receive, send)
            return
        scope["stripe_fault"] = fault
        await self._app(scope, receive, send)

    def _remember(self, request: Request) -> None:
        self.request_count += 1
        self.requests.append(
            SeenRequest(
                path=request.url.path,
                params=tuple(request.query_params.multi_items()),
                key=_key_of(request),
                version=request.headers.get("stripe-version"),
            )
        )

    def _endpoint(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return self._answer(request, endpoint)

        return answer

    async def _unknown(self, request: Request) -> Response:
        path = f"{request.method}: {request.url.path}"
        refusal = StripeRefusal(404, f"Unrecognized request URL ({path}).")
        return _json(request, refusal.body(), refusal.status)

    def _answer(self, request: Request, endpoint: Endpoint) -> Response:
        paths = items_of(request.query_params, "expand")
        try:
            key = self._authenticate(request)
            for permission in (endpoint.permission, *permissions_for(paths)):
                self._permit(request, key, permission)
            answer = expand(key.account, endpoint.read(key.account, request), paths)
            return _json(request, answer, 200)
        except StripeRefusal as refusal:
            return _json(request, refusal.body(), refusal.status)

    def _authenticate(self, request: Request) -> StripeKey:
        text = _key_of(request)
        if not text:
            raise StripeRefusal(401, "You did not provide an API key.")
        key = self.keys.get(text)
        if key is None or key.refusal == "api_key_invalid":
            raise StripeRefusal(401, f"Invalid API Key provided: {_redacted(text)}")
        if key.refusal:
            raise StripeRefusal(
                401, f"Expired API Key provided: {_redacted(text)}", code=key.refusal
            )
        return key

    def _permit(self, request: Request, key: StripeKey, permission: str) -> None:
        if permission not in key.permissions:
            raise StripeRefusal(
                403,
                f"The provided key '{_redacted(_key_of(request))}' does not have the required "
                "permissions for this endpoint on account 'acct_1Demo000000000'. Having the "
                f"'{permission}' permission would allow this request to continue.",
            )


def _key_of(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _redacted(key: str) -> str:
    """A key as Stripe echoes it: the prefix and the last four characters."""
    return f"{key[:8]}{'*' * max(len(key) - 12, 0)}{key[-4:]}"


def _json(request: Request, content: Json, status: int) -> Response:
    body = msgspec.json.encode(content)
    fault: Fault | None = request.scope.get("stripe_fault")
    if fault and fault.body is not None:
        body = fault.body
    if fault and fault.truncate:
        body = body[: len(body) // 2]
    headers = {"Request-Id": "req_demo", "Stripe-Version": API_VERSION}
    if fault:
        headers.update(fault.headers)
    return Response(body, status, headers, media_type="application/json")


def _faulty(fault: Fault) -> Response:
    """The answer of a failing Stripe: its error form, or the body that was asked for."""
    body = fault.body
    if body is None:
        messages = {
            401: "Invalid API Key provided.",
            429: "Request rate limit exceeded. Learn more about rate limits in our docs.",
        }
        refusal = StripeRefusal(
            fault.status or 500,
            messages.get(fault.status or 500, "An unknown error occurred"),
            code="rate_limit" if fault.status == 429 else None,
        )
        body = msgspec.json.encode(refusal.body())
    if fault.truncate:
        body = body[: len(body) // 2]
    headers = {"Content-Type": "application/json", **fault.headers}
    return Response(body, fault.status or 500, headers)
