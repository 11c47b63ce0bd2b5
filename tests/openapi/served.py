"""A whole product with a seeded org, served on loopback by an event loop of its own.

Schemathesis and generated clients are synchronous: they run in the test's thread, the product in
another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any, TypeVar

import httpx

from nullspend_margins import Margins
from nullspend_margins.app.serving import listen, serving
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_server import StripeKey, StripeServer
from tests.world import KEY, ORG, FixedClock, World, config, event, unix

FREE_ORG = "org_free"
_CUSTOMERS = {"cus_abc123": "acme-corp", "cus_b": "beta", "cus_c": "gamma"}
_MONTHS = (9, 10, 11)

T = TypeVar("T")


class EveryRestrictedKey(dict[str, StripeKey]):
    """Keys of one account: Stripe knows every restricted one and refuses the others."""

    def __init__(self, account: StripeAccount) -> None:
        super().__init__()
        self._key = StripeKey(account)

    def get(self, text: str, default: Any = None) -> Any:
        return self._key if text.startswith("rk_") else default


class AllButOnePay:
    """A plan checker: every org has the product, ``FREE_ORG`` has not."""

    name = "all-but-one-pay"

    async def plan(self, org_id: str) -> str:
        return "free" if org_id == FREE_ORG else "pro"


@dataclass(frozen=True, slots=True)
class Served:
    """``url`` is the product's; ``here`` belongs to the loop that ``run`` runs things on."""

    url: str
    here: World
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` returns, run where the product runs."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def session(self, role: str, org: str = ORG) -> str:
        """The value of a signed-in person's cookie."""
        return self.here.cookie(role, org)["Cookie"].partition("=")[2]


@contextmanager
def served(
    database_url: str, *, stocked: bool = True, **sections: Mapping[str, object]
) -> Iterator[Served]:
    """The product over ``database_url`` while the block runs; Stripe has customers if stocked."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="served-product")
    thread.start()
    product = _product(database_url, stocked, sections)

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    async def enter() -> tuple[str, World]:
        return await product.__aenter__()

    async def leave() -> None:
        await product.__aexit__(None, None, None)

    try:
        url, here = run(enter())
        try:
            yield Served(url, here, loop)
        finally:
            run(leave())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@asynccontextmanager
async def _product(
    database_url: str, stocked: bool, sections: Mapping[str, Mapping[str, object]]
) -> AsyncIterator[tuple[str, World]]:
    stripe = StripeServer()
    account = stripe.add_account(KEY)
    if stocked:
        stock(account)
    stripe.keys = EveryRestrictedKey(account)
    clock = FixedClock()
    async with serving(stripe, listen("127.0.0.1", 0)) as stripe_url:
        eager = {"api_base": stripe_url, "retry_seconds": 1, "requests_per_second": 0}
        settings = config(database_url, stripe_url, plugins={"stripe": eager}, **sections)
        margins = Margins(settings, plugins=[AllButOnePay()], clock=clock)
        async with (
            margins.lifespan(),
            serving(margins.app, listen("127.0.0.1", 0)) as url,
            httpx.AsyncClient(base_url=url, trust_env=False) as http,
        ):
            yield url, World(margins, stripe, account, clock, http)


def stock(account: StripeAccount) -> None:
    """Customers that can be mapped by hand, by themselves, and not at all."""
    for number, (customer_id, name) in enumerate(_CUSTOMERS.items()):
        suggestion = {"nullspend_customer": name} if number else {}
        customer = account.add_customer(customer_id, name=name, metadata=suggestion)
        for month in _MONTHS:
            account.add_invoice(customer, 1000 * number + 500, created=unix(2026, month, 5))
    unknown = account.add_customer("cus_unknown", name="Nobody's")
    account.add_invoice(unknown, 500, created=unix(2026, 11, 5))
    account.add_invoice(unknown, 500, created=unix(2026, 11, 5), currency="eur")


async def seed(here: World, org: str = ORG) -> None:
    """Costs, a connection, revenue and mappings of each kind."""
    costs = [
        event(customer=name, occurredAt=f"2026-{month:02}-06T00:00:00Z")
        for name in (*_CUSTOMERS.values(), "delta")
        for month in _MONTHS
    ]
    assert (await here.post_batch(costs, org=org)).status_code == 201
    assert (await here.connect(org=org)).status_code == 201
    await here.sync(org)
    assert (await here.map("cus_abc123", "acme-corp", org=org)).status_code == 201
