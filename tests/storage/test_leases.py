"""Leases: one holder at a time, and a late one is found out."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from nullspend_margins.errors import Conflict
from nullspend_margins.storage import costs, leases
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.leases import Lease, LeaseLost
from tests.storage.builders import NOW, ORG

HALF_A_MINUTE = timedelta(seconds=30)


async def take(database: Database, holder: str, seconds: int = 0, **where: str) -> Lease | None:
    org_id, name = where.get("org_id", ORG), where.get("name", "sync")
    now = NOW + timedelta(seconds=seconds)
    return await database.write(
        lambda tx: leases.acquire(tx, org_id, name, holder, now, HALF_A_MINUTE)
    )


async def test_a_lease_has_one_holder_until_it_runs_out(database: Database) -> None:
    first = await take(database, "one")
    assert first is not None
    assert first.expires_at == NOW + HALF_A_MINUTE
    assert await take(database, "two", 29) is None
    assert await take(database, "one", 29) is None  # not even its holder takes it twice
    assert await take(database, "two", 29, name="other") is not None
    assert await take(database, "two", 29, org_id="org_2") is not None
    second = await take(database, "two", 30)
    assert second is not None
    assert second.fence > first.fence


async def test_of_many_that_want_a_lease_at_once_one_gets_it(database: Database) -> None:
    found = await asyncio.gather(*(take(database, f"holder {n}") for n in range(8)))
    assert sum(lease is not None for lease in found) == 1


async def test_the_fence_grows_through_releases_and_expiries(database: Database) -> None:
    fences = []
    for turn in range(4):
        lease = await take(database, "same holder", 40 * turn)
        assert lease is not None
        fences.append(lease.fence)
        if turn % 2:
            await database.write(lambda tx, lease=lease: leases.release(tx, lease))
    assert fences == sorted(set(fences))


async def test_a_released_lease_is_free_at_once(database: Database) -> None:
    first = await take(database, "one")
    assert first is not None
    for where in ({"org_id": "org_2"}, {"name": "other"}):
        assert await take(database, "one", **where) is not None
    await database.write(lambda tx: leases.release(tx, first))
    assert await take(database, "two", 1) is not None
    assert await take(database, "two", 1, org_id="org_2") is None
    assert await take(database, "two", 1, name="other") is None


async def test_a_lease_is_renewed_until_somebody_else_takes_it(database: Database) -> None:
    lease = await take(database, "one")
    assert lease is not None

    def renew(seconds: int) -> Any:
        now = NOW + timedelta(seconds=seconds)
        return database.write(lambda tx: leases.renew(tx, lease, now, HALF_A_MINUTE))

    assert await renew(29)
    assert await take(database, "two", 58) is None
    assert await renew(70)  # late, but nobody came
    assert await take(database, "two", 99) is None
    assert await take(database, "two", 100) is not None
    assert not await renew(101)


async def test_a_lease_that_was_given_back_is_not_renewed(database: Database) -> None:
    lease = await take(database, "one")
    assert lease is not None
    await database.write(lambda tx: leases.release(tx, lease))
    assert not await database.write(lambda tx: leases.renew(tx, lease, NOW, HALF_A_MINUTE))
    with pytest.raises(LeaseLost):
        await database.write(lambda tx: leases.verify(tx, lease))


async def test_a_worker_whose_lease_was_taken_over_keeps_nothing(database: Database) -> None:
    lease = await take(database, "slow")
    assert lease is not None
    assert await take(database, "quick", 31) is not None

    def work(tx: Connection) -> None:
        costs.save_cursor(tx, "source", "late", NOW)
        leases.verify(tx, lease)

    with pytest.raises(LeaseLost) as raised:
        await database.write(work)
    assert isinstance(raised.value, Conflict)
    assert await database.read(lambda tx: costs.load_cursor(tx, "source")) is None


async def test_a_late_release_does_not_free_somebody_elses_lease(database: Database) -> None:
    slow = await take(database, "one")
    assert slow is not None
    assert await take(database, "one", 31) is not None
    await database.write(lambda tx: leases.release(tx, slow))
    assert await take(database, "three", 32) is None


async def test_nobody_takes_a_lease_between_its_check_and_the_commit(database: Database) -> None:
    """The work was checked just in time, the lease runs out before it is committed."""
    lease = await take(database, "slow")
    assert lease is not None
    order: list[str] = []

    def work(tx: Connection) -> None:
        leases.verify(tx, lease)
        verified.set()
        for turn in range(20):
            costs.save_cursor(tx, "source", str(turn), NOW)
        order.append("work done")

    async def take_over() -> None:
        await verified.wait()
        taken = await take(database, "quick", 31)
        order.append("taken" if taken else "refused")

    verified = _Flag(asyncio.get_running_loop())
    await asyncio.gather(database.write(work), take_over())
    assert order == ["work done", "taken"]


class _Flag:
    """An ``asyncio.Event`` that a database thread may set."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    def set(self) -> None:
        self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self) -> None:
        await self._event.wait()
