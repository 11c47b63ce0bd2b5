"""Whole products on loopback for a browser to look at, with the sample company's data in them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from nullspend_margins import Margins
from nullspend_margins.app.serving import listen, serving
from nullspend_margins.builtin.sessions import sign_session
from nullspend_margins.demo.company import SampleCompany
from nullspend_margins.demo.seed import Seeder, client_for
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins.storage.migrate import migrate
from tests.world import KEY, FixedClock, config

ORG = "org_demo"
"""The sample company's."""
NEW_ORG = "org_new"
"""On the same plan, with nothing yet."""
FREE_ORG = "org_free"
"""On the free plan."""
NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)

PLANS = {"orgs": {ORG: "pro", NEW_ORG: "pro"}, "upgrade_url": "https://host.example/upgrade"}
LIMITS = {"requests_per_minute": 1_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One that answers. ``account`` is the Stripe account that ``tests.world.KEY`` reads."""

    margins: Margins
    stripe: StripeServer
    account: StripeAccount
    clock: FixedClock
    origin: str
    mount: str = ""

    def url(self, path: str = "") -> str:
        """``path`` below where the product is mounted, as ``/margins`` or ``/api/margins``."""
        return self.origin + self.mount + path

    def session(self, *, role: str = "admin", org: str = ORG, user: str = "") -> tuple[str, str]:
        """A signed-in person's cookie: its name and its value."""
        value = sign_session(
            self.margins.config,
            org_id=org,
            user_id=user or f"demo-{role}",
            role=role,
            clock=self.clock,
        )
        return self.margins.config.session.cookie_name, value


@asynccontextmanager
async def running_product(
    database: Path,
    *,
    mount: str = "",
    plugins: Sequence[object] = (),
    stripe: StripeServer | None = None,
    **sections: Mapping[str, object],
) -> AsyncIterator[Product]:
    """The product over a database file, below ``mount`` in a host of its own.

    ``sections`` are laid over the configuration's. Without ``stripe``, Stripe knows the sample
    company.
    """
    stripe = stripe or company_stripe()
    clock = FixedClock(NOW)
    async with serving(stripe, listen("127.0.0.1", 0)) as stripe_url:
        given = {"plans": PLANS, "limits": LIMITS, "plugins": {"disabled": ["log"]}, **sections}
        settings = config(f"sqlite:///{database}", stripe_url, **given)
        margins = Margins(settings, plugins=plugins, clock=clock)
        host = _host(margins.app, mount)
        async with margins.lifespan(), serving(host, listen("127.0.0.1", 0)) as origin:
            yield Product(
                margins=margins,
                stripe=stripe,
                account=stripe.keys[KEY].account,
                clock=clock,
                origin=origin,
                mount=mount,
            )


def company_stripe() -> StripeServer:
    """Stripe, as the sample company has it now."""
    stripe = StripeServer()
    SampleCompany(NOW).fill(stripe.add_account(KEY))
    return stripe


async def seed(database: Path) -> None:
    """Make ``database`` and fill it as the demo does: over HTTP, as the company's admin."""
    await migrate(f"sqlite:///{database}")
    async with running_product(database) as product, client_for(product.origin) as client:
        name, value = product.session()
        client.cookies.set(name, value)
        key, _ = await (await product.margins.services()).keys.create(ORG)
        company = SampleCompany(NOW)
        events = list(company.events())
        await Seeder(client, key).seed(company, events, KEY, lambda _count: None)


def _host(app: ASGIApp, mount: str) -> ASGIApp:
    async def elsewhere(_request: object) -> PlainTextResponse:
        return PlainTextResponse("The host's own page.")

    return Starlette(routes=[Route("/host", elsewhere), Mount(mount, app)])
