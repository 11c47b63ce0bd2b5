"""Notifiers of a host, and a customer whose margin falls."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.world import KEY, World, unix

OCTOBER = "2026-10-05T00:00:00Z"


class Listener:
    """A host's notifier that can be made to fail."""

    def __init__(self, name: str = "listener") -> None:
        self.name = name
        self.heard: list[dict[str, Any]] = []
        self.fails = False
        self.was_told = asyncio.Event()

    async def notify(self, alert: Any) -> None:
        if self.fails:
            raise ConnectionError("nobody there")
        self.heard.append(dict(alert.payload))
        self.was_told.set()

    @property
    def told(self) -> list[tuple[str, str]]:
        """Tag value and tier of each alert."""
        objects = [each["data"]["object"] for each in self.heard]
        return [(each["customer"]["tagValue"], each["margin"]["currentTier"]) for each in objects]


class Broken:
    name = "broken"

    async def notify(self, alert: object) -> None:
        raise RuntimeError("always")


async def falling(here: World) -> None:
    """A customer that was moderate in October and loses money in November.

    No invoice is awaited, though October's came later in its month than it is now.
    """
    here.account.add_customer("cus_1", name="One")
    here.account.add_invoice("cus_1", 10_000, created=unix(2026, 10, 25))
    here.account.add_invoice("cus_1", 10_000, created=unix(2026, 11, 3))
    await here.map("cus_1", "one")
    await here.spend("one", 75_000_000, occurredAt=OCTOBER)
    await here.spend("one", 105_000_000)
    await here.connect(KEY)


async def delivered(here: World) -> None:
    """Everything that is due, once what the sync began to deliver by itself is out."""
    services = await here.margins.services()
    await asyncio.gather(*services.sync._running, return_exceptions=True)
    await services.alerts.deliver_due()


async def synced(here: World) -> None:
    await here.sync()
    await delivered(here)
