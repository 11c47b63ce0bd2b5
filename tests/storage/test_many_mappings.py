"""Mappings found, replaced and turned down many at a time, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.mapping_changes import Pair
from nullspend_margins.errors import Conflict
from nullspend_margins.storage import mappings
from nullspend_margins.storage.database import Database
from tests.storage.builders import ORG, mapping


def put(tx: Connection, *stored: CustomerMapping) -> None:
    for each in stored:
        mappings.insert(tx, each)


async def test_mappings_of_customers_and_tag_values_are_found_once(database: Database) -> None:
    many = [mapping(f"cus_{at}", f"tag {at}") for at in range(1_100)]
    others = [
        mapping("cus_1", "x", org_id="org_2"),
        mapping("cus_1", "x", provider="other"),
        mapping("cus_1", "x", tag_key="team"),
    ]

    def work(tx: Connection) -> list[list[CustomerMapping]]:
        mappings.replace(tx, ORG, (), many)
        put(tx, *(each._replace(id=str(at)) for at, each in enumerate(others)))

        def involved(customers: list[str], tags: list[str]) -> list[CustomerMapping]:
            found = mappings.involved(tx, ORG, "stripe", "customer", customers, tags)
            return sorted(found, key=lambda each: int(each.customer_id[4:]))

        every = [each.customer_id for each in many]
        return [
            involved(["cus_1", "cus_2", "cus_1"], ["tag 2", "tag 3", "x"]),
            involved(every, [each.tag_value for each in many]),
            involved([], []),
            involved(["nobody"], []),
        ]

    some, every, none, nobody = await database.write(work)
    assert some == many[1:4]
    assert every == many
    assert none == nobody == []


async def test_a_replaced_mapping_may_keep_its_id_and_take_anothers_tag(database: Database) -> None:
    first, second = mapping("cus_1", "one"), mapping("cus_2", "two")
    theirs = mapping("cus_1", "one", org_id="org_2", id="theirs")
    swapped = [first._replace(tag_value="two"), second._replace(tag_value="one")]

    def work(tx: Connection) -> list[CustomerMapping]:
        put(tx, first, second, theirs)
        mappings.replace(tx, ORG, [first.id, second.id, theirs.id, "nothing"], swapped)
        return mappings.list_mappings(tx, ORG)

    assert sorted(await database.write(work)) == sorted(swapped)
    assert await database.read(lambda tx: mappings.list_mappings(tx, "org_2")) == [theirs]


async def test_what_is_taken_is_told_and_the_transaction_goes_on(database: Database) -> None:
    stored = mapping("cus_1", "one")

    def work(tx: Connection) -> None:
        put(tx, stored)
        for taken in (mapping("cus_1", "zwei"), mapping("cus_2", "one"), stored):
            with pytest.raises(Conflict, match="mapped already"):
                mappings.replace(tx, ORG, (), [mapping("cus_9", "nine"), taken])

    await database.write(work)
    assert await database.read(lambda tx: mappings.list_mappings(tx, ORG)) == [stored]


async def test_pairs_are_turned_down_and_forgiven_together(database: Database) -> None:
    pairs = [Pair("stripe", "customer", f"cus_{at}", "one") for at in range(3)]
    team = Pair("other", "team", "cus_1", "one")

    def work(tx: Connection) -> list[set[Pair]]:
        mappings.turn_down(tx, ORG, [*pairs, team], [])
        mappings.turn_down(tx, ORG, pairs[:1], [])
        before = mappings.all_rejected(tx, ORG)
        mappings.turn_down(tx, ORG, [], [pairs[0], team])
        mappings.turn_down(tx, "org_2", [], pairs)
        return [before, mappings.all_rejected(tx, ORG), mappings.all_rejected(tx, "org_2")]

    assert await database.write(work) == [{*pairs, team}, {*pairs[1:]}, set()]
