"""Auto-match: joins customers with tag values where the records say so by themselves."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime

from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY, CustomerMapping, auto_matches
from nullspend_margins.storage import mappings
from nullspend_margins.storage.database import Transaction


def match_customers(
    tx: Transaction,
    org_id: str,
    provider: str,
    suggested_tags: Mapping[str, str | None],
    seen_tags: Collection[str],
    now: datetime,
) -> int:
    """Store what ``auto_matches`` finds for the customers met in a sync. Returns how many."""
    mappings.lock(tx, org_id)
    mapped = [
        mapping
        for mapping in mappings.of_key(tx, org_id, CUSTOMER_TAG_KEY)
        if mapping.provider == provider
    ]
    matches = auto_matches(
        suggested_tags,
        seen_tags,
        mapped_customers={mapping.customer_id for mapping in mapped},
        mapped_tags={mapping.tag_value for mapping in mapped},
        rejected=_rejected(tx, org_id, provider),
    )
    created = [
        CustomerMapping(
            id=str(uuid.uuid4()),
            org_id=org_id,
            provider=provider,
            customer_id=match.customer_id,
            tag_key=CUSTOMER_TAG_KEY,
            tag_value=match.tag_value,
            match_type="auto",
            confidence=match.confidence,
            created_at=now,
        )
        for match in matches
    ]
    return mappings.insert_auto(tx, org_id, provider, created)


def _rejected(tx: Transaction, org_id: str, provider: str) -> set[tuple[str, str]]:
    """The (customer, tag value) pairs of the provider that people turned down."""
    return {
        (pair.customer_id, pair.tag_value)
        for pair in mappings.rejected_pairs(tx, org_id)
        if (pair.provider, pair.tag_key) == (provider, CUSTOMER_TAG_KEY)
    }
