"""Customer mappings on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.mapping import CustomerMapping as Stored
from nullspend_margins.web.wire.base import (
    CustomerId,
    TagValue,
    Text,
    Timestamp,
    Uuid,
    Wire,
    timestamp,
)

MatchType = Annotated[
    Literal["manual", "auto"],
    Meta(
        title="MatchType",
        description="`manual`: a person says so. `auto`: a sync found it, and nobody has"
        " confirmed it.",
    ),
]
Confidence = Annotated[
    float,
    Meta(
        ge=0,
        le=1,
        description="0 to 1: 1 for a manual mapping, the matcher's for an automatic one, null for"
        " an automatic one that somebody posted.",
    ),
]


class MappingRequest(Wire, frozen=True):
    """Create or update the mapping of a customer and tag key. Unknown fields are ignored."""

    stripe_customer_id: Annotated[
        Text, Meta(description="The provider's customer id.", examples=["cus_abc123"])
    ]
    tag_value: Annotated[
        Text, Meta(description="The host's own name for the customer.", examples=["acme-corp"])
    ]
    tag_key: Annotated[
        Text, Meta(description="Only `customer` joins costs today; others are stored and listed.")
    ] = CUSTOMER_TAG_KEY
    match_type: MatchType = "manual"
    provider: Annotated[Text, Meta(description="The revenue provider.")] = "stripe"


class CustomerMapping(Wire, frozen=True, kw_only=True):
    """A stored mapping of a provider's customer to a tag value."""

    id: Annotated[Uuid, Meta(description="What to delete it by.")]
    org_id: Annotated[str, Meta(description="The org it belongs to.")]
    stripe_customer_id: CustomerId
    tag_key: Annotated[str, Meta(description="`customer` joins costs.", examples=["customer"])]
    tag_value: TagValue
    match_type: MatchType
    provider: Annotated[str, Meta(description="The revenue provider.", examples=["stripe"])]
    confidence: Confidence | None
    created_at: Annotated[Timestamp, Meta(description="When it was made (ISO 8601, UTC).")]


class MappingAnswer(Wire, frozen=True):
    """The answer with one mapping."""

    data: CustomerMapping


class MappingsAnswer(Wire, frozen=True):
    """The answer with all mappings of the org."""

    data: Annotated[list[CustomerMapping], Meta(description="Oldest first.")]


def mapping_of(mapping: Stored) -> CustomerMapping:
    """The wire form of a mapping."""
    return CustomerMapping(
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
