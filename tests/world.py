"""A whole product in one test: the app, its database, a Stripe-shaped server, people.

Everything goes through the public interfaces: HTTP to the app, sockets to Stripe, and the
default session plugin's own cookie.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from nullspend_margins import Margins
from nullspend_margins.app.serving import listen, serving
from nullspend_margins.builtin.sessions import sign_session
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_server import StripeServer

ORG = "org_1"
KEY = "rk_live_abcdefghijklmnopqrstuvwxyz"
CRON_SECRET = "cron-secret-of-the-tests-0123456789"
SESSION_KEY = "session-key-of-the-tests-0123456789abcdef"
ENCRYPTION_KEY = base64.b64encode(bytes(range(32))).decode()
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass(slots=True)
class FixedClock:
    """A clock that a test sets."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def advance(self, **duration: float) -> None:
        self.moment += timedelta(**duration)


def config(database_url: str, stripe_url: str, **sections: Mapping[str, object]) -> dict:
    """A configuration as a TOML file would have it; ``sections`` are laid over it."""
    base: dict[str, dict] = {
        "server": {"environment": "development"},
        "database": {"url": database_url},
        "session": {"secret_keys": [SESSION_KEY]},
        "encryption": {"keys": [ENCRYPTION_KEY]},
        "cron": {"secret": CRON_SECRET},
        "plans": {
            "orgs": {ORG: "pro", "org_2": "pro", "org_big": "enterprise"},
            "upgrade_url": "https://host.example/upgrade",
        },
        "plugins": {
            "stripe": {"api_base": stripe_url, "retry_seconds": 1, "requests_per_second": 0}
        },
    }
    for name, values in sections.items():
        base[name] = {**base.get(name, {}), **values}
    return base


@dataclass
class World:
    """What a test holds in its hands."""

    margins: Margins
    stripe: StripeServer
    account: StripeAccount
    clock: FixedClock
    http: httpx.AsyncClient
    keys: dict[str, str] = field(default_factory=dict)

    def cookie(self, role: str = "admin", org: str = ORG, user: str = "u1") -> dict[str, str]:
        """The Cookie header of a signed-in person."""
        config = self.margins.config
        value = sign_session(config, org_id=org, user_id=user, role=role, clock=self.clock)
        return {"Cookie": f"{config.session.cookie_name}={value}"}

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        role: str = "admin",
        org: str = ORG,
        headers: Mapping[str, str] | None = None,
        **options: object,
    ) -> httpx.Response:
        """One request of a signed-in person."""
        sent = {**self.cookie(role, org), **(headers or {})}
        if body is not None:
            options["content"] = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        return await self.http.request(method, path, headers=sent, **options)

    async def get(self, path: str, **options: object) -> object:
        """The ``data`` of a successful read."""
        answer = await self.call("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def connect(self, key: str = KEY, org: str = ORG) -> httpx.Response:
        return await self.call("POST", "/api/stripe/connect", {"stripeKey": key}, org=org)

    async def sync(self, org: str = ORG) -> dict:
        """A manual sync that must succeed; its report."""
        answer = await self.call("GET", "/api/stripe/revenue-sync", role="member", org=org)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def cron(self, path: str = "/api/stripe/revenue-sync") -> httpx.Response:
        return await self.http.get(path, headers={"Authorization": f"Bearer {CRON_SECRET}"})

    async def map(self, customer: str, tag: str, org: str = ORG, **extra: object) -> httpx.Response:
        return await self.call(
            "POST",
            "/api/customer-mappings",
            {"stripeCustomerId": customer, "tagValue": tag, **extra},
            org=org,
        )

    async def ingest_key(self, org: str = ORG) -> str:
        if org not in self.keys:
            services = await self.margins.services()
            self.keys[org], _ = await services.keys.create(org)
        return self.keys[org]

    async def post_event(
        self, event: object, *, org: str = ORG, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return await self._post("/api/cost-events", event, org, headers)

    async def post_batch(
        self, events: Sequence[object], *, org: str = ORG, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return await self._post("/api/cost-events/batch", {"events": events}, org, headers)

    async def _post(
        self, path: str, body: object, org: str, headers: Mapping[str, str] | None
    ) -> httpx.Response:
        return await self.http.post(
            path,
            content=json.dumps(body).encode(),
            headers={
                "X-NullSpend-Key": await self.ingest_key(org),
                "Content-Type": "application/json",
                **(headers or {}),
            },
        )

    async def spend(self, tag: str, microdollars: int, **extra: object) -> None:
        """One cost event that must be accepted."""
        answer = await self.post_event(event(customer=tag, costMicrodollars=microdollars, **extra))
        assert answer.status_code == 201, answer.text


def event(**changes: object) -> dict[str, object]:
    """A cost event as the SDK sends it."""
    return {
        "provider": "openai",
        "model": "gpt-4o",
        "inputTokens": 1200,
        "outputTokens": 350,
        "costMicrodollars": 5250,
        "customer": "acme-corp",
        **changes,
    }


def unix(year: int, month: int, day: int, hour: int = 12) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


@asynccontextmanager
async def world(
    database_url: str,
    *,
    plugins: Sequence[object] = (),
    tables: Mapping[str, object] = {},
    **sections: Mapping[str, object],
) -> AsyncIterator[World]:
    """The product over ``database_url``, with one Stripe account that ``KEY`` reads.

    ``tables`` are those of installed plugins, ``[plugins.NAME]``.
    """
    stripe = StripeServer()
    account = stripe.add_account(KEY)
    clock = FixedClock()
    async with serving(stripe, listen("127.0.0.1", 0)) as stripe_url:
        margins = Margins(
            config(database_url, stripe_url, plugins=tables, **sections),
            plugins=plugins,
            clock=clock,
        )
        transport = httpx.ASGITransport(margins.app)
        async with (
            margins.lifespan(),
            httpx.AsyncClient(transport=transport, base_url="http://host.example") as http,
        ):
            yield World(margins, stripe, account, clock, http)
