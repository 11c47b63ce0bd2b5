"""Stripe as a revenue provider, of all four bases.

A sync reads the whole window again, one cursor a month of paid invoices and one for each other
kind of object: no list can be asked for what changed. An invoice of August that is paid in
November is in none of them; ``late`` looks for those.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from nullspend_margins import (
    Clock,
    ConnectForm,
    Credential,
    Period,
    RevenueGap,
    RevenueItem,
    RevenueWindow,
)
from nullspend_margins_stripe.clocks import of_real_time
from nullspend_margins_stripe.contra import Refunded, disputed
from nullspend_margins_stripe.credentials import parse_credential
from nullspend_margins_stripe.cursors import merged
from nullspend_margins_stripe.form import connect_form
from nullspend_margins_stripe.invoices import UNPAID, Facts, invoice_facts
from nullspend_margins_stripe.late import LateLook
from nullspend_margins_stripe.optional_lists import PROBED, OptionalLists
from nullspend_margins_stripe.patience import Patience, RateLimiter, Timer, persist
from nullspend_margins_stripe.permissions import GapBook
from nullspend_margins_stripe.rate_book import RateBook
from nullspend_margins_stripe.reading import Reading
from nullspend_margins_stripe.requests import Asker, StripeRequests
from nullspend_margins_stripe.sdk import StripeSdk, load_sdk
from nullspend_margins_stripe.settings import StripeSettings

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

Cursor = Callable[[Asker], Facts]
"""Facts of one list, asked for with a patience of its own."""


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
        self.connect_form: ConnectForm = connect_form(environment)
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

    async def find_gaps(self, secret: str) -> list[RevenueGap]:
        """What a key may not read of all that is of use, by asking for one of each.

        Exchange rates are not asked for: they are missed only where currencies are converted.
        """
        lists = OptionalLists(GapBook(livemode=_is_live(secret)))
        asker = self._asker(await self._requests(secret), secret)
        for listed in PROBED:
            await lists.probe(asker, listed)
        return lists.gaps.all()

    async def fetch_revenue(
        self, secret: str, window: RevenueWindow
    ) -> AsyncGenerator[Sequence[RevenueItem], None]:
        """The revenue of ``window``, a list a page, kinds of objects and months mixed.

        Then what is late, and at the end what could not be read and how far this came.
        """
        requests = await self._requests(secret)
        reading = self._reading(secret, window)
        late = LateLook(reading)
        for cursors in (partial(self._of_window, reading, late), partial(_of_before, late)):
            made = [
                partial(_begun, reading, cursor, self._asker(requests, secret))
                for cursor in cursors()
            ]
            async with aclosing(merged(made, concurrency=self._settings.concurrency)) as pages:
                async for page in pages:
                    if page:
                        yield page
        told: list[RevenueItem] = [*reading.lists.gaps.all()]
        if not window.is_backfill:
            told.append(late.cursor)
        if told:
            yield told

    def _of_window(self, reading: Reading, late: LateLook) -> list[Cursor]:
        """The cursors of a window. The newest month first: where a key is refused, it shows."""
        window = reading.window
        cursors: list[Cursor] = [
            partial(_invoices, reading, "paid", period, period.shift(1))
            for period in reversed(window.periods)
        ]
        cursors += [
            partial(_invoices, reading, status, window.first, window.last.shift(1))
            for status in UNPAID
        ]
        cursors += [
            lambda asker: Refunded(asker, reading).facts(),
            lambda asker: disputed(asker, reading),
        ]
        return cursors if window.is_backfill else [*cursors, late.changed]

    def _reading(self, secret: str, window: RevenueWindow) -> Reading:
        livemode = _is_live(secret)
        lists = OptionalLists(GapBook(livemode=livemode))
        return Reading(
            window=window,
            now=self._clock.now(),
            page_size=self._settings.page_size,
            tag_key=self._settings.customer_metadata_key,
            late_months=self._settings.late_months,
            livemode=livemode,
            test_clocks=self._environment != "production",
            lists=lists,
            rates=RateBook(window, lists),
        )

    async def _requests(self, secret: str) -> StripeRequests:
        module = await load_sdk()
        return StripeRequests(
            http=self._http(),
            api_base=self._api_base,
            headers={"Authorization": f"Bearer {secret}", "Stripe-Version": module.api_version},
            clock=self._clock,
        )

    def _asker(self, requests: StripeRequests, secret: str) -> Asker:
        # A budget of its own: another cursor's progress must not keep a failing one alive.
        patience = self._patience()
        reserve = partial(self._limiter.reserve, secret)

        async def fetch(attempt: Callable[[float], Awaitable[T]]) -> T:
            answer = await persist(
                attempt,
                patience=patience,
                reserve=reserve,
                timeout_seconds=self._settings.timeout_seconds,
            )
            patience.succeeded()
            return answer

        return Asker(requests, fetch)

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


def _begun(reading: Reading, cursor: Cursor, asker: Asker) -> Facts:
    pages = cursor(asker)
    return of_real_time(asker, reading, pages) if reading.doubts_clocks else pages


def _invoices(reading: Reading, status: str, first: Period, end: Period, asker: Asker) -> Facts:
    return invoice_facts(asker, reading, status, first, end)


def _of_before(late: LateLook) -> list[Cursor]:
    """Cursors of the months before the window, where it is time for them."""
    return late.listings() if late.is_due else []


def _is_live(secret: str) -> bool:
    """Whether a key reads what is real."""
    return secret.startswith(("rk_live_", "sk_live_"))
