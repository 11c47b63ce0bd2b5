"""Customer mappings on the wire."""

from __future__ import annotations

from typing import Literal

from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY, CustomerMapping
from nullspend_margins.web.wire.base import Text, Timestamp, Uuid, Wire, timestamp


class MappingRequest(Wire, frozen=True):
    """Create or update the mapping of a customer and tag key."""

    stripe_customer_id: Text
    tag_value: Text
    tag_key: Text = CUSTOMER_TAG_KEY
    match_type: Literal["manual", "auto"] = "manual"
    provider: Text = "stripe"


class Mapping(Wire, frozen=True, kw_only=True):
    """A stored mapping. ``confidence`` is null for an automatic one that somebody posted."""

    id: Uuid
    org_id: str
    stripe_customer_id: str
    tag_key: str
    tag_value: str
    match_type: Literal["manual", "auto"]
    provider: str
    confidence: float | None
    created_at: Timestamp


def mapping_of(mapping: CustomerMapping) -> Mapping:
    """The wire form of a mapping."""
    return Mapping(
        id=mapping.id,
        org_id=mapping.org_id,
        stripe_customer_id=mapping.customer_id,
        tag_key=mapping.tag_key,
        tag_value=mapping.tag_value,
        match_type=mapping.match_type,
        provider=mapping.provider,
        confidence=mapping.confidence,
        created_at=timestamp(mapping.created_at),
    )
