"""Which provider customer is which tag value, and how the two are matched by themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

CUSTOMER_TAG_KEY = "customer"
"""The one tag key that joins costs today; others are stored and listed."""

MatchType = Literal["manual", "auto"]

METADATA_CONFIDENCE = 1.0
CUSTOMER_ID_CONFIDENCE = 0.9


class CustomerMapping(NamedTuple):
    """A provider's customer joined with the host's own name for it.

    ``confidence`` is 1.0 for a manual mapping, the matcher's for an automatic one, ``None`` for
    an automatic one that somebody posted.
    """

    id: str
    org_id: str
    provider: str
    customer_id: str
    tag_key: str
    tag_value: str
    match_type: MatchType
    confidence: float | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AutoMatch:
    """A pair the matcher proposes."""

    customer_id: str
    tag_value: str
    confidence: float


def auto_matches(
    suggested_tags: Mapping[str, str | None],
    seen_tags: Collection[str],
    *,
    mapped_customers: Collection[str],
    mapped_tags: Collection[str],
    rejected: Collection[tuple[str, str]],
) -> list[AutoMatch]:
    """Pairs to create, at most one a customer and one a tag value.

    ``suggested_tags`` maps each customer met in the invoices to the tag its provider record
    names, or ``None``. Rule one (that tag was seen on costs) is exhausted before rule two (the
    customer's id was seen on costs). Existing mappings are never touched; ``rejected`` holds
    (customer, tag) pairs that people turned down.
    """
    taken_customers, taken_tags = set(mapped_customers), set(mapped_tags)
    matches: list[AutoMatch] = []
    by_metadata = ((customer, tag) for customer, tag in suggested_tags.items() if tag)
    by_id = ((customer, customer) for customer in suggested_tags)
    for pairs, confidence in (
        (by_metadata, METADATA_CONFIDENCE),
        (by_id, CUSTOMER_ID_CONFIDENCE),
    ):
        for customer, tag in _admissible(pairs, seen_tags, rejected):
            if customer not in taken_customers and tag not in taken_tags:
                taken_customers.add(customer)
                taken_tags.add(tag)
                matches.append(AutoMatch(customer, tag, confidence))
    return matches


def _admissible(
    pairs: Iterable[tuple[str, str]],
    seen_tags: Collection[str],
    rejected: Collection[tuple[str, str]],
) -> list[tuple[str, str]]:
    return sorted(pair for pair in pairs if pair[1] in seen_tags and pair not in rejected)
