"""Mappings: a tag value belongs to one customer per provider and tag key."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.mapping_changes import Pair
from nullspend_margins.errors import Conflict
from nullspend_margins.storage import mappings
from nullspend_margins.storage.database import Database
from tests.storage.builders import NOW, ORG, mapping, put_mappings


async def fill(database: Database, *stored: CustomerMapping) -> None:
    await database.write(lambda tx: put_mappings(tx, *stored))


async def test_mappings_are_listed_oldest_first_and_of_the_org_alone(database: Database) -> None:
    newer = mapping("cus_a", "a", created_at=NOW + timedelta(microseconds=1))
    older = mapping("cus_b", "b", match_type="auto", confidence=None)
    same = mapping("cus_a", "z", tag_key="team")
    await fill(database, newer, older, same, mapping("cus_a", "a", org_id="org_2", id="other"))
    listed = await database.read(lambda tx: mappings.list_mappings(tx, ORG))
    assert listed == [*sorted([same, older], key=lambda each: each.id), newer]
    assert all(each.created_at.utcoffset() == timedelta(0) for each in listed)
    of_key = await database.read(lambda tx: mappings.of_key(tx, ORG, "customer"))
    assert sorted(of_key) == sorted([newer, older])
    tag_values = await database.read(lambda tx: mappings.tag_values(tx, ORG, "customer"))
    assert tag_values == {"stripe": {"cus_a": "a", "cus_b": "b"}}
    assert await database.read(lambda tx: mappings.tag_values(tx, ORG, "project")) == {}


async def test_one_mapping_is_found_by_customer_tag_or_both_providers(database: Database) -> None:
    stripe, paddle = mapping("cus_1", "acme"), mapping("p_1", "acme", provider="paddle")
    await fill(database, stripe, paddle)

    def look(tx: Connection) -> list[Any]:
        return [
            mappings.involved(tx, ORG, [("stripe", "customer", "cus_1")], []),
            mappings.involved(tx, ORG, [("paddle", "customer", "cus_1")], []),
            mappings.involved(tx, "org_2", [("stripe", "customer", "cus_1")], []),
            mappings.involved(tx, ORG, [], [("paddle", "customer", "acme")]),
            mappings.involved(tx, ORG, [], [("paddle", "team", "acme")]),
            mappings.involved(tx, ORG, [], [("stripe", "customer", "ACME")]),
            sorted(mappings.for_tag(tx, ORG, "customer", "acme")),
            mappings.for_tag(tx, ORG, "customer", "ACME"),
            mappings.for_tag(tx, ORG, "team", "acme"),
            mappings.for_tag(tx, "org_2", "customer", "acme"),
        ]

    assert await database.read(look) == [
        [stripe], [], [], [paddle], [], [], sorted([stripe, paddle]), [], [], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "second", [mapping("cus_2", "acme"), mapping("cus_1", "zeta")], ids=["tag", "customer"]
)
async def test_neither_customer_nor_tag_is_mapped_twice(
    database: Database, second: CustomerMapping
) -> None:
    first = mapping("cus_1", "acme")
    await fill(database, first)
    with pytest.raises(Conflict, match="mapped already"):
        await fill(database, mapping("cus_3", "third"), second)
    assert await database.read(lambda tx: mappings.list_mappings(tx, ORG)) == [first]


async def test_a_mapping_is_changed_unless_its_new_tag_is_taken(database: Database) -> None:
    first, second = mapping("cus_1", "acme"), mapping("cus_2", "zeta")
    changed = first._replace(tag_value="new", match_type="auto", confidence=None)
    await fill(database, first, second)
    await database.write(lambda tx: mappings.replace(tx, ORG, [first.id], [changed]))
    taken = second._replace(tag_value="new")
    with pytest.raises(Conflict):
        await database.write(lambda tx: mappings.replace(tx, ORG, [second.id], [taken]))
    found = await database.read(lambda tx: mappings.list_mappings(tx, ORG))
    assert found == [changed, second]


async def test_a_mapping_is_found_by_its_id_and_removed_by_its_org_alone(
    database: Database,
) -> None:
    stored = mapping("cus_1", "acme")
    await fill(database, stored)

    def work(tx: Connection) -> list[list[CustomerMapping]]:
        found = []
        for org_id in ("org_2", ORG, ORG):
            found.append(mappings.of_ids(tx, org_id, [stored.id]))
            mappings.replace(tx, org_id, [stored.id], [])
        return found

    assert await database.write(work) == [[], [stored], []]


async def test_the_matcher_stores_only_what_is_free(database: Database) -> None:
    await fill(database, mapping("cus_1", "acme"))
    matches = [
        mapping("cus_1", "other", id="1", match_type="auto", confidence=0.9),
        mapping("cus_2", "acme", id="2", match_type="auto", confidence=0.9),
        mapping("cus_3", "zeta", id="3", match_type="auto", confidence=0.9),
    ]

    def match(tx: Connection) -> int:
        return mappings.insert_auto(tx, ORG, "stripe", matches)

    assert [await database.write(match) for _ in range(2)] == [1, 0]
    assert await database.write(lambda tx: mappings.insert_auto(tx, ORG, "stripe", [])) == 0
    found = await database.read(lambda tx: mappings.list_mappings(tx, ORG))
    assert {each.tag_value for each in found} == {"acme", "zeta"}


async def test_of_two_people_who_map_one_tag_at_once_one_wins(database: Database) -> None:
    async def save(customer: str) -> bool:
        try:
            await fill(database, mapping(customer, "acme"))
        except Conflict:
            return False
        return True

    outcomes = await asyncio.gather(*(save(f"cus_{number}") for number in range(4)))
    assert sorted(outcomes) == [False, False, False, True]


async def test_deleting_a_provider_takes_its_mappings_and_rejections(database: Database) -> None:
    paddle, other = mapping("p_1", "acme", provider="paddle"), mapping("c", "a", org_id="org_2")
    await fill(database, mapping("cus_1", "acme"), paddle, other)

    stripes, paddles = (
        Pair("stripe", "customer", "cus_1", "x"),
        Pair("paddle", "customer", "p_1", "x"),
    )

    def work(tx: Connection) -> set[Pair]:
        mappings.turn_down(tx, ORG, [stripes, paddles], [])
        mappings.delete_provider(tx, ORG, "stripe")
        return mappings.rejected_pairs(tx, ORG)

    assert await database.write(work) == {paddles}
    assert await database.read(lambda tx: mappings.list_mappings(tx, ORG)) == [paddle]
    assert await database.read(lambda tx: mappings.list_mappings(tx, "org_2")) == [other]
