"""The matcher's rules, beside the same rules as plain loops."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins import CostEvent, RevenueFact
from nullspend_margins.domain.mapping import auto_matches
from tests.properties import writes
from tests.properties.model import ModelMapping, Org
from tests.properties.profile import examples

NOW = datetime(2026, 11, 20, tzinfo=UTC)
CUSTOMERS, TAGS = ("cus_1", "cus_2", "cus_3", "acme"), ("acme", "zeta", "cus_1", "cus_2")
pairs = st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(TAGS))


@examples(300)
@given(
    met=st.dictionaries(st.sampled_from(CUSTOMERS), st.sampled_from((None, *TAGS))),
    seen=st.sets(st.sampled_from(TAGS)),
    there=st.lists(pairs, max_size=2, unique_by=(lambda pair: pair[0], lambda pair: pair[1])),
    rejected=st.sets(pairs, max_size=3),
)
def test_matches_are_those_of_the_rules(
    met: dict[str, str | None],
    seen: set[str],
    there: list[tuple[str, str]],
    rejected: set[tuple[str, str]],
) -> None:
    found = auto_matches(
        met,
        seen,
        mapped_customers={customer for customer, _ in there},
        mapped_tags={tag for _, tag in there},
        rejected=rejected,
    )
    org = Org(
        mappings=[mapping(customer, tag) for customer, tag in there],
        events=[("api", event(tag)) for tag in seen],
        rejected=frozenset(("stripe", "customer", *pair) for pair in rejected),
    )
    _, made = writes.synced(org, "stripe", [invoice(*each) for each in met.items()], NOW)
    assert {(each.customer_id, each.tag_value, each.confidence) for each in found} == {
        (each.customer_id, each.tag_value, each.confidence) for each in made
    }


def mapping(customer: str, tag: str) -> ModelMapping:
    return ModelMapping(
        id=f"{customer}-{tag}",
        provider="stripe",
        customer_id=customer,
        tag_value=tag,
        tag_key="customer",
        match_type="manual",
        confidence=1.0,
    )


def event(tag: str) -> CostEvent:
    return CostEvent(
        event_id=tag,
        provider="openai",
        model="gpt-4o",
        cost_nanodollars=1,
        occurred_at=NOW,
        tag_value=tag,
    )


def invoice(customer: str, tag: str | None) -> RevenueFact:
    return RevenueFact(
        object_id=customer,
        customer_id=customer,
        amount_minor=1,
        currency="usd",
        occurred_at=NOW,
        suggested_tag=tag,
    )
