"""Stripe as a revenue provider: the basis ``invoiced``.

Revenue is ``amount_paid`` of paid invoices, by the UTC month of ``created``. A sync reads the
whole window again, one cursor a month: no list endpoint can be asked for what changed, and an
invoice of August that is paid in November would be missed by asking for what is new.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from nullspend_margins import Clock, Credential, Period, RevenueFact, RevenueWindow
from nullspend_margins_stripe.credentials import parse_credential
from nullspend_margins_stripe.cursors import merged
from nullspend_margins_stripe.invoices import InvoiceRequest, month_facts
from nullspend_margins_stripe.patience import Patience, RateLimiter, Timer, persist
from nullspend_margins_stripe.sdk import StripeSdk, load_sdk
from nullspend_margins_stripe.settings import StripeSettings

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class StripeProvider:
    """Implements ``RevenueProvider``; errors and obligations are the protocol's.

    ``http`` gives the shared client of the running event loop.
    """

    name = "stripe"

    def __init__(
        self,
        settings: StripeSettings,
        *,
        environment: str,
        http: Callable[[], httpx.AsyncClient],
        clock: Clock,
        timer: Timer | None = None,
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._http = http
        self._clock = clock
        self._timer = timer or Timer()
        self._limiter = RateLimiter(settings.requests_per_second, self._timer)
        self._api_base = settings.api_base.rstrip("/")

    async def parse_credential(self, body: Mapping[str, object]) -> Credential:
        """The key in ``{"stripeKey": ...}``, checked for its form alone."""
        return parse_credential(body, environment=self._environment)

    async def check_credential(self, secret: str) -> None:
        """Read one customer and one invoice, both within one retry budget."""
        patience = self._patience()
        await self._ask(secret, patience, StripeSdk.list_customers)
        await self._ask(secret, patience, StripeSdk.list_invoices)

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        """Whether the account of ``secret`` has this customer; a deleted one counts."""

        async def has(sdk: StripeSdk) -> bool:
            return await sdk.has_customer(customer_id)

        return await self._ask(secret, self._patience(), has)

    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncGenerator[list[RevenueFact], None]:
        """Paid invoices of ``window``, one list a page, months mixed."""
        module = await load_sdk()
        request = InvoiceRequest(
            http=self._http(),
            api_base=self._api_base,
            headers={"Authorization": f"Bearer {secret}", "Stripe-Version": module.api_version},
            page_size=self._settings.page_size,
            tag_key=self._settings.customer_metadata_key,
            clock=self._clock,
        )
        # The newest month first: where a key is refused, it shows at once.
        cursors = [
            partial(self._month, request, period, partial(self._limiter.reserve, secret))
            for period in reversed(window.periods)
        ]
        pages = merged(cursors, concurrency=self._settings.concurrency)
        async with aclosing(pages):
            async for page in pages:
                yield page

    async def _month(
        self, request: InvoiceRequest, period: Period, reserve: Callable[[], float]
    ) -> AsyncGenerator[list[RevenueFact], None]:
        # A budget of its own: another month's progress must not keep a failing one alive.
        patience = self._patience()

        async def fetch(attempt: Callable[[float], Awaitable[T]]) -> T:
            answer = await persist(
                attempt,
                patience=patience,
                reserve=reserve,
                timeout_seconds=self._settings.timeout_seconds,
            )
            patience.succeeded()
            return answer

        async with aclosing(month_facts(request, period, fetch)) as pages:
            async for page in pages:
                yield page

    async def _ask(
        self, secret: str, patience: Patience, question: Callable[[StripeSdk], Awaitable[T]]
    ) -> T:
        module = await load_sdk()

        async def attempt(seconds: float) -> T:
            sdk = StripeSdk(
                module,
                secret,
                api_base=self._api_base,
                http=self._http(),
                seconds=seconds,
                clock=self._clock,
            )
            return await question(sdk)

        return await persist(
            attempt,
            patience=patience,
            reserve=partial(self._limiter.reserve, secret),
            timeout_seconds=self._settings.timeout_seconds,
        )

    def _patience(self) -> Patience:
        return Patience(self._settings.retry_seconds, self._timer)
