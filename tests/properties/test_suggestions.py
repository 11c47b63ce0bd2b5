"""Suggestions of any customers and tags: only what may be suggested, not too much, always alike."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins.domain.suggestions import MOST_SUGGESTIONS, Suggester, by_tag
from tests.properties.profile import examples


class Customer(NamedTuple):
    provider: str
    customer_id: str
    name: str | None
    email: str | None


WORDS = ("acme", "Acme", "robotics", "Zeta", "labs", "GmbH", "Inc.", "Ä.G.", "12", "acmee", "日本")
names = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join), st.text(max_size=12)
)
emails = st.sampled_from(("a@acme.io", "b@gmail.com", "zeta@zeta.co.uk", "@", "acme", "x@y"))
tag_values = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map("-".join),
    st.sampled_from(("acme.io", "a@acme.io", "gmail", "gmail.com")),
    st.text(min_size=1, max_size=8),
)
customers_lists = st.lists(
    st.builds(
        Customer,
        st.sampled_from(("stripe", "other")),
        st.sampled_from(("cus_1", "cus_2", "cus_3")),
        st.none() | names,
        st.none() | emails,
    ),
    max_size=5,
    unique_by=lambda each: each[:2],
)


@examples(300)
@given(
    customers=customers_lists,
    tags=st.lists(tag_values, max_size=12, unique=True),
    mapped=st.sets(st.integers(0, 11)),
    rejected=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 11))),
    random=st.randoms(use_true_random=False),
)
def test_suggestions_keep_to_what_is_open(
    customers: list[Customer],
    tags: list[str],
    mapped: set[int],
    rejected: set[tuple[int, int]],
    random: object,
) -> None:
    free = [tag for at, tag in enumerate(tags) if at not in mapped]
    turned_down = {
        (*customers[one][:2], tags[other])
        for one, other in rejected
        if one < len(customers) and other < len(tags)
    }
    found = Suggester(free, turned_down).suggest(customers)
    assert found.keys() <= {each[:2] for each in customers}
    for key, each in found.items():
        assert 1 <= len(each) <= MOST_SUGGESTIONS
        assert {one.tag_value for one in each} <= set(free)
        assert len({one.tag_value for one in each}) == len(each)
        assert all((one.provider, one.customer_id) == key for one in each)
        assert not {(*key, one.tag_value) for one in each} & turned_down
        assert all("gmail.com" not in one.reason or one.rule != "domain" for one in each)
    shuffled = [*free]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Suggester(shuffled, turned_down).suggest(customers) == found
    assert Suggester(free, turned_down).suggest([*reversed(customers)]) == found
    pairs = {(one.tag_value, one.customer_id) for each in found.values() for one in each}
    sides = {(tag, one.customer_id) for tag, each in by_tag(found, 99).items() for one in each}
    assert sides == pairs
