"""Any mappings, planned and made at once: nobody loses by accident, and all of it goes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.mapping_changes import (
    Changes,
    Held,
    Name,
    Pair,
    Undo,
    Wanted,
    changes_of,
    customer_of,
    pair_of,
    removals_of,
    tag_of,
)
from nullspend_margins.domain.mapping_plan import plan
from tests.properties.profile import examples
from tests.storage.builders import ORG, mapping

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PLACES, CUSTOMERS, TAGS = (
    (("stripe", "customer"), ("stripe", "team"), ("other", "customer")),
    ("c1", "c2", "c3", "c4"),
    ("a", "b", "c", "d", "e"),
)

Drawn = tuple[tuple[str, str], str, str, bool]
"""Provider and tag key, customer id, tag value, and whether it is automatic."""

drawn = st.tuples(
    st.sampled_from(PLACES), st.sampled_from(CUSTOMERS), st.sampled_from(TAGS), st.booleans()
)
wanted_lists = st.lists(
    drawn.map(
        lambda each: Wanted(
            each[0][0], each[1], each[2], each[0][1], "auto" if each[3] else "manual"
        )
    ),
    max_size=6,
)
stored = st.lists(
    drawn,
    max_size=6,
    unique_by=(lambda each: each[:2], lambda each: (each[0], each[2])),
)
pairs = st.sets(drawn.map(lambda each: Pair(*each[0], *each[1:3])), max_size=4)


@dataclass
class Books:
    """An org's mappings by customer, and what was turned down."""

    mappings: dict[Name, CustomerMapping]
    rejected: set[Pair] = field(default_factory=set)

    def apply(self, changes: Changes | Undo) -> None:
        """As storage does it; every step must be possible."""
        for gone in changes.gone:
            there = self.mappings.pop(customer_of(gone))
            assert Held.of(there) == (gone if isinstance(gone, Held) else Held.of(gone))
        for new in changes.new:
            assert customer_of(new) not in self.mappings
            assert tag_of(new) not in self.tags
            self.mappings[customer_of(new)] = new
        assert self.rejected.isdisjoint(changes.rejected)
        assert self.rejected >= set(changes.forgiven)
        self.rejected = (self.rejected | {*changes.rejected}) - {*changes.forgiven}

    @property
    def tags(self) -> dict[Name, CustomerMapping]:
        return {tag_of(each): each for each in self.mappings.values()}


def books(there: list[Drawn], rejected: set[Pair]) -> Books:
    made = [
        mapping(
            customer,
            tag,
            provider=provider,
            tag_key=tag_key,
            id=f"{provider}-{tag_key}-{customer}",
            match_type="auto" if is_auto else "manual",
            confidence=0.9 if is_auto else 1.0,
        )
        for (provider, tag_key), customer, tag, is_auto in there
    ]
    return Books({customer_of(each): each for each in made}, rejected)


@examples(500)
@given(there=stored, wanted=wanted_lists, rejected=pairs)
def test_all_at_once_keeps_what_a_person_said_and_goes_back(
    there: list[Drawn], wanted: list[Wanted], rejected: set[Pair]
) -> None:
    before, now = books(there, rejected), books(there, rejected)
    outcomes = plan(wanted, before.mappings.values())
    ids = count()
    changes = changes_of(
        outcomes,
        org_id=ORG,
        now=NOW,
        rejected=before.rejected & {pair for each in outcomes for pair in each.pairs},
        new_id=lambda: f"new-{next(ids)}",
    )
    now.apply(changes)
    done = {customer_of(each.wanted) for each in outcomes if each.doing != "refuse"}
    for outcome in outcomes:
        wish = outcome.wanted
        if outcome.doing != "refuse":
            found = now.mappings[customer_of(wish)]
            assert (pair_of(found), found.match_type) == (pair_of(wish), wish.match_type)
            assert found.confidence == (1.0 if wish.match_type == "manual" else None)
            assert pair_of(found) not in now.rejected
        else:
            assert outcome.twin is not None or outcome.holder is not None
    for key, each in before.mappings.items():
        if key not in now.mappings:
            assert each.match_type == "auto"
            assert now.tags[tag_of(each)].match_type == "manual"
            assert pair_of(each) in now.rejected
        elif key not in done:
            assert now.mappings[key] == each
    now.apply(changes.undo)
    assert now == before


@examples(200)
@given(there=stored, rejected=pairs, take=st.integers(0, 6))
def test_what_is_removed_goes_back(there: list[Drawn], rejected: set[Pair], take: int) -> None:
    before, now = books(there, rejected), books(there, rejected)
    changes = removals_of([*before.mappings.values()][:take], before.rejected)
    now.apply(changes)
    assert len(now.mappings) == max(0, len(before.mappings) - take)
    now.apply(changes.undo)
    assert now == before


@examples(300)
@given(there=stored, wanted=wanted_lists)
def test_doing_it_again_changes_nothing(there: list[Drawn], wanted: list[Wanted]) -> None:
    now = books(there, set())
    outcomes = plan(wanted, now.mappings.values())
    done = [each.wanted for each in outcomes if each.doing != "refuse"]
    now.apply(
        changes_of(outcomes, org_id=ORG, now=NOW, rejected=(), new_id=map(str, count()).__next__)
    )
    assert {each.doing for each in plan(done, now.mappings.values())} <= {"same"}
