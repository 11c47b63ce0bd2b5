"""A Stripe to talk to, a clock that stands, and waits that take no time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime

import httpx

from nullspend_margins import (
    Clock,
    Period,
    RevenueCursor,
    RevenueFact,
    RevenueItem,
    RevenueWindow,
)
from nullspend_margins_stripe.patience import Timer
from nullspend_margins_stripe.provider import StripeProvider
from nullspend_margins_stripe.settings import StripeSettings

API = "https://api.stripe.com"
INVOICES = f"{API}/v1/invoices"
CUSTOMERS = f"{API}/v1/customers"
KEY = "rk_live_Test00000000000000000000abcd"
NOW = datetime(2026, 4, 15, 12, tzinfo=UTC)
WINDOW = RevenueWindow.ending(NOW)
APRIL = RevenueWindow(Period.parse("2026-04"), Period.parse("2026-04"))


class StandingClock:
    moment = NOW

    def now(self) -> datetime:
        return self.moment


class FakeTime:
    """Monotonic seconds that only sleeping moves; chance is what the test says."""

    def __init__(self, chance: float = 0.5) -> None:
        self.seconds = 1000.0
        self.sleeps: list[float] = []
        self.timer = Timer(now=lambda: self.seconds, sleep=self.sleep, chance=lambda: chance)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds

    @property
    def passed(self) -> float:
        return self.seconds - 1000.0


def make_provider(
    http: Callable[[], httpx.AsyncClient],
    time: FakeTime,
    *,
    environment: str = "development",
    clock: Clock | None = None,
    **settings: object,
) -> StripeProvider:
    return StripeProvider(
        StripeSettings(**{"requests_per_second": 0, **settings}),  # type: ignore[arg-type]
        environment=environment,
        http=http,
        clock=clock or StandingClock(),
        timer=time.timer,
    )


class PaidInvoicesAlone(httpx.AsyncBaseTransport):
    """Passes requests for paid invoices and customers on; every other list is empty."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.others = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path, status = request.url.path, request.url.params.get("status", "paid")
        if path.startswith(("/v1/invoices", "/v1/customers")) and status == "paid":
            return await self.inner.handle_async_request(request)
        self.others += 1
        return httpx.Response(200, json={"object": "list", "data": [], "has_more": False})


async def read(
    provider: StripeProvider, window: RevenueWindow = WINDOW, key: str = KEY
) -> list[RevenueItem]:
    """Everything that is told of the window."""
    items: list[RevenueItem] = []
    async with aclosing(provider.fetch_revenue(key, window)) as pages:
        async for page in pages:
            items.extend(page)
    return items


async def fetch(
    provider: StripeProvider, window: RevenueWindow = WINDOW, key: str = KEY
) -> list[RevenueFact]:
    """Every fact of the window, by id."""
    found = [one for one in await read(provider, window, key) if isinstance(one, RevenueFact)]
    return sorted(found, key=lambda fact: fact.object_id)


def facts(items: list[RevenueItem]) -> dict[str, RevenueFact]:
    """The facts among what was told, by id."""
    return {one.object_id: one for one in items if isinstance(one, RevenueFact)}


def cursor(items: list[RevenueItem]) -> str:
    """The cursor, which is told last."""
    [found] = [one for one in items if isinstance(one, RevenueCursor)]
    assert items[-1] == found
    return found.text


def at(month: str, day: int = 1, hour: int = 0) -> int:
    """Unix seconds in a month."""
    start = Period.parse(month).start
    return int(start.replace(day=day, hour=hour).timestamp())


def invoice_json(invoice_id: str, **fields: object) -> dict[str, object]:
    return {
        "id": invoice_id,
        "object": "invoice",
        "amount_paid": 1000,
        "created": at("2026-04", 2),
        "currency": "usd",
        "customer": customer_json("cus_1"),
        "customer_email": None,
        "customer_name": None,
        "status": "paid",
        **fields,
    }


def customer_json(customer_id: str, **fields: object) -> dict[str, object]:
    return {"id": customer_id, "object": "customer", "metadata": {}, **fields}


def page_json(*invoices: dict[str, object], has_more: bool = False) -> dict[str, object]:
    return {"object": "list", "data": list(invoices), "has_more": has_more, "url": "/v1/invoices"}


def error_json(message: str, **more: object) -> dict[str, object]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}
