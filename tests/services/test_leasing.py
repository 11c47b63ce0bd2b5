"""Work under a lease: renewed while it lasts, ended when somebody else has the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from nullspend_margins.errors import ServiceUnavailable
from nullspend_margins.services.leasing import LeaseKeeper
from nullspend_margins.storage import leases
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.leases import LeaseLost
from nullspend_margins.storage.tables import leases as table
from tests.storage.builders import NOW, ORG
from tests.world import FixedClock

SECONDS = 0.03
HOUR = timedelta(hours=1)


async def test_who_lost_the_lease_is_stopped_and_may_go_on_with_other_work(
    database: Database,
) -> None:
    keeper = LeaseKeeper(database, FixedClock(NOW), SECONDS)
    with pytest.raises(LeaseLost, match="sync"):
        async with asyncio.timeout(10) as limit, keeper.hold(ORG, "sync") as lease:
            assert lease is not None
            await database.write(
                lambda tx: leases.acquire(tx, ORG, "sync", "another", NOW + HOUR, HOUR)
            )
            await asyncio.Event().wait()
    assert not limit.expired()  # stopped by the keeper, not by us
    current = asyncio.current_task()
    assert current is not None
    assert not current.cancelling()
    async with keeper.hold(ORG, "sync") as again:
        assert again is None  # still the other's


class Outages:
    """A database that is away for some writes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.away = 0

    async def write(self, work: Callable[[Any], Any]) -> Any:
        if self.away:
            self.away -= 1
            raise ServiceUnavailable("The database is away.")
        return await self.database.write(work)


async def test_a_lease_is_renewed_again_and_again_through_an_outage_and_then_given_back(
    database: Database,
) -> None:
    clock, outages = FixedClock(NOW), Outages(database)
    stepped: Any = outages
    keeper = LeaseKeeper(stepped, clock, SECONDS)

    async def expiry() -> datetime:
        found = await database.read(lambda tx: tx.scalar(select(table.c.expires_at)))
        assert isinstance(found, datetime)
        return found

    async with asyncio.timeout(30), keeper.hold(ORG, "sync") as lease:
        assert lease is not None
        for _ in range(2):
            outages.away = 1
            clock.advance(hours=1)
            while await expiry() < clock.now():
                pass  # a read lets everything else go on
        assert outages.away == 0
    assert await expiry() < NOW
    assert "margins-lease" not in {task.get_name() for task in asyncio.all_tasks()}
