r"""One side of the sync benchmark, in a process of its own.

    python -m benchmarks.sync_side \
        '{"side": "sdk", "stripe": "http://127.0.0.1:1234", "invoices": 4}'

Sides: ``product`` (a first sync, and a second one that finds nothing changed), ``sdk`` (the
Stripe SDK's own auto-paging), ``httpx`` (pages by httpx, parsed by orjson, four months at once
as the product asks for them) and ``serial`` (the same, one month after the other).
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import stripe

from benchmarks.children import answer, arguments
from benchmarks.loop_gaps import LoopGaps
from benchmarks.memory import forget_peak, peak_bytes, resident_bytes
from benchmarks.products import call, product, signed_in
from benchmarks.stripe_pages import CENTS, NOW, PAGE_SIZE, WINDOW
from nullspend_margins.domain.period import Period

_KEY = "rk_live_benchmark0123456789abcdefghij"
_JSON = (b"content-type", b"application/json")
_NEARLY_ALL = 0.999

_Month = Coroutine[Any, Any, tuple[int, int]]
"""How many invoices and cents a month has."""


@dataclass(frozen=True, slots=True)
class _Side:
    stripe: str
    invoices: int
    database: str = ""
    measured: dict[str, dict[str, float]] = field(default_factory=dict)

    @asynccontextmanager
    async def measuring(self, name: str) -> AsyncIterator[None]:
        """Measure the block: seconds, memory over the state before, lateness of the loop."""
        gc.collect()
        forget_peak()
        before = resident_bytes()
        async with LoopGaps() as gaps:
            started = time.perf_counter()
            yield
            seconds = time.perf_counter() - started
        self.measured[name] = {
            "seconds": seconds,
            "memory_mb": (peak_bytes() - before) / 1e6,
            "longest_ms": gaps.longest * 1000,
            "late_ms": gaps.quantile(_NEARLY_ALL) * 1000,
        }


async def _product(side: _Side) -> None:
    stripe_settings = {"api_base": side.stripe, "requests_per_second": 0}
    margins = product(side.database, now=NOW, plugins={"stripe": stripe_settings})
    person = signed_in(margins)
    async with margins.lifespan():
        connect = json.dumps({"stripeKey": _KEY}).encode()
        sent = await call(margins.app, "POST", "/api/stripe/connect", [*person, _JSON], connect)
        sent.require(201)
        for name in ("first", "repeated"):
            async with side.measuring(name):
                done = await call(margins.app, "GET", "/api/stripe/revenue-sync", person)
            report = json.loads(done.require(200))["data"]
            _require_all(side, report["invoicesFetched"], side.invoices * CENTS)
        customers = json.loads(
            (await call(margins.app, "GET", "/api/margins/unmatched", person)).require(200)
        )["data"]["unmatchedStripeCustomers"]
        micro = sum(customer["totalRevenueMicrodollars"] for customer in customers)
        _require_all(side, side.invoices, micro // 10_000)


async def _sdk(side: _Side) -> None:
    stripe.enable_telemetry = False
    # The others, which are httpx, go by this variable themselves.
    stripe.ca_bundle_path = os.environ.get("SSL_CERT_FILE", stripe.ca_bundle_path)
    transport = stripe.HTTPXClient(timeout=60)
    client = stripe.StripeClient(
        _KEY, base_addresses={"api": side.stripe}, http_client=transport, max_network_retries=0
    )
    count = cents = 0
    async with side.measuring("sdk"):
        for period in reversed(WINDOW.periods):
            params: Any = _params(period)
            async for invoice in (await client.v1.invoices.list_async(params)).auto_paging_iter():
                count += 1
                cents += invoice.amount_paid
    await transport.close_async()  # type: ignore[no-untyped-call]  # the SDK left it so
    _require_all(side, count, cents)


async def _httpx(side: _Side) -> None:
    await _fetch(side, "httpx", lambda months: asyncio.gather(*months))


async def _serial(side: _Side) -> None:
    async def one_by_one(months: Sequence[_Month]) -> list[tuple[int, int]]:
        return [await month for month in months]

    await _fetch(side, "serial", one_by_one)


async def _fetch(
    side: _Side, name: str, run: Callable[[Sequence[_Month]], Awaitable[Sequence[tuple[int, int]]]]
) -> None:
    async with httpx.AsyncClient(timeout=60) as client, side.measuring(name):
        sums = await run([_read_month(client, side.stripe, period) for period in WINDOW.periods])
    _require_all(side, sum(each[0] for each in sums), sum(each[1] for each in sums))


async def _read_month(client: httpx.AsyncClient, url: str, period: Period) -> tuple[int, int]:
    count = cents = 0
    params: dict[str, Any] = {
        "status": "paid",
        "created[gte]": int(period.start.timestamp()),
        "created[lt]": int(period.end.timestamp()),
        "limit": PAGE_SIZE,
        "expand[]": "data.customer",
    }
    headers = {"Authorization": f"Bearer {_KEY}"}
    more = True
    while more:
        found = await client.get(f"{url}/v1/invoices", params=params, headers=headers)
        page = orjson.loads(found.content)
        count += len(page["data"])
        cents += sum(invoice["amount_paid"] for invoice in page["data"])
        params["starting_after"], more = page["data"][-1]["id"], page["has_more"]
    return count, cents


def _params(period: Period) -> dict[str, Any]:
    return {
        "status": "paid",
        "created": {"gte": int(period.start.timestamp()), "lt": int(period.end.timestamp())},
        "limit": PAGE_SIZE,
        "expand": ["data.customer"],
    }


def _require_all(side: _Side, count: int, cents: int) -> None:
    if (count, cents) != (side.invoices, side.invoices * CENTS):
        raise RuntimeError(f"{count} invoices and {cents} cents are not what Stripe has")


_SIDES: dict[str, Callable[[_Side], Coroutine[Any, Any, None]]] = {
    "product": _product,
    "sdk": _sdk,
    "httpx": _httpx,
    "serial": _serial,
}

if __name__ == "__main__":
    given = arguments()
    which = _SIDES[given.pop("side")]
    its = _Side(**given)
    asyncio.run(which(its))
    answer(its.measured)
