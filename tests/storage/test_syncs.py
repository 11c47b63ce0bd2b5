"""The newest sync of a connection: who may write it, and what stands there at the end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from nullspend_margins.storage import leases, syncs
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.syncs import StoredSync
from tests.storage.builders import NOW, ORG

SECOND = timedelta(seconds=1)
REPORT = {"invoices_fetched": 7, "skipped_currencies": {"eur": 2}}


def begin(tx: Connection, fence: int = 1, org_id: str = ORG, month: int | None = None) -> None:
    syncs.begin(tx, org_id, "stripe", fence, NOW, stage="reading", month=month)


def tell(tx: Connection, fence: int, fetched: int) -> bool:
    return syncs.tell(
        tx, ORG, "stripe", fence, NOW + SECOND, stage="reading", invoices_fetched=fetched
    )


async def newest(database: Database, org_id: str = ORG) -> StoredSync | None:
    found = await database.read(lambda tx: syncs.of_org(tx, org_id))
    return found.get("stripe")


def stored(**values: Any) -> StoredSync:
    return StoredSync(
        **{
            "org_id": ORG,
            "provider": "stripe",
            "fence": 1,
            "started_at": NOW,
            "updated_at": NOW,
            "stage": "reading",
            "invoices_fetched": 0,
            "month": None,
            "ended_at": None,
            "report": None,
            "error": None,
        }
        | values
    )


async def test_a_sync_begins_comes_forward_and_ends(database: Database) -> None:
    await database.write(lambda tx: begin(tx, month=24_322))
    assert await newest(database) == stored(month=24_322)
    assert await database.write(lambda tx: tell(tx, 1, 5))
    told = stored(month=24_322, updated_at=NOW + SECOND, invoices_fetched=5)
    assert await newest(database) == told
    end = NOW + 2 * SECOND
    assert await database.write(lambda tx: syncs.end(tx, ORG, "stripe", 1, end, report=REPORT))
    assert await newest(database) == stored(
        month=24_322, updated_at=end, ended_at=end, invoices_fetched=5, report=REPORT
    )


async def test_the_next_one_takes_its_place_with_nothing_of_it(database: Database) -> None:
    await database.write(lambda tx: begin(tx))
    await database.write(lambda tx: tell(tx, 1, 5))
    await database.write(
        lambda tx: syncs.end(tx, ORG, "stripe", 1, NOW, error={"code": "conflict"})
    )
    await database.write(lambda tx: begin(tx, 2))
    assert await newest(database) == stored(fence=2)


async def test_one_that_lost_its_lease_writes_nothing_over_its_successor(
    database: Database,
) -> None:
    await database.write(lambda tx: begin(tx, 2))
    await database.write(lambda tx: begin(tx, 1))
    assert not await database.write(lambda tx: tell(tx, 1, 99))
    assert not await database.write(lambda tx: syncs.end(tx, ORG, "stripe", 1, NOW, report=REPORT))
    assert await newest(database) == stored(fence=2)


async def test_what_came_of_it_is_told_once(database: Database) -> None:
    await database.write(lambda tx: begin(tx))
    await database.write(lambda tx: syncs.end(tx, ORG, "stripe", 1, NOW, report=REPORT))
    assert not await database.write(lambda tx: tell(tx, 1, 9))
    assert not await database.write(
        lambda tx: syncs.end(tx, ORG, "stripe", 1, NOW, error={"code": "conflict"})
    )
    assert await newest(database) == stored(ended_at=NOW, report=REPORT)


async def test_orgs_and_providers_have_their_own(database: Database) -> None:
    await database.write(lambda tx: begin(tx))
    await database.write(lambda tx: begin(tx, 4, "org_2"))
    await database.write(lambda tx: syncs.delete_provider(tx, ORG, "stripe"))
    await database.write(lambda tx: syncs.delete_provider(tx, "org_2", "csv"))
    assert await newest(database) is None
    assert await newest(database, "org_2") == stored(org_id="org_2", fence=4)


async def test_the_leases_that_are_held_are_known_with_their_fences(database: Database) -> None:
    hour = timedelta(hours=1)
    for name, org_id in (("sync:stripe", ORG), ("sync:csv", ORG), ("sync:stripe", "org_2")):
        await database.write(
            lambda tx, org_id=org_id, name=name: leases.acquire(tx, org_id, name, "me", NOW, hour)
        )
    gone = await database.write(
        lambda tx: leases.acquire(tx, ORG, "sync:gone", "me", NOW - 2 * hour, hour)
    )
    assert gone is not None
    found = await database.read(lambda tx: leases.held(tx, ORG, NOW))
    assert found == {"sync:stripe": 1, "sync:csv": 1}
