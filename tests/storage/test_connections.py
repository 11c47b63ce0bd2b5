"""Connections: one an org and provider, whoever comes first."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from nullspend_margins.errors import Conflict
from nullspend_margins.storage import connections
from nullspend_margins.storage.connections import Standing, StoredConnection
from nullspend_margins.storage.database import Database
from tests.storage.builders import NOW, ORG


def connection(org_id: str = ORG, provider: str = "stripe", **values: Any) -> StoredConnection:
    return StoredConnection(
        **{
            "id": f"id-{org_id}-{provider}",
            "org_id": org_id,
            "provider": provider,
            "key_prefix": "rk_live_abcd...wxyz",
            "ciphertext": "secret",
            "status": "active",
            "last_sync_at": None,
            "last_attempt_at": None,
            "last_error": None,
            "skipped_currencies": None,
            "created_at": NOW,
        }
        | values
    )


async def test_a_connection_comes_back_as_it_was_stored(database: Database) -> None:
    full = connection(last_sync_at=NOW, last_error="é", skipped_currencies={"eur": 3})
    await database.write(lambda tx: connections.insert(tx, full))
    assert await database.read(lambda tx: connections.get(tx, ORG, "stripe")) == full
    assert await database.read(lambda tx: connections.get(tx, "org_2", "stripe")) is None
    assert await database.read(lambda tx: connections.get(tx, ORG, "paddle")) is None
    await database.write(lambda tx: connections.insert(tx, connection("org_2")))
    assert await database.read(lambda tx: connections.list_for_org(tx, ORG)) == [full]


@pytest.mark.parametrize("skipped", [None, {"eur": 3}, {"eur": 1, "jpy": 2**53}])
@pytest.mark.parametrize("synced", [None, NOW, NOW.replace(microsecond=1), NOW.replace(year=1970)])
async def test_a_table_is_told_how_every_connection_is_doing(
    database: Database, skipped: dict[str, int] | None, synced: datetime | None
) -> None:
    told = {"last_sync_at": synced, "skipped_currencies": skipped}

    def write(tx: Connection) -> None:
        connections.insert(tx, connection(**told, status="revoked"))
        connections.insert(tx, connection(provider="paddle", last_sync_at=NOW))
        connections.insert(tx, connection("org_2", status="error"))

    await database.write(write)
    found = await database.read(lambda tx: connections.standings(tx, ORG))
    assert found == [
        Standing("paddle", "active", NOW, None),
        Standing("stripe", "revoked", synced, skipped),
    ]
    assert all(each.last_sync_at is None or each.last_sync_at.tzinfo is UTC for each in found)


async def test_of_two_that_connect_at_once_one_gets_a_conflict(database: Database) -> None:
    def connect(number: int) -> Any:
        return database.write(lambda tx: connections.insert(tx, connection(id=f"id-{number}")))

    outcomes = await asyncio.gather(*map(connect, range(4)), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict"] * 3 + ["NoneType"]


async def test_a_conflict_leaves_the_transaction_usable(database: Database) -> None:
    def work(tx: Connection) -> None:
        connections.insert(tx, connection())
        with pytest.raises(Conflict, match="already connected to this provider"):
            connections.insert(tx, connection(id="another"))
        connections.insert(tx, connection(provider="paddle"))

    await database.write(work)
    found = await database.read(lambda tx: connections.list_for_org(tx, ORG))
    assert [each.provider for each in found] == ["paddle", "stripe"]


async def test_the_least_recently_attempted_is_due_first_and_revoked_ones_never(
    database: Database,
) -> None:
    def hours_ago(hours: int) -> Any:
        return NOW - timedelta(hours=hours)

    stored = [
        connection("tried", last_attempt_at=hours_ago(1), last_sync_at=hours_ago(9)),
        connection("older", last_attempt_at=hours_ago(2), last_sync_at=hours_ago(2)),
        connection("new"),
        connection("broken", status="error", last_attempt_at=hours_ago(3)),
        connection("gone", status="revoked"),
        connection("older", "paddle", last_attempt_at=hours_ago(4)),
        connection("a_synced", last_sync_at=hours_ago(5)),
    ]

    def fill(tx: Connection) -> None:
        for each in stored:
            connections.insert(tx, each)

    await database.write(fill)
    everything = await database.read(lambda tx: connections.due(tx, None))
    assert everything == [
        ("new", "stripe"),
        ("a_synced", "stripe"),
        ("older", "paddle"),
        ("broken", "stripe"),
        ("older", "stripe"),
        ("tried", "stripe"),
    ]
    paddle = await database.read(lambda tx: connections.due(tx, "paddle"))
    assert paddle == [("older", "paddle")]


async def test_the_life_of_a_connection(database: Database) -> None:
    later = NOW + timedelta(hours=1)

    def live(tx: Connection) -> list[StoredConnection | None]:
        def now_is() -> StoredConnection | None:
            return connections.get(tx, ORG, "stripe", for_update=True)

        connections.insert(tx, connection())
        connections.insert(tx, connection("org_2"))
        connections.mark_synced(tx, ORG, "stripe", NOW, {"eur": 1})
        states = [now_is()]
        connections.mark_failed(tx, ORG, "stripe", later, status="revoked", error="refused")
        states.append(now_is())
        connections.replace_credential(
            tx, ORG, "stripe", key_prefix="rk_live_new", ciphertext="new"
        )
        states.append(now_is())
        connections.mark_failed(tx, ORG, "stripe", later, status="error", error="unreadable")
        connections.mark_synced(tx, ORG, "stripe", later, {})
        return [*states, now_is()]

    synced, failed, replaced, synced_again = await database.write(live)
    told = {"last_sync_at": NOW, "skipped_currencies": {"eur": 1}, "gaps": []}
    assert synced == connection(last_attempt_at=NOW, **told)
    assert failed == connection(
        status="revoked", last_attempt_at=later, last_error="refused", **told
    )
    assert replaced is not None
    assert (replaced.status, replaced.last_error) == ("active", None)
    assert (replaced.key_prefix, replaced.ciphertext) == ("rk_live_new", "new")
    assert synced_again is not None
    assert synced_again.skipped_currencies is None
    assert (synced_again.status, synced_again.last_error) == ("active", None)
    other = await database.read(lambda tx: connections.get(tx, "org_2", "stripe"))
    assert other == connection("org_2")


async def test_what_is_gone_cannot_be_changed(database: Database) -> None:
    def work(tx: Connection) -> list[bool]:
        connections.insert(tx, connection())
        return [
            connections.delete(tx, "org_2", "stripe"),
            connections.delete(tx, ORG, "stripe"),
            connections.delete(tx, ORG, "stripe"),
            connections.mark_synced(tx, ORG, "stripe", NOW, None),
            connections.mark_failed(tx, ORG, "stripe", NOW, status="active", error="e"),
        ]

    assert await database.write(work) == [False, True, False, False, False]
