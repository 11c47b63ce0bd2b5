"""Mappings: a tag value belongs to one customer per provider and tag key."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.errors import Conflict
from nullspend_margins.storage import mappings
from nullspend_margins.storage.database import Database
from tests.storage.builders import NOW, ORG, mapping


async def fill(database: Database, *stored: CustomerMapping) -> None:
    def work(tx: Connection) -> None:
        for each in stored:
            mappings.insert(tx, each)

    await database.write(work)


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
            mappings.for_customer(tx, ORG, "stripe", "cus_1", "customer"),
            mappings.for_customer(tx, ORG, "paddle", "cus_1", "customer"),
            mappings.for_customer(tx, "org_2", "stripe", "cus_1", "customer"),
            mappings.holder(tx, ORG, "paddle", "customer", "acme"),
            mappings.holder(tx, ORG, "paddle", "team", "acme"),
            mappings.holder(tx, ORG, "stripe", "customer", "ACME"),
            sorted(mappings.for_tag(tx, ORG, "customer", "acme")),
            mappings.for_tag(tx, ORG, "customer", "ACME"),
            mappings.for_tag(tx, ORG, "team", "acme"),
            mappings.for_tag(tx, "org_2", "customer", "acme"),
        ]

    assert await database.read(look) == [
        stripe, None, None, paddle, None, None, sorted([stripe, paddle]), [], [], [],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "second", [mapping("cus_2", "acme"), mapping("cus_1", "zeta")], ids=["tag", "customer"]
)
async def test_neither_customer_nor_tag_is_mapped_twice(
    database: Database, second: CustomerMapping
) -> None:
    def work(tx: Connection) -> None:
        mappings.insert(tx, mapping("cus_1", "acme"))
        with pytest.raises(Conflict, match="already mapped"):
            mappings.insert(tx, second)
        mappings.insert(tx, mapping("cus_3", "third"))

    await database.write(work)
    assert len(await database.read(lambda tx: mappings.list_mappings(tx, ORG))) == 2


async def test_a_mapping_is_updated_unless_its_new_tag_is_taken(database: Database) -> None:
    first, second = mapping("cus_1", "acme"), mapping("cus_2", "zeta")
    changed = first._replace(tag_value="new", match_type="auto", confidence=None)

    def work(tx: Connection) -> None:
        mappings.insert(tx, first)
        mappings.insert(tx, second)
        assert mappings.update(tx, changed) == changed
        with pytest.raises(Conflict):
            mappings.update(tx, second._replace(tag_value="new"))
        with pytest.raises(Conflict, match="removed"):
            mappings.update(tx, second._replace(id="nobody", tag_value="free"))
        with pytest.raises(Conflict, match="removed"):
            mappings.update(tx, second._replace(org_id="org_2", tag_value="free"))

    await database.write(work)
    found = await database.read(lambda tx: mappings.list_mappings(tx, ORG))
    assert found == [changed, second]


async def test_a_deleted_mapping_is_handed_back_once(database: Database) -> None:
    stored = mapping("cus_1", "acme")
    await fill(database, stored)

    def work(tx: Connection) -> list[CustomerMapping | None]:
        orgs = ("org_2", ORG, ORG)
        return [mappings.delete(tx, org_id, stored.id) for org_id in orgs]

    assert await database.write(work) == [None, stored, None]


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


async def test_rejections_are_remembered_and_can_be_forgotten(database: Database) -> None:
    def work(tx: Connection) -> list[set[tuple[str, str]]]:
        for _ in range(2):
            mappings.reject(tx, ORG, "stripe", "cus_1", "customer", "acme")
        mappings.reject(tx, ORG, "stripe", "cus_1", "customer", "zeta")
        mappings.reject(tx, ORG, "paddle", "cus_1", "customer", "acme")
        before = mappings.rejected_pairs(tx, ORG, "stripe", "customer")
        mappings.forget_rejection(tx, ORG, "stripe", "cus_1", "customer", "acme")
        return [
            before,
            mappings.rejected_pairs(tx, ORG, "stripe", "customer"),
            mappings.rejected_pairs(tx, "org_2", "stripe", "customer"),
        ]

    assert await database.write(work) == [
        {("cus_1", "acme"), ("cus_1", "zeta")},
        {("cus_1", "zeta")},
        set(),
    ]


async def test_deleting_a_provider_takes_its_mappings_and_rejections(database: Database) -> None:
    paddle, other = mapping("p_1", "acme", provider="paddle"), mapping("c", "a", org_id="org_2")
    await fill(database, mapping("cus_1", "acme"), paddle, other)

    def work(tx: Connection) -> set[tuple[str, str]]:
        mappings.reject(tx, ORG, "stripe", "cus_1", "customer", "x")
        mappings.reject(tx, ORG, "paddle", "p_1", "customer", "x")
        mappings.delete_provider(tx, ORG, "stripe")
        assert mappings.rejected_pairs(tx, ORG, "stripe", "customer") == set()
        return mappings.rejected_pairs(tx, ORG, "paddle", "customer")

    assert await database.write(work) == {("p_1", "x")}
    assert await database.read(lambda tx: mappings.list_mappings(tx, ORG)) == [paddle]
    assert await database.read(lambda tx: mappings.list_mappings(tx, "org_2")) == [other]
