"""Serves the sample company's Stripe account alone, beside a product that runs elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from nullspend_margins.app.serving import listen, serving
from nullspend_margins.demo.company import SampleCompany
from nullspend_margins.demo.stripe_server import StripeServer

SAMPLE_KEY = "rk_test_sample00000000000000"
"""Always the same, and no secret: it opens sample data on loopback."""


@asynccontextmanager
async def sample_stripe(port: int) -> AsyncIterator[str]:
    """Serve while the block runs; yields the URL. Raises ``ConfigurationError``: a taken port."""
    stripe = StripeServer()
    SampleCompany(datetime.now(UTC)).fill(stripe.add_account(SAMPLE_KEY))
    async with serving(stripe, listen("127.0.0.1", port)) as url:
        yield url
