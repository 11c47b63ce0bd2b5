"""Many mappings at once, and taking changes back, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from nullspend_margins.domain.mapping import CustomerMapping, MatchType
from nullspend_margins.domain.mapping_changes import Held, Pair, Seen, Undo, Wanted
from nullspend_margins.errors import Conflict, ValidationFailed
from nullspend_margins.services.mapping_batches import MOST_AT_ONCE
from nullspend_margins.services.mappings import MappingService
from nullspend_margins.storage import mappings, revisions
from nullspend_margins.storage.database import Database
from tests.world import FixedClock

ORG = "org_1"


@pytest.fixture
def service(database: Database, clock: FixedClock) -> MappingService:
    return MappingService(database, clock)


def wanted(**tags: str) -> list[Wanted]:
    return [Wanted("stripe", customer, tag) for customer, tag in tags.items()]


def held(customer: str, tag: str, match_type: MatchType = "manual") -> Held:
    return Held("stripe", "customer", customer, tag, match_type)


async def put(service: MappingService, customer: str, tag: str, how: MatchType = "manual") -> str:
    return (await service.save(ORG, Wanted("stripe", customer, tag, match_type=how))).id


async def rejected(database: Database) -> set[Pair]:
    return await database.read(lambda tx: mappings.rejected_pairs(tx, ORG))


async def state(
    service: MappingService, database: Database
) -> tuple[list[CustomerMapping], set[Pair]]:
    """All mappings in order, and all that was turned down."""
    return sorted(await service.list(ORG)), await rejected(database)


async def tags(service: MappingService) -> dict[str, str]:
    return {each.customer_id: each.tag_value for each in await service.list(ORG)}


async def test_all_are_made_and_all_are_taken_back(
    service: MappingService, database: Database, clock: FixedClock
) -> None:
    await put(service, "cus_1", "one")
    await put(service, "cus_2", "two", "auto")
    await put(service, "cus_3", "three", "auto")
    await put(service, "cus_4", "four")
    await service.delete(ORG, await put(service, "cus_5", "five"))
    before = await state(service, database)
    clock.advance(hours=1)
    changes = await service.save_many(
        ORG, wanted(cus_1="four", cus_4="one", cus_2="two", cus_5="five", cus_9="three")
    )
    assert await tags(service) == {
        "cus_1": "four", "cus_4": "one", "cus_2": "two", "cus_5": "five", "cus_9": "three",
    }  # fmt: skip
    assert {each.match_type for each in await service.list(ORG)} == {"manual"}
    assert await rejected(database) == {Pair("stripe", "customer", "cus_3", "three")}
    await service.restore(ORG, changes.undo)
    assert await state(service, database) == before


async def test_a_mapping_that_was_removed_and_made_again_is_another_one(
    service: MappingService,
) -> None:
    mine = await service.save_many(ORG, wanted(cus_1="one"))
    await service.delete_many(ORG, [held("cus_1", "one")])
    await service.save_many(ORG, wanted(cus_1="one"))
    with pytest.raises(Conflict, match="cus_1"):
        await service.restore(ORG, mine.undo)
    assert await tags(service) == {"cus_1": "one"}


async def test_what_a_person_did_not_see_is_not_done(service: MappingService) -> None:
    await put(service, "cus_1", "one")
    pairs = wanted(cus_1="uno", cus_2="two")
    seen = [each.seen for each in await service.preview(ORG, pairs)]
    assert seen == [Seen("change", "one", "manual"), Seen("create")]
    await put(service, "cus_1", "eins")
    with pytest.raises(Conflict) as caught:
        await service.save_many(ORG, pairs, seen=seen)
    assert caught.value.details == {"positions": [0]}
    assert await tags(service) == {"cus_1": "eins"}


async def test_one_that_is_refused_stops_all(service: MappingService, database: Database) -> None:
    holder = await put(service, "cus_1", "one")
    pairs = wanted(cus_2="two", cus_3="one")
    with pytest.raises(Conflict, match="cus_3") as caught:
        await service.save_many(ORG, pairs)
    assert caught.value.details == {"positions": [1]}
    assert await tags(service) == {"cus_1": "one"}
    changes = await service.save_many(ORG, pairs, released=[holder])
    assert await tags(service) == {"cus_2": "two", "cus_3": "one"}
    await service.restore(ORG, changes.undo)
    assert await tags(service) == {"cus_1": "one"}
    assert await rejected(database) == set()


async def test_mappings_go_as_they_were_seen_or_not_at_all(
    service: MappingService, database: Database
) -> None:
    await put(service, "cus_1", "one", "auto")
    await put(service, "cus_2", "two", "auto")
    before = await state(service, database)
    pending = [held("cus_1", "one", "auto"), held("cus_2", "two", "auto")]
    with pytest.raises(Conflict, match="cus_3"):
        await service.delete_many(ORG, [*pending, held("cus_3", "three", "auto")])
    changes = await service.delete_many(ORG, pending)
    assert await tags(service) == {}
    assert len(await rejected(database)) == 2
    await service.restore(ORG, changes.undo)
    assert await state(service, database) == before
    await put(service, "cus_1", "one")  # confirmed meanwhile
    with pytest.raises(Conflict) as caught:
        await service.delete_many(ORG, pending)
    assert caught.value.details == {"stripeCustomerIds": ["cus_1"]}
    assert len(await service.list(ORG)) == 2


@pytest.mark.parametrize("meanwhile", ["changed", "removed", "customer taken", "tag value taken"])
async def test_what_changed_meanwhile_is_not_taken_back(
    service: MappingService, database: Database, meanwhile: str
) -> None:
    await put(service, "cus_1", "one", "auto")
    if meanwhile in ("changed", "removed"):
        changes = await service.save_many(ORG, wanted(cus_1="uno", cus_2="two"))
        if meanwhile == "changed":
            await put(service, "cus_1", "eins")
        else:
            await service.delete_many(ORG, [held("cus_1", "uno")])
    else:
        changes = await service.delete_many(ORG, [held("cus_1", "one", "auto")])
        await put(service, "cus_1" if meanwhile == "customer taken" else "cus_9", "one")
    before = await state(service, database)
    with pytest.raises(Conflict):
        await service.restore(ORG, changes.undo)
    assert await state(service, database) == before


async def test_another_orgs_mappings_are_out_of_reach(
    service: MappingService, database: Database
) -> None:
    await put(service, "cus_1", "one")
    theirs = await state(service, database)
    assert [each.doing for each in await service.preview("org_2", wanted(cus_2="one"))] == [
        "create"
    ]
    with pytest.raises(Conflict):
        await service.delete_many("org_2", [held("cus_1", "one")])
    changes = await service.save_many("org_2", wanted(cus_1="one"))
    await service.restore("org_2", changes.undo)
    assert await service.list("org_2") == []
    assert await state(service, database) == theirs


async def test_pairs_of_two_providers_are_told_apart(service: MappingService) -> None:
    both = [Wanted("stripe", "c", "one"), Wanted("other", "c", "one")]
    changes = await service.save_many(ORG, both)
    assert len(changes.new) == 2
    assert [each.doing for each in await service.preview(ORG, both)] == ["same", "same"]


async def test_margins_are_computed_anew_after_each(
    service: MappingService, database: Database
) -> None:
    async def revision() -> int | None:
        return await database.read(lambda tx: revisions.current(tx, ORG))

    seen = [await revision()]
    changes = await service.save_many(ORG, wanted(cus_1="one"))
    seen.append(await revision())
    await service.restore(ORG, changes.undo)
    seen.append(await revision())
    await put(service, "cus_1", "one")
    seen.append(await revision())
    await service.delete_many(ORG, [held("cus_1", "one")])
    seen.append(await revision())
    assert len(set(seen)) == 5


async def test_thousands_at_once_are_one_change(
    service: MappingService, database: Database
) -> None:
    many = [Wanted("stripe", f"cus_{at}", f"tag {at}") for at in range(MOST_AT_ONCE)]
    changes = await service.save_many(ORG, many)
    assert len(await service.list(ORG)) == MOST_AT_ONCE
    assert {each.doing for each in await service.preview(ORG, many)} == {"same"}
    await service.restore(ORG, changes.undo)
    assert await state(service, database) == ([], set())


async def test_more_than_that_is_refused_before_anything_is_asked(service: MappingService) -> None:
    many = [Wanted("stripe", f"cus_{at}", f"tag {at}") for at in range(MOST_AT_ONCE + 1)]
    gone = [held(each.customer_id, each.tag_value) for each in many]
    for asked in (
        service.preview(ORG, many),
        service.save_many(ORG, many),
        service.delete_many(ORG, gone),
        service.restore(ORG, Undo(gone, ())),
    ):
        with pytest.raises(ValidationFailed, match="5,000"):
            await asked


async def test_of_many_people_at_once_one_gets_the_tag_value(service: MappingService) -> None:
    async def save(customer: str) -> bool:
        try:
            await service.save_many(ORG, [Wanted("stripe", customer, "one")])
        except Conflict:
            return False
        return True

    done = await asyncio.gather(*(save(f"cus_{at}") for at in range(6)))
    assert sorted(done) == [False] * 5 + [True]


async def test_what_somebody_else_changes_meanwhile_and_mappings_agree(
    service: MappingService, database: Database
) -> None:
    """A match that a sync makes in between is displaced, and remembered as turned down."""
    pairs: Sequence[Wanted] = wanted(cus_1="one")
    await put(service, "cus_2", "one", "auto")
    await service.save_many(ORG, pairs)
    assert await rejected(database) == {Pair("stripe", "customer", "cus_2", "one")}
