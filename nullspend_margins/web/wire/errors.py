"""The one shape of every failure, and the facts that come with some of them."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from nullspend_margins.web.wire.base import Tally, Uuid, Wire


class Issue(Wire, frozen=True):
    """One thing that is wrong with a request."""

    path: Annotated[
        str,
        Meta(
            description="Where: a parameter, or a field such as `events[3].model`; empty for the"
            " body as a whole.",
            examples=["period"],
        ),
    ]
    message: Annotated[str, Meta(description="What is wrong with it, for people.")]


class ValidationDetails(Wire, frozen=True):
    """With `validation_error`."""

    issues: Annotated[list[Issue], Meta(description="What was found, up to fifty.")]


class PlanDetails(Wire, frozen=True):
    """With `forbidden`, when the org's plan does not include margins."""

    required_plan: Annotated[str, Meta(description="The least plan.", examples=["pro"])]
    current_plan: Annotated[str, Meta(description="The org's plan.", examples=["free"])]
    upgrade_url: Annotated[
        str | None, Meta(description="Where to upgrade; null when the operator has not said.")
    ]


class RoleDetails(Wire, frozen=True):
    """With `forbidden`, when the person's role is too low."""

    required_role: Annotated[str, Meta(description="The least role.", examples=["admin"])]
    current_role: Annotated[str, Meta(description="The person's role.", examples=["viewer"])]


class HolderDetails(Wire, frozen=True):
    """With `conflict`, when a tag value belongs to another customer."""

    stripe_customer_id: Annotated[
        str, Meta(description="The customer that holds the tag value.", examples=["cus_abc123"])
    ]
    mapping_id: Annotated[Uuid, Meta(description="The mapping that says so.")]


class PermissionDetails(Wire, frozen=True):
    """With `permission_missing` and `stripe_validation_failed`, where the provider names it."""

    permission: Annotated[
        str,
        Meta(
            description="What the key lacks, in the provider's words.",
            examples=["rak_invoice_read"],
        ),
    ]


class RateLimitDetails(Wire, frozen=True):
    """With `rate_limit_exceeded`."""

    retry_after_seconds: Annotated[Tally, Meta(description="How long to wait, seconds.")]


OtherDetails = Annotated[
    dict[str, Any],
    Meta(title="OtherDetails", description="Facts that a plugin of the host has added."),
]

DETAILS: tuple[Any, ...] = (
    ValidationDetails,
    PlanDetails,
    RoleDetails,
    HolderDetails,
    PermissionDetails,
    RateLimitDetails,
    OtherDetails,
)
"""What ``ErrorBody.details`` may be, beside null."""


class ErrorBody(Wire, frozen=True):
    """What went wrong."""

    code: Annotated[
        str,
        Meta(title="ErrorCode", description="Stable, for programs; each has one status."),
    ]
    message: Annotated[
        str, Meta(description="For people; may change. Never holds a secret or internals.")
    ]
    details: Annotated[
        dict[str, Any] | None, Meta(description="Facts to act on, by the code; mostly null.")
    ]


class ErrorEnvelope(Wire, frozen=True):
    """Every answer that is not a success."""

    error: ErrorBody
