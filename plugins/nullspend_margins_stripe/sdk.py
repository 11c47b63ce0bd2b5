"""Key checks and single objects, through the official SDK.

The SDK loads with the first call, in a thread: importing it takes a quarter of a second. Its
requests go through the host's shared httpx client, which has one connection pool per event loop
and is closed with the product; retries are ours (``patience``).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nullspend_margins import Clock, CredentialRefused, MarginsError, ProviderUnavailable
from nullspend_margins_stripe import failures
from nullspend_margins_stripe.answers import ErrorDetail, read_error
from nullspend_margins_stripe.failures import Transient

if TYPE_CHECKING:
    import httpx
    import stripe


# Successes that the SDK stumbles over: bytes that are no text, and objects nested without end.
_UNREADABLE = (UnicodeDecodeError, RecursionError)


async def load_sdk() -> Any:
    """The ``stripe`` module, with telemetry off: it would write to the user's home."""
    module: Any = await asyncio.to_thread(import_module, "stripe")
    module.enable_telemetry = False
    return module


class StripeSdk:
    """One key's view of Stripe, for one request of at most ``seconds``.

    Methods raise ``Transient`` and the product's errors, never the SDK's.
    """

    __slots__ = ("_client", "_clock", "_stripe")

    def __init__(
        self,
        module: Any,
        secret: str,
        *,
        api_base: str,
        http: httpx.AsyncClient,
        seconds: float,
        clock: Clock,
    ) -> None:
        self._stripe = module
        self._clock = clock
        self._client = module.StripeClient(
            secret,
            base_addresses={"api": api_base},
            http_client=_shared_client(module, http, seconds),
            max_network_retries=0,
        )

    async def list_customers(self) -> None:
        """Read one customer, to see whether the key may."""
        await self._list(self._client.v1.customers)

    async def list_invoices(self) -> None:
        """Read one invoice, to see whether the key may."""
        await self._list(self._client.v1.invoices)

    async def has_customer(self, customer_id: str) -> bool:
        """Whether the key's account has (or had, and deleted) this customer."""
        try:
            answer = await self._client.v1.customers.retrieve_async(customer_id)
        except self._stripe.StripeError as error:
            if error.http_status == 404:
                return False
            failure = translate(self._stripe, error, self._clock)
        except _UNREADABLE:
            failure = Transient("its answer is not readable")
        else:
            if getattr(answer, "id", None) == customer_id:
                return True
            failure = Transient("its answer is not that customer")
        raise failure

    async def _list(self, service: Any) -> None:
        try:
            answer = await service.list_async(params={"limit": 1})
        except self._stripe.StripeError as error:
            failure: MarginsError | Transient = translate(self._stripe, error, self._clock)
            # The request is right with every good key, so what is turned down is this one.
            if isinstance(failure, ProviderUnavailable):
                failure = CredentialRefused(failure.message)
        except _UNREADABLE:
            failure = Transient("its answer is not readable")
        else:
            # An answer's class depends on what "object" says, which may be missing.
            if isinstance(getattr(answer, "data", None), list):
                return
            failure = Transient("its answer is not a list")
        # Raised out here: the SDK's exception holds the raw body, and must not be chained.
        raise failure


def translate(module: Any, error: stripe.StripeError, clock: Clock) -> MarginsError | Transient:
    """What an exception of the SDK means, by its class."""
    status = error.http_status
    if isinstance(error, module.AuthenticationError):
        return failures.refused(error.code or _code(error))
    if isinstance(error, module.PermissionError):
        return failures.forbidden(error.user_message)
    if isinstance(error, module.APIConnectionError):
        cause = error.__cause__
        return Transient(f"the connection failed ({type(cause or error).__name__})")
    if isinstance(error, module.RateLimitError | module.APIError):
        wait = failures.retry_after_seconds((error.headers or {}).get("retry-after"), clock.now())
        if status is not None and failures.is_transient(status, error.code):
            return failures.answered_with(status, wait)
        return failures.unreadable(status)
    if not error.user_message and not error.code:
        return failures.unreadable(status)
    return failures.unexpected(status, error.user_message)


def _code(error: stripe.StripeError) -> str | None:
    """The error code, which the SDK keeps in the body for some classes."""
    body = error.json_body
    detail = body.get("error") if isinstance(body, Mapping) else None
    code = detail.get("code") if isinstance(detail, Mapping) else None
    return code if isinstance(code, str) else None


def _shared_client(module: Any, http: httpx.AsyncClient, seconds: float) -> Any:
    """The SDK's transport over ``http``: no pool of its own, nothing to close."""

    # The SDK is loaded on first use, so its classes are known at run time only.
    class SharedClient(module.HTTPClient):  # type: ignore[misc]
        name = "httpx"

        async def request_async(
            self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
        ) -> tuple[bytes, int, Mapping[str, str]]:
            import httpx

            try:
                answer = await http.request(
                    method,
                    url,
                    headers=dict(headers),
                    data=post_data,
                    timeout=seconds,
                    follow_redirects=False,
                )
            except httpx.HTTPError as error:
                raise module.APIConnectionError(type(error).__name__) from error
            return _readable(answer.content, answer.status_code), answer.status_code, answer.headers

    return SharedClient()


def _readable(body: bytes, status: int) -> bytes:
    """A failure's body as the SDK can read it: it stumbles over errors in another form.

    Of those only the status counts, by which the SDK chooses the class of its exception. Keys are
    taken out, because the SDK logs what an error says.
    """
    if 200 <= status < 300:
        return body
    detail = read_error(body) or ErrorDetail()
    said = {"message": detail.message, "code": detail.code}
    error = {key: failures.without_keys(text) for key, text in said.items() if text}
    return json.dumps({"error": error}).encode()
