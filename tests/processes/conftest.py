"""A configuration that several processes share, and a Stripe-shaped server for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from nullspend_margins import Margins
from nullspend_margins.app.serving import listen, serving
from nullspend_margins.demo.stripe_server import StripeServer
from tests.processes.servers import signed_in, write_config
from tests.processes.wire import Answer, ask
from tests.world import KEY, ORG, config

LEASE_SECONDS = 5
"""The least there is: how long after a crash nobody else may sync."""


@dataclass
class Shared:
    """What every process of a test has in common."""

    margins: Margins
    path: Path
    stripe: StripeServer

    async def call(
        self, url: str, method: str, target: str, body: object = None, *, org: str = ORG
    ) -> Answer:
        """One request of an admin to the process at ``url``."""
        return await ask(url, method, target, body, signed_in(self.margins, org=org))

    async def get(self, url: str, target: str, *, org: str = ORG) -> Any:
        """The ``data`` of a successful read."""
        return (await self.call(url, "GET", target, org=org)).data

    async def connect(self, url: str, key: str = KEY, *, org: str = ORG) -> None:
        answer = await self.call(url, "POST", "/api/stripe/connect", {"stripeKey": key}, org=org)
        assert answer.status == 201, answer.body

    async def map(self, url: str, customer: str, tag: str, *, org: str = ORG) -> None:
        body = {"stripeCustomerId": customer, "tagValue": tag}
        answer = await self.call(url, "POST", "/api/customer-mappings", body, org=org)
        assert answer.status == 201, answer.body

    async def spent(self, url: str, tag: str) -> int:
        """What a mapped customer cost of late, in microdollars, whenever the month ends."""
        detail = await self.get(url, f"/api/margins/{tag}")
        return sum(month["cost"] for month in detail["revenueOverTime"])


@dataclass
class Gate:
    """Stands before a server and keeps some requests waiting."""

    app: ASGIApp
    waiting: list[str] = field(default_factory=list)
    """The keys of the requests that wait or waited."""
    _closed_for: bytes | None = None
    _opened: asyncio.Event = field(default_factory=asyncio.Event)

    def close(self, mark: bytes) -> None:
        """Requests with ``mark`` in their query wait until it is opened."""
        self._closed_for = mark

    def open(self) -> None:
        """Let everything through."""
        self._closed_for = None
        self._opened.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mark = self._closed_for
        if mark is not None and mark in scope["query_string"]:
            self.waiting.append(dict(scope["headers"])[b"authorization"].decode())
            await self._opened.wait()
        await self.app(scope, receive, send)


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    """The gate before ``shared.stripe``."""
    gate = Gate(StripeServer())
    yield gate
    gate.open()


@pytest.fixture
async def shared(database_url: str, tmp_path: Path, gate: Gate) -> AsyncIterator[Shared]:
    """The configuration file, on each database."""
    assert isinstance(gate.app, StripeServer)
    async with serving(gate, listen("127.0.0.1", 0)) as stripe_url:
        tables = config(
            database_url,
            stripe_url,
            sync={"lease_seconds": LEASE_SECONDS},
            cron={"concurrency": 2},
            plans={"orgs": {ORG: "pro", **{f"org_{number}": "pro" for number in range(2, 9)}}},
        )
        path = write_config(tmp_path / "margins.toml", tables)
        yield Shared(Margins.from_toml(path), path, gate.app)
        gate.open()
