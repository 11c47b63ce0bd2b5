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
    Pair,
    Undo,
    Wanted,
    changes_of,
    pair_of,
    plan,
    removals_of,
)
from tests.properties.profile import examples
from tests.storage.builders import ORG, mapping

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PROVIDERS, CUSTOMERS, TAGS = (
    ("stripe", "other"),
    ("c1", "c2", "c3", "c4"),
    ("a", "b", "c", "d", "e"),
)

providers = st.sampled_from(PROVIDERS)
wanted_lists = st.lists(
    st.builds(Wanted, providers, st.sampled_from(CUSTOMERS), st.sampled_from(TAGS)), max_size=6
)
stored = st.lists(
    st.tuples(providers, st.sampled_from(CUSTOMERS), st.sampled_from(TAGS), st.booleans()),
    max_size=6,
    unique_by=(lambda each: each[:2], lambda each: (each[0], each[2])),
)
pairs = st.sets(
    st.builds(
        Pair, providers, st.just("customer"), st.sampled_from(CUSTOMERS), st.sampled_from(TAGS)
    ),
    max_size=4,
)


@dataclass
class Books:
    """An org's mappings by provider and customer, and what was turned down."""

    mappings: dict[tuple[str, str], CustomerMapping]
    rejected: set[Pair] = field(default_factory=set)

    def apply(self, changes: Changes | Undo) -> None:
        """As storage does it; every step must be possible."""
        for gone in changes.gone:
            there = self.mappings.pop((gone.provider, gone.customer_id))
            assert Held.of(there) == (gone if isinstance(gone, Held) else Held.of(gone))
        for new in changes.new:
            assert (new.provider, new.customer_id) not in self.mappings
            assert (new.provider, new.tag_value) not in self.tags
            self.mappings[new.provider, new.customer_id] = new
        assert self.rejected.isdisjoint(changes.rejected)
        assert self.rejected >= set(changes.forgiven)
        self.rejected = (self.rejected | {*changes.rejected}) - {*changes.forgiven}

    @property
    def tags(self) -> dict[tuple[str, str], CustomerMapping]:
        return {(each.provider, each.tag_value): each for each in self.mappings.values()}


def books(there: list[tuple[str, str, str, bool]], rejected: set[Pair]) -> Books:
    made = {
        (provider, customer): mapping(
            customer,
            tag,
            provider=provider,
            id=f"{provider}-{customer}",
            match_type="auto" if is_auto else "manual",
            confidence=0.9 if is_auto else 1.0,
        )
        for provider, customer, tag, is_auto in there
    }
    return Books(made, rejected - {pair_of(each) for each in made.values()})


@examples(500)
@given(there=stored, wanted=wanted_lists, rejected=pairs)
def test_all_at_once_keeps_what_a_person_said_and_goes_back(
    there: list[tuple[str, str, str, bool]], wanted: list[Wanted], rejected: set[Pair]
) -> None:
    before, now = books(there, rejected), books(there, rejected)
    outcomes = plan(wanted, before.mappings.values())
    ids = count()
    changes = changes_of(
        outcomes,
        org_id=ORG,
        now=NOW,
        rejected=before.rejected,
        new_id=lambda: f"new-{next(ids)}",
    )
    now.apply(changes)
    done = {each.wanted[:2] for each in outcomes if each.doing != "refuse"}
    for outcome in outcomes:
        if outcome.doing != "refuse":
            found = now.mappings[outcome.wanted[:2]]
            assert (found.tag_value, found.match_type) == (outcome.wanted.tag_value, "manual")
            assert pair_of(found) not in now.rejected
        else:
            assert outcome.twin is not None or outcome.holder is not None
    for key, each in before.mappings.items():
        if each.match_type == "manual" and key not in done:
            assert now.mappings[key] == each
        elif key not in now.mappings:
            assert pair_of(each) in now.rejected
    now.apply(changes.undo)
    assert now == before


@examples(200)
@given(there=stored, rejected=pairs, take=st.integers(0, 6))
def test_what_is_removed_goes_back(
    there: list[tuple[str, str, str, bool]], rejected: set[Pair], take: int
) -> None:
    before, now = books(there, rejected), books(there, rejected)
    changes = removals_of([*before.mappings.values()][:take], before.rejected)
    now.apply(changes)
    assert len(now.mappings) == max(0, len(before.mappings) - take)
    now.apply(changes.undo)
    assert now == before


@examples(300)
@given(there=stored, wanted=wanted_lists)
def test_doing_it_again_changes_nothing(
    there: list[tuple[str, str, str, bool]], wanted: list[Wanted]
) -> None:
    now = books(there, set())
    outcomes = plan(wanted, now.mappings.values())
    done = [each.wanted for each in outcomes if each.doing != "refuse"]
    now.apply(
        changes_of(outcomes, org_id=ORG, now=NOW, rejected=(), new_id=map(str, count()).__next__)
    )
    assert {each.doing for each in plan(done, now.mappings.values())} <= {"same"}
