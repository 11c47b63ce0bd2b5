"""Mappings found, replaced and turned down many at a time, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.mapping_changes import Name, Pair, customer_of, tag_of
from nullspend_margins.errors import Conflict
from nullspend_margins.storage import mappings
from nullspend_margins.storage.database import Database
from tests.storage.builders import ORG, mapping, put_mappings


def names(*found: str) -> list[Name]:
    """Of Stripe's, for the usual tag key."""
    return [("stripe", "customer", each) for each in found]


async def test_mappings_of_customers_and_tag_values_are_found_once(database: Database) -> None:
    many = [mapping(f"cus_{at}", f"tag {at}") for at in range(1_100)]
    others = [
        mapping("cus_1", "x", org_id="org_2"),
        mapping("cus_1", "x", provider="other"),
        mapping("cus_1", "x", tag_key="team"),
    ]

    def work(tx: Connection) -> list[list[CustomerMapping]]:
        mappings.replace(tx, ORG, (), many)
        put_mappings(tx, *(each._replace(id=str(at)) for at, each in enumerate(others)))

        def involved(customers: list[Name], tags: list[Name]) -> list[CustomerMapping]:
            found = mappings.involved(tx, ORG, customers, tags)
            return sorted(found, key=lambda each: (int(each.customer_id[4:]), each.provider))

        return [
            involved(names("cus_1", "cus_2", "cus_1"), names("tag 2", "tag 3", "x")),
            involved([*map(customer_of, many)], [*map(tag_of, many)]),
            involved([], []),
            involved(names("nobody"), []),
            involved([*names("cus_2"), ("other", "customer", "cus_1")], [("stripe", "team", "x")]),
        ]

    some, every, none, nobody, mixed = await database.write(work)
    assert some == many[1:4]
    assert [(each.provider, each.tag_key, each.tag_value) for each in mixed] == [
        ("other", "customer", "x"), ("stripe", "team", "x"), ("stripe", "customer", "tag 2"),
    ]  # fmt: skip
    assert every == many
    assert none == nobody == []


async def test_a_replaced_mapping_may_keep_its_id_and_take_anothers_tag(database: Database) -> None:
    first, second = mapping("cus_1", "one"), mapping("cus_2", "two")
    theirs = mapping("cus_1", "one", org_id="org_2", id="theirs")
    swapped = [first._replace(tag_value="two"), second._replace(tag_value="one")]

    def work(tx: Connection) -> list[CustomerMapping]:
        put_mappings(tx, first, second, theirs)
        mappings.replace(tx, ORG, [first.id, second.id, theirs.id, "nothing"], swapped)
        return mappings.list_mappings(tx, ORG)

    assert sorted(await database.write(work)) == sorted(swapped)
    assert await database.read(lambda tx: mappings.list_mappings(tx, "org_2")) == [theirs]


async def test_what_is_taken_is_told_and_nothing_is_stored(database: Database) -> None:
    stored = mapping("cus_1", "one")
    await database.write(lambda tx: put_mappings(tx, stored))
    for taken in (mapping("cus_1", "zwei"), mapping("cus_2", "one"), stored):
        new = [mapping("cus_9", "nine"), taken]
        with pytest.raises(Conflict, match="mapped already"):
            await database.write(lambda tx, new=new: mappings.replace(tx, ORG, (), new))
    assert await database.read(lambda tx: mappings.list_mappings(tx, ORG)) == [stored]


async def test_pairs_are_turned_down_and_forgiven_together(database: Database) -> None:
    pairs = [Pair("stripe", "customer", f"cus_{at}", "one") for at in range(3)]
    team = Pair("other", "team", "cus_1", "one")

    def work(tx: Connection) -> list[set[Pair]]:
        mappings.turn_down(tx, ORG, [*pairs, team], [])
        mappings.turn_down(tx, ORG, pairs[:1], [])
        before = mappings.rejected_pairs(tx, ORG)
        mappings.turn_down(tx, ORG, [], [pairs[0], team])
        mappings.turn_down(tx, "org_2", [], pairs)
        return [before, mappings.rejected_pairs(tx, ORG), mappings.rejected_pairs(tx, "org_2")]

    assert await database.write(work) == [{*pairs, team}, {*pairs[1:]}, set()]


async def test_of_some_pairs_it_is_told_which_were_turned_down(database: Database) -> None:
    many = [Pair("stripe", "customer", f"cus_{at}", "one") for at in range(1_100)]
    elsewhere = [
        Pair("other", "customer", "cus_1", "one"),
        Pair("stripe", "team", "cus_1", "one"),
        Pair("stripe", "customer", "cus_1", "two"),
    ]

    def work(tx: Connection) -> list[set[Pair]]:
        mappings.turn_down(tx, ORG, many[:1_000], [])
        mappings.turn_down(tx, "org_2", elsewhere, [])
        asked = [*many, *elsewhere], elsewhere, []
        found = [mappings.rejected_among(tx, ORG, each) for each in asked]
        mappings.turn_down(tx, ORG, elsewhere[:1], many[:999])
        return [*found, mappings.rejected_among(tx, ORG, [*many, *elsewhere])]

    assert await database.write(work) == [
        {*many[:1_000]}, set(), set(), {many[999], elsewhere[0]},
    ]  # fmt: skip
