"""One customer's margin on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import UNSET, Meta

from nullspend_margins.web.wire.base import (
    AvatarUrl,
    CustomerId,
    CustomerName,
    Microdollars,
    PeriodText,
    TagValue,
    Tally,
    Wire,
    percent,
)
from nullspend_margins.web.wire.bases import RevenueByBasis
from nullspend_margins.web.wire.margins import (
    AskedBases,
    MarginPercent,
    PeriodCost,
    PeriodRevenue,
    TierName,
)

if TYPE_CHECKING:
    from nullspend_margins.services.margins import CustomerDetail


class MonthPoint(Wire, frozen=True):
    """Revenue and cost of one month."""

    period: PeriodText
    revenue: Annotated[Microdollars, Meta(description="Microdollars.")]
    cost: Annotated[Microdollars, Meta(description="Microdollars.")]


class ModelCost(Wire, frozen=True):
    """What one model cost this customer in the period."""

    model: Annotated[str, Meta(description="The model's name, as the events tell it.")]
    cost: Annotated[Microdollars, Meta(description="Microdollars.")]
    request_count: Annotated[Tally, Meta(description="How many requests there were.")]


class CustomerMargin(Wire, frozen=True, kw_only=True):
    """One customer in one period."""

    stripe_customer_id: CustomerId
    customer_name: CustomerName | None
    avatar_url: AvatarUrl | None
    tag_value: TagValue
    health_tier: TierName
    margin_percent: MarginPercent
    revenue_microdollars: PeriodRevenue
    cost_microdollars: PeriodCost
    revenue_over_time: Annotated[
        list[MonthPoint],
        Meta(description="The period and the two months before it, oldest first."),
    ]
    model_breakdown: Annotated[
        list[ModelCost],
        Meta(description="The period's cost by model, largest first; adds up to the cost."),
    ]
    revenue_by_basis: AskedBases = UNSET


class CustomerMarginAnswer(Wire, frozen=True):
    """The answer with one customer in a period."""

    data: CustomerMargin


def customer_of(detail: CustomerDetail) -> CustomerMargin:
    """The wire form of one customer."""
    return CustomerMargin(
        stripe_customer_id=detail.stripe_customer_id,
        customer_name=detail.customer_name,
        avatar_url=detail.avatar_url,
        tag_value=detail.tag_value,
        health_tier=detail.tier.wire_name,
        margin_percent=percent(detail.percent),
        revenue_microdollars=detail.revenue,
        cost_microdollars=detail.cost,
        revenue_over_time=[MonthPoint(str(month), *amounts) for month, *amounts in detail.months],
        model_breakdown=[ModelCost(*model) for model in detail.models],
        revenue_by_basis=UNSET if detail.bases is None else RevenueByBasis(*detail.bases),
    )
