"""Which customers and tag values match by themselves."""

from nullspend_margins.domain.mapping import AutoMatch, auto_matches


def match(customers, seen, *, mapped_customers=(), mapped_tags=(), rejected=()):
    return auto_matches(
        customers,
        set(seen),
        mapped_customers=set(mapped_customers),
        mapped_tags=set(mapped_tags),
        rejected=set(rejected),
    )


def test_the_tag_named_by_the_provider_wins_over_the_customer_id() -> None:
    found = match({"cus_1": "acme"}, ["acme", "cus_1"])
    assert found == [AutoMatch("cus_1", "acme", 1.0)]


def test_the_customer_id_matches_when_nothing_else_does() -> None:
    assert match({"cus_1": "gone"}, ["cus_1"]) == [AutoMatch("cus_1", "cus_1", 0.9)]


def test_a_tag_that_was_never_seen_on_costs_matches_nobody() -> None:
    assert match({"cus_1": "acme", "cus_2": None}, []) == []


def test_existing_mappings_are_never_touched() -> None:
    assert match({"cus_1": "acme"}, ["acme", "cus_1"], mapped_customers=["cus_1"]) == []
    assert match({"cus_1": "acme"}, ["acme"], mapped_tags=["acme"]) == []


def test_a_rejected_pair_is_not_matched_again_but_the_customer_may_be() -> None:
    found = match({"cus_1": "acme"}, ["acme", "cus_1"], rejected=[("cus_1", "acme")])
    assert found == [AutoMatch("cus_1", "cus_1", 0.9)]


def test_a_tag_is_mapped_at_most_once_and_the_first_rule_is_exhausted_first() -> None:
    found = match({"cus_1": None, "cus_2": "cus_1", "cus_3": "cus_1"}, ["cus_1"])
    assert found == [AutoMatch("cus_2", "cus_1", 1.0)]
