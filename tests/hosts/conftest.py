"""A Stripe-shaped server and a configuration for hosts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from nullspend_margins import Margins
from nullspend_margins.app.serving import listen, serving
from nullspend_margins.demo.stripe_server import StripeServer
from tests.hosts.hosts import MyPlans, MySession
from tests.world import FixedClock, config

MakeMargins = Callable[..., Margins]


@dataclass
class Stripe:
    """A Stripe-shaped server, and where it is."""

    server: StripeServer
    url: str


@pytest.fixture
async def stripe() -> AsyncIterator[Stripe]:
    server = StripeServer()
    async with serving(server, listen("127.0.0.1", 0)) as url:
        yield Stripe(server, url)


@pytest.fixture
async def make_margins(stripe: Stripe) -> AsyncIterator[MakeMargins]:
    """Makes the product for a host with sessions and plans of its own."""
    made: list[Margins] = []

    def make(database_url: str, *plugins: object, **sections: Any) -> Margins:
        margins = Margins(
            config(database_url, stripe.url, **sections),
            plugins=plugins or [MySession(), MyPlans()],
            clock=FixedClock(),
        )
        made.append(margins)
        return margins

    yield make
    for each in made:  # hosts without a lifespan leave it open, as they may
        await each.close()


@pytest.fixture
def margins(sqlite_url: str, make_margins: MakeMargins) -> Margins:
    """The product on SQLite, not started."""
    return make_margins(sqlite_url)
