"""A Stripe-shaped server, and providers that talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins_stripe.provider import StripeProvider
from tests.stripe.support import KEY, FakeTime, PaidInvoicesAlone, StandingClock, make_provider


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def server() -> StripeServer:
    return StripeServer()


@pytest.fixture
def account(server: StripeServer) -> StripeAccount:
    return server.add_account(KEY)


@pytest.fixture
async def server_http(server: StripeServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server)) as client:
        yield client


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def make(
    server_http: httpx.AsyncClient, time: FakeTime, clock: StandingClock
) -> Callable[..., StripeProvider]:
    """Makes providers with settings and a clock, in front of the Stripe-shaped server."""

    def provider(**settings: object) -> StripeProvider:
        return make_provider(lambda: server_http, time, clock=clock, **settings)

    return provider


@pytest.fixture
def provider(server_http: httpx.AsyncClient, time: FakeTime) -> StripeProvider:
    """The provider in front of the Stripe-shaped server."""
    return make_provider(lambda: server_http, time)


@pytest.fixture
async def real_http() -> AsyncIterator[httpx.AsyncClient]:
    """A client with a network transport, for respx to intercept."""
    async with httpx.AsyncClient(transport=PaidInvoicesAlone(httpx.AsyncHTTPTransport())) as client:
        yield client


@pytest.fixture
def remote(real_http: httpx.AsyncClient, time: FakeTime) -> StripeProvider:
    """The provider in front of single answers made with respx."""
    return make_provider(lambda: real_http, time, late_months=0)
