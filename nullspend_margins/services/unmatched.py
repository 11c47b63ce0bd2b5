"""What is not matched yet: customers, tag values, and matches that nobody has confirmed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property

import msgspec
from msgspec.structs import replace

from nullspend_margins.domain.cost import Amount, TagCost, add_amount, largest_first
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY, CustomerMapping
from nullspend_margins.domain.mapping_changes import Held
from nullspend_margins.domain.money import to_microdollars
from nullspend_margins.domain.period import as_utc
from nullspend_margins.domain.revenue_part import Basis
from nullspend_margins.domain.suggestions import Suggester
from nullspend_margins.services.ledger import Mapped, speaks_first
from nullspend_margins.services.mapping_batches import MOST_AT_ONCE
from nullspend_margins.storage import mappings, month_revenue, revenue
from nullspend_margins.storage.database import Transaction
from nullspend_margins.storage.revenue import CustomerProfile

RECENT_DAYS = 90
MAX_UNMAPPED_TAGS = 500

Profiles = Mapping[str, Mapping[str, CustomerProfile]]
"""Customers by provider and id."""


def recent_since(now: datetime) -> date:
    """The UTC day from which on costs are looked at for what is unmatched."""
    return as_utc(now).date() - timedelta(days=RECENT_DAYS)


@dataclass(frozen=True, kw_only=True)
class Unmatched:
    """What the mapping page needs. ``tags`` are (tag value, cost in microdollars, requests).

    ``profiles`` are all customers that revenue names; ``pending`` is oldest first. ``rejected``
    are (provider, customer id, tag value) that people turned down. ``seen_tags`` are the recent
    tag values, mapped or not; ``unmapped_tags`` counts those that are not, of which ``tags`` holds
    the largest. ``mapped`` counts mappings.

    It may be kept, so that what is made of it is made once.
    """

    customers: Sequence[CustomerProfile]
    tags: Sequence[tuple[str, int, int]]
    pending: Sequence[CustomerMapping]
    profiles: Profiles = field(default_factory=dict)
    rejected: Collection[tuple[str, str, str]] = frozenset()
    seen_tags: Collection[str] = frozenset()
    unmapped_tags: int = 0
    mapped: int = 0

    @property
    def rows(self) -> int:
        """How much of it there is, to be kept."""
        light = len(self.seen_tags) + len(self.rejected)  # texts, where the others are records
        return sum(map(len, self.profiles.values())) + len(self.pending) + light // 4

    def knows(self, provider: str, customer_id: str) -> bool:
        """Whether any revenue names the customer."""
        return customer_id in self.profiles.get(provider, ())

    def name(self, provider: str, customer_id: str) -> str | None:
        """What the customer is called, if revenue tells."""
        found = self.profiles.get(provider, {}).get(customer_id)
        return None if found is None else found.name

    @property
    def customer_names(self) -> dict[str, str]:
        """All names by id. Where two providers have one id, the first that speaks is shown."""
        return {
            each.customer_id: each.name
            for provider in sorted(self.profiles, key=speaks_first, reverse=True)
            for each in self.profiles[provider].values()
            if each.name is not None
        }

    @cached_property
    def suggester(self) -> Suggester:
        """Whose the unmapped tag values may be."""
        return Suggester([tag for tag, _, _ in self.tags], self.rejected)

    @cached_property
    def revenue_microdollars(self) -> int:
        """Of ``customers``."""
        return sum(each.total_microdollars for each in self.customers)

    @cached_property
    def providers(self) -> Sequence[str]:
        """Of ``customers``, in order."""
        return sorted({each.provider for each in self.customers})

    @cached_property
    def first_pending(self) -> Sequence[Held]:
        """Those that are confirmed or rejected together, the same each time."""
        return sorted(map(Held.of, self.pending))[:MOST_AT_ONCE]

    @cached_property
    def pending_digest(self) -> str:
        """Tells whether the pending matches are still those that somebody saw."""
        return hashlib.sha256(msgspec.json.encode(self.first_pending)).hexdigest()[:32]


def read_unmatched(
    tx: Transaction, org_id: str, basis: Basis, tag_costs: Sequence[TagCost]
) -> Unmatched:
    """``tag_costs`` are those of every source, of the last ``RECENT_DAYS``."""
    mapped = mappings.tag_values(tx, org_id, CUSTOMER_TAG_KEY)
    profiles: dict[str, dict[str, CustomerProfile]] = defaultdict(dict)
    for each in revenue.customer_profiles(tx, org_id):
        profiles[each.provider][each.customer_id] = each
    totals = _by_tag(tag_costs)
    taken = {tag for customers in mapped.values() for tag in customers.values()}
    unmapped = {tag: amount for tag, amount in totals.items() if tag not in taken}
    return Unmatched(
        customers=_open_customers(tx, org_id, basis, profiles, mapped),
        tags=[
            (tag, to_microdollars(unmapped[tag][0]), unmapped[tag][1])
            for tag in largest_first(unmapped)[:MAX_UNMAPPED_TAGS]
        ],
        pending=mappings.pending(tx, org_id, CUSTOMER_TAG_KEY),
        profiles=profiles,
        rejected=frozenset(
            (pair.provider, pair.customer_id, pair.tag_value)
            for pair in mappings.rejected_pairs(tx, org_id)
            if pair.tag_key == CUSTOMER_TAG_KEY
        ),
        seen_tags=frozenset(totals),
        unmapped_tags=len(unmapped),
        mapped=sum(map(len, mapped.values())),
    )


def _open_customers(
    tx: Transaction, org_id: str, basis: Basis, profiles: Profiles, mapped: Mapped
) -> list[CustomerProfile]:
    """Customers with revenue that no mapping names, largest total first.

    The totals are by ``basis``: an annual plan of long ago may be revenue by no other than one.
    """
    # Joined here: PostgreSQL may have no statistics yet on tables that a sync has just filled.
    unmapped = [
        each
        for provider, customers in profiles.items()
        for customer_id, each in customers.items()
        if customer_id not in mapped.get(provider, ())
    ]
    if basis != "invoiced" and unmapped:  # whose total is kept with the customer
        totals = month_revenue.customer_totals(tx, org_id, basis)
        unmapped = [
            replace(each, total_microdollars=totals.get(each.provider, {}).get(each.customer_id, 0))
            for each in unmapped
        ]
    found = [each for each in unmapped if each.total_microdollars]
    found.sort(key=lambda each: each.key)
    found.sort(key=lambda each: each.total_microdollars, reverse=True)  # ties stay in order
    return found


def _by_tag(found: Sequence[TagCost]) -> dict[str, Amount]:
    totals: dict[str, Amount] = {}
    for tag_value, nanodollars, requests in found:
        if tag_value:
            add_amount(totals, tag_value, nanodollars, requests)
    return totals
