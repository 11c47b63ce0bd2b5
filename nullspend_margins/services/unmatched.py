"""What is not matched yet: customers, tag values, and matches that nobody has confirmed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from nullspend_margins.domain.cost import Amount, TagCost, add_amount, largest_first
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY, CustomerMapping
from nullspend_margins.domain.money import to_microdollars
from nullspend_margins.domain.revenue_part import Basis
from nullspend_margins.services.ledger import speaks_first
from nullspend_margins.storage import mappings, revenue
from nullspend_margins.storage.database import Transaction
from nullspend_margins.storage.revenue import CustomerProfile

RECENT_DAYS = 90
MAX_UNMAPPED_TAGS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """What the mapping page needs. ``tags`` are (tag value, cost in microdollars, requests).

    ``names`` are what customers are called, by provider and id; ``known`` are all that revenue
    names. ``seen_tags`` are the recent tag values, mapped or not; ``unmapped_tags`` counts those
    that are not, of which ``tags`` holds the largest. ``mapped`` counts mappings.
    """

    customers: Sequence[CustomerProfile]
    tags: Sequence[tuple[str, int, int]]
    pending: Sequence[tuple[CustomerMapping, str | None]]
    customer_names: Mapping[str, str]
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    known: Collection[tuple[str, str]] = frozenset()
    seen_tags: Collection[str] = frozenset()
    unmapped_tags: int = 0
    mapped: int = 0


def read_unmatched(
    tx: Transaction, org_id: str, basis: Basis, tag_costs: Sequence[TagCost]
) -> Unmatched:
    """``tag_costs`` are those of every source, of the last ``RECENT_DAYS``."""
    mapped = mappings.of_key(tx, org_id, CUSTOMER_TAG_KEY)
    profiles = revenue.customer_profiles(tx, org_id)
    names = _names(profiles)
    totals = _by_tag(tag_costs)
    unmapped = {
        tag: totals[tag] for tag in totals.keys() - {mapping.tag_value for mapping in mapped}
    }
    return Unmatched(
        customers=revenue.unmatched_customers(tx, org_id, CUSTOMER_TAG_KEY, basis),
        tags=[
            (tag, to_microdollars(unmapped[tag][0]), unmapped[tag][1])
            for tag in largest_first(unmapped)[:MAX_UNMAPPED_TAGS]
        ],
        pending=[
            (mapping, names.get((mapping.provider, mapping.customer_id)))
            for mapping in mapped
            if mapping.match_type == "auto"
        ],
        customer_names={customer_id: name for (_, customer_id), name in names.items()},
        names=names,
        known=frozenset((each.provider, each.customer_id) for each in profiles),
        seen_tags=frozenset(totals),
        unmapped_tags=len(unmapped),
        mapped=len(mapped),
    )


def _names(profiles: Sequence[CustomerProfile]) -> dict[tuple[str, str], str]:
    """What customers are called, by provider and id. Stripe's last: of one id, theirs is shown."""
    ordered = sorted(profiles, key=lambda each: speaks_first(each.provider), reverse=True)
    return {
        (each.provider, each.customer_id): each.name for each in ordered if each.name is not None
    }


def _by_tag(found: Sequence[TagCost]) -> dict[str, Amount]:
    totals: dict[str, Amount] = {}
    for tag_value, nanodollars, requests in found:
        if tag_value:
            add_amount(totals, tag_value, nanodollars, requests)
    return totals
