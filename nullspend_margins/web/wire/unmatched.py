"""What is not matched yet, on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from nullspend_margins.web.wire.base import (
    CustomerId,
    CustomerName,
    Microdollars,
    TagValue,
    Tally,
    Uuid,
    Wire,
)
from nullspend_margins.web.wire.mappings import Confidence

if TYPE_CHECKING:
    from nullspend_margins.services.unmatched import Unmatched

CustomerNames = Annotated[
    dict[str, str],
    Meta(
        title="CustomerNames",
        description="The names of the org's customers by their ids.",
        examples=[{"cus_abc": "Acme Corp"}],
    ),
]


class UnmatchedCustomer(Wire, frozen=True):
    """A customer with revenue and no mapping."""

    stripe_customer_id: CustomerId
    customer_name: CustomerName | None
    customer_email: Annotated[
        str | None, Meta(description="The customer's e-mail address; null when not known.")
    ]
    total_revenue_microdollars: Annotated[
        Microdollars, Meta(description="Revenue over all stored periods, microdollars.")
    ]


class UnmappedTag(Wire, frozen=True):
    """A tag value seen on costs of the last 90 days, with no mapping."""

    tag_value: TagValue
    total_cost_microdollars: Annotated[
        Microdollars, Meta(description="Its cost in the last 90 days, microdollars.")
    ]
    request_count: Annotated[Tally, Meta(description="Its requests in the last 90 days.")]


class PendingMatch(Wire, frozen=True, kw_only=True):
    """A mapping that a sync made and nobody has confirmed. It counts already."""

    id: Annotated[Uuid, Meta(description="The mapping's id.")]
    stripe_customer_id: CustomerId
    customer_name: CustomerName | None
    tag_value: TagValue
    confidence: Confidence | None


class UnmatchedReport(Wire, frozen=True, kw_only=True):
    """What is left to map."""

    unmatched_stripe_customers: Annotated[
        list[UnmatchedCustomer], Meta(description="Largest total revenue first.")
    ]
    unmapped_tag_values: Annotated[
        list[UnmappedTag], Meta(description="Largest cost first, at most 500.")
    ]
    pending_auto_matches: Annotated[
        list[PendingMatch],
        Meta(
            description="Confirm one by posting the same mapping with `matchType` `manual`;"
            " reject it by deleting it."
        ),
    ]
    customer_names: CustomerNames


class UnmatchedAnswer(Wire, frozen=True):
    """The answer with what is left to map."""

    data: UnmatchedReport


def unmatched_of(unmatched: Unmatched) -> UnmatchedReport:
    """The wire form of what is left to map."""
    return UnmatchedReport(
        unmatched_stripe_customers=[
            UnmatchedCustomer(each.customer_id, each.name, each.email, each.total_microdollars)
            for each in unmatched.customers
        ],
        unmapped_tag_values=[UnmappedTag(*tag) for tag in unmatched.tags],
        pending_auto_matches=[
            PendingMatch(
                id=mapping.id,
                stripe_customer_id=mapping.customer_id,
                customer_name=unmatched.name(mapping.provider, mapping.customer_id),
                tag_value=mapping.tag_value,
                confidence=mapping.confidence,
            )
            for mapping in unmatched.pending
        ],
        customer_names=unmatched.customer_names,
    )
