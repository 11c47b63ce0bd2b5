"""What would become of many mappings at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.mapping_changes import (
    Held,
    Outcome,
    Pair,
    Seen,
    Wanted,
    changes_of,
    removals_of,
)
from nullspend_margins.domain.mapping_plan import plan
from tests.storage.builders import ORG, mapping

LATER = datetime(2026, 12, 1, tzinfo=UTC)


def wanted(*pairs: str) -> list[Wanted]:
    """``"1 acme"`` is the customer ``cus_1`` and the tag value ``acme``."""
    found = []
    for pair in pairs:
        customer, _, tag = pair.partition(" ")
        found.append(Wanted("stripe", f"cus_{customer}", tag))
    return found


def auto(customer: str, tag: str) -> CustomerMapping:
    return mapping(customer, tag, match_type="auto", confidence=0.9)


def doings(outcomes: list[Outcome]) -> list[str]:
    return [each.doing for each in outcomes]


def test_each_kind_of_outcome() -> None:
    there = [mapping("cus_1", "one"), mapping("cus_2", "two"), auto("cus_3", "three")]
    found = plan(wanted("1 one", "2 zwei", "3 three", "4 four"), there)
    assert doings(found) == ["same", "change", "confirm", "create"]
    assert found[1].seen == Seen("change", "two", "manual")
    assert found[2].before == there[2]


def test_a_persons_mapping_keeps_its_tag_value_and_a_match_does_not() -> None:
    there = [mapping("cus_1", "one"), auto("cus_2", "two")]
    kept, given_up = plan(wanted("8 one", "9 two"), there)
    assert (kept.doing, kept.holder) == ("refuse", there[0])
    assert (given_up.doing, given_up.holder) == ("create", there[1])
    assert given_up.seen == Seen("create", holder="cus_2")
    (released,) = plan(wanted("8 one"), there, [there[0].id])
    assert (released.doing, released.holder) == ("create", there[0])


def test_an_automatic_mapping_takes_nobodys_tag_value() -> None:
    there = [mapping("cus_1", "one"), auto("cus_2", "two")]
    asked = [each._replace(match_type="auto") for each in wanted("8 one", "9 two")]
    found = plan(asked, there)
    assert [(each.doing, each.holder) for each in found] == [
        ("refuse", there[0]), ("refuse", there[1]),
    ]  # fmt: skip
    (released,) = plan(asked[1:], there, [there[1].id])
    assert (released.doing, released.holder) == ("create", there[1])


def test_a_mapping_is_made_automatic_again_and_then_nobody_knows_how_certain_it_is() -> None:
    there = [mapping("cus_1", "one"), auto("cus_2", "two"), auto("cus_3", "three")]
    asked = [each._replace(match_type="auto") for each in wanted("1 one", "2 two", "3 drei")]
    outcomes = plan(asked, there)
    assert doings(outcomes) == ["change"] * 3
    found = changes(outcomes)
    unknown = {"match_type": "auto", "confidence": None}
    assert found.new == [
        there[0]._replace(**unknown),
        there[1]._replace(**unknown),
        there[2]._replace(**unknown, tag_value="drei"),
    ]
    assert found.rejected == [pair("cus_3", "three")]
    assert doings(plan(asked, found.new)) == ["same"] * 3


def test_tag_keys_are_told_apart() -> None:
    there = [mapping("cus_1", "one"), mapping("cus_1", "one", tag_key="team", id="t")]
    asked = [*wanted("1 uno"), wanted("1 eins")[0]._replace(tag_key="team"), *wanted("2 one")]
    outcomes = plan(asked, there)
    assert [(each.doing, each.before) for each in outcomes] == [
        ("change", there[0]), ("change", there[1]), ("create", None),
    ]  # fmt: skip
    assert [each.twin for each in outcomes] == [None] * 3
    team = Pair("stripe", "team", "cus_1", "eins")
    found = changes(outcomes, team, team._replace(tag_key="customer"))
    assert found.new[1] == there[1]._replace(tag_value="eins")
    assert found.forgiven == [team]
    (refused,) = plan([wanted("2 one")[0]._replace(tag_key="team")], there)
    assert (refused.doing, refused.holder) == ("refuse", there[1])


def test_another_providers_customer_may_have_the_same_tag_value() -> None:
    there = [mapping("cus_1", "one", provider="other")]
    assert doings(plan(wanted("1 one"), there)) == ["create"]


def test_customers_swap_and_go_round() -> None:
    there = [mapping("cus_1", "a"), mapping("cus_2", "b"), mapping("cus_3", "c")]
    assert doings(plan(wanted("1 b", "2 a"), there)) == ["change", "change"]
    assert doings(plan(wanted("1 b", "2 c", "3 a"), there)) == ["change"] * 3
    assert all(each.holder is None for each in plan(wanted("1 b", "2 a"), there))


def test_who_waits_for_the_refused_is_refused() -> None:
    there = [mapping("cus_1", "a"), mapping("cus_2", "b"), mapping("cus_3", "c")]
    found = plan(wanted("9 a", "1 b", "2 c"), there)  # cus_3 keeps c, so all of them wait
    assert doings(found) == ["refuse"] * 3
    assert [each.holder for each in found] == there
    assert doings(plan(wanted("9 a", "1 b", "2 z"), there)) == ["create", "change", "change"]


def test_a_match_of_a_refused_customer_gives_way() -> None:
    there = [auto("cus_1", "a"), mapping("cus_2", "b")]
    found = plan(wanted("1 b", "9 a"), there)
    assert doings(found) == ["refuse", "create"]
    assert found[1].holder == there[0]


def test_of_two_with_one_customer_or_one_tag_value_the_first_counts() -> None:
    found = plan(wanted("1 a", "1 b", "2 a", "1 a", "2 b"), [])
    assert doings(found) == ["create", "refuse", "refuse", "refuse", "create"]
    assert [each.twin for each in found] == [None, 0, 0, 0, None]


def test_a_long_chain_is_planned_from_its_end() -> None:
    there = [mapping(f"cus_{at}", str(at)) for at in range(3_000)]
    moves = wanted(*(f"{at} {at + 1}" for at in range(2_999)))
    assert set(doings(plan(moves, there))) == {"refuse"}
    assert set(doings(plan([*moves, *wanted("2999 end")], there))) == {"change"}


def changes(outcomes: list[Outcome], *rejected: Pair):
    ids = numbered()
    return changes_of(
        outcomes, org_id=ORG, now=LATER, rejected=set(rejected), new_id=lambda: next(ids)
    )


def numbered() -> Iterator[str]:
    yield from (f"new-{number}" for number in range(100))


def pair(customer: str, tag: str) -> Pair:
    return Pair("stripe", "customer", customer, tag)


def test_what_changes_keeps_its_id_and_its_age() -> None:
    there = [mapping("cus_1", "one"), auto("cus_2", "two"), mapping("cus_3", "three")]
    found = changes(plan(wanted("1 uno", "2 two", "4 four", "3 three"), there))
    assert found.gone == there[:2]
    made = mapping("cus_4", "four", id="new-0", created_at=LATER)
    assert found.new == [
        there[0]._replace(tag_value="uno"),
        there[1]._replace(match_type="manual", confidence=1.0),
        made,
    ]
    assert (found.rejected, found.forgiven) == ([], [])


def test_pairs_that_lose_are_turned_down_and_pairs_that_win_are_forgiven() -> None:
    there = [auto("cus_1", "one"), auto("cus_2", "two")]
    outcomes = plan(wanted("1 uno", "9 two"), there)
    found = changes(outcomes, pair("cus_1", "uno"), pair("cus_2", "two"), pair("cus_7", "x"))
    assert found.rejected == [pair("cus_1", "one")]  # the other was turned down before
    assert found.forgiven == [pair("cus_1", "uno")]
    assert found.gone == [there[0], there[1]]


def test_a_pair_that_is_mapped_already_is_forgiven_too() -> None:
    there = [mapping("cus_1", "one")]
    found = changes(plan(wanted("1 one"), there), pair("cus_1", "one"))
    assert (found.gone, found.new, found.forgiven) == ([], [], [pair("cus_1", "one")])


def test_what_may_be_turned_down_or_forgiven_is_known_beforehand() -> None:
    there = [auto("cus_1", "one"), auto("cus_2", "two")]
    taking, making = plan(wanted("1 two", "9 nine"), there)
    assert sorted(taking.pairs) == [
        pair("cus_1", "one"), pair("cus_1", "two"), pair("cus_2", "two"),
    ]  # fmt: skip
    assert making.pairs == [pair("cus_9", "nine")]


def test_the_way_back_is_the_way_there() -> None:
    there = [auto("cus_1", "one")]
    found = changes(plan(wanted("1 uno"), there), pair("cus_1", "uno"))
    undo = found.undo
    assert undo.gone == [Held("stripe", "customer", "cus_1", "uno", "manual", there[0].id)]
    assert (undo.new, undo.rejected, undo.forgiven) == (there, found.forgiven, found.rejected)


def test_what_is_removed_is_turned_down_once() -> None:
    gone = [mapping("cus_1", "one"), mapping("cus_2", "two", tag_key="team")]
    found = removals_of(gone, {pair("cus_1", "one")})
    assert found.gone == gone
    assert found.rejected == [Pair("stripe", "team", "cus_2", "two")]
