"""Keys: found by hash, listed by org, revoked for good."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from nullspend_margins.errors import Conflict
from nullspend_margins.storage import keys
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.keys import StoredKey
from tests.storage.builders import NOW, ORG


async def test_a_key_is_its_orgs_until_it_is_revoked(database: Database) -> None:
    def work(tx: Connection) -> list[object]:
        keys.insert(tx, ORG, "id-1", "ns_live_sk_aa", "hash-1", NOW)
        keys.insert(tx, "org_2", "id-2", "ns_live_sk_bb", "hash-2", NOW)
        before = [keys.org_of(tx, name) for name in ("hash-1", "hash-2", "hash-3")]
        revoked = [
            keys.revoke(tx, org_id, "id-1", NOW + timedelta(hours=1))
            for org_id in ("org_2", ORG, ORG)
        ]
        return [before, revoked, keys.org_of(tx, "hash-1"), keys.org_of(tx, "hash-2")]

    assert await database.write(work) == [
        [ORG, "org_2", None],
        [False, True, False],
        None,
        "org_2",
    ]


async def test_keys_are_listed_oldest_first_with_the_revoked_ones(database: Database) -> None:
    later = NOW + timedelta(hours=1)

    def work(tx: Connection) -> list[StoredKey]:
        keys.insert(tx, ORG, "id-2", "ns_live_sk_bb", "hash-2", later)
        keys.insert(tx, ORG, "id-1", "ns_live_sk_aa", "hash-1", NOW)
        keys.insert(tx, "org_2", "id-3", "ns_live_sk_aa", "hash-3", NOW)
        assert keys.revoke(tx, ORG, "ns_live_sk_aa", later)
        return keys.list_keys(tx, ORG)

    assert await database.write(work) == [
        StoredKey(id="id-1", org_id=ORG, prefix="ns_live_sk_aa", created_at=NOW, revoked_at=later),
        StoredKey(id="id-2", org_id=ORG, prefix="ns_live_sk_bb", created_at=later, revoked_at=None),
    ]


async def test_a_prefix_that_fits_two_keys_revokes_neither(database: Database) -> None:
    def work(tx: Connection) -> None:
        keys.insert(tx, ORG, "id-1", "ns_live_sk_aa", "hash-1", NOW)
        keys.insert(tx, ORG, "id-2", "ns_live_sk_aa", "hash-2", NOW)
        with pytest.raises(Conflict, match="revoke by id"):
            keys.revoke(tx, ORG, "ns_live_sk_aa", NOW)
        assert keys.revoke(tx, ORG, "id-1", NOW)
        assert keys.revoke(tx, ORG, "ns_live_sk_aa", NOW)

    await database.write(work)
    assert await database.read(lambda tx: keys.org_of(tx, "hash-2")) is None
