"""On the wire: what one customer's revenue and cost of a period are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from nullspend_margins.domain.period import day_of
from nullspend_margins.web.wire.base import (
    INT64,
    Microdollars,
    Percent,
    PeriodText,
    TagValue,
    Tally,
    Timestamp,
    Wire,
    optional_timestamp,
    percent,
    timestamp,
)
from nullspend_margins.web.wire.bases import BasisName
from nullspend_margins.web.wire.coverage import CalendarDay, Provider, SourceName
from nullspend_margins.web.wire.margins import TierName

if TYPE_CHECKING:
    from nullspend_margins.domain.cost import CostPart
    from nullspend_margins.domain.revenue_part import ExchangeRate
    from nullspend_margins.services import explanation as found

ObjectKind = Annotated[
    Literal["invoice", "payment", "refund", "credit_note", "dispute"],
    Meta(
        title="RevenueObjectKind",
        description="What the provider's object is. `payment`: paid for an invoice that is not"
        " wholly paid.",
    ),
]
PartKind = Annotated[
    Literal["invoice", "payment", "tax", "line", "refund", "credit_note", "dispute"],
    Meta(
        title="RevenuePartKind",
        description="What the part of the object is. `tax` is taken away from payments, `line` is"
        " a line of an invoice.",
    ),
]
MinorAmount = Annotated[int, Meta(extra_json_schema=INT64)]


class Rate(Wire, frozen=True, kw_only=True):
    """US dollars for one unit of another currency (one euro, not one cent)."""

    value: Annotated[
        str,
        Meta(
            description="A decimal number, as text since it is exact.",
            examples=["1.0842"],
            extra_json_schema={"pattern": r"^[0-9]+(\.[0-9]+)?$"},
        ),
    ]
    source: Annotated[
        str,
        Meta(
            description="Whose rate it is: the provider's name, or `configuration`.",
            examples=["stripe"],
        ),
    ]
    on: Annotated[CalendarDay, Meta(description="The day it is of, `YYYY-MM-DD`.")]


class ExplainedRevenue(Wire, frozen=True, kw_only=True, gc=False):
    """What a part of a provider's object adds to the period's revenue."""

    provider: Provider
    customer_id: Annotated[
        str, Meta(description="The provider's customer id.", examples=["cus_abc123"])
    ]
    object_id: Annotated[
        str, Meta(description="The provider's id of the object.", examples=["in_1QxYz"])
    ]
    object_kind: ObjectKind
    part_kind: PartKind
    part_id: Annotated[
        str | None,
        Meta(description="The provider's id of the part: a line, a payment; null: it has none."),
    ]
    description: Annotated[
        str | None, Meta(description="What the provider says of the part; null: nothing.")
    ]
    occurred_at: Annotated[
        Timestamp,
        Meta(description="When it counts (ISO 8601, UTC); of what is spread, from when on."),
    ]
    service_start: Annotated[
        Timestamp | None,
        Meta(description="Where the amount is spread over time: from when on; else null."),
    ]
    service_end: Annotated[
        Timestamp | None, Meta(description="Where it is spread: until when; else null.")
    ]
    amount_minor: Annotated[
        MinorAmount,
        Meta(
            description="The whole part, in the currency's minor unit: cents, or whole yen."
            " Negative for what is taken away."
        ),
    ]
    share_minor: Annotated[
        MinorAmount, Meta(description="What of it is in this period, in the minor unit.")
    ]
    currency: Annotated[str, Meta(description="ISO 4217, in lower case.", examples=["usd"])]
    minor_digits: Annotated[
        int, Meta(description="How many digits of the amounts are decimals.", ge=0, le=4)
    ]
    rate: Annotated[Rate | None, Meta(description="What it was converted at; null: in USD.")]
    revenue_microdollars: Annotated[
        Microdollars, Meta(description="The share in microdollars; they add up to the revenue.")
    ]


class ExplainedCost(Wire, frozen=True, kw_only=True, gc=False):
    """What one model cost on one day."""

    source: SourceName
    provider: Annotated[
        str | None,
        Meta(
            description="Whose model it is; null where the source only adds up.",
            examples=["openai"],
        ),
    ]
    model: Annotated[
        str | None,
        Meta(
            description="The model; null: what a source that only adds up tells of the month, and"
            " not by model."
        ),
    ]
    day: Annotated[
        CalendarDay | None,
        Meta(description="The day in UTC, `YYYY-MM-DD`; null where the source only adds up."),
    ]
    cost_microdollars: Annotated[
        Microdollars,
        Meta(description="Microdollars, rounded together: they add up to the cost."),
    ]
    request_count: Annotated[Tally, Meta(description="How many requests there were.")]


class Explanation(Wire, frozen=True, kw_only=True):
    """What a cell of the margin table is made of. The lists add up to it exactly."""

    tag_value: TagValue
    period: PeriodText
    basis: BasisName
    revenue_microdollars: Annotated[
        Microdollars, Meta(description="The revenue by this basis, microdollars.")
    ]
    cost_microdollars: Annotated[Microdollars, Meta(description="The cost, microdollars.")]
    margin_microdollars: Annotated[
        Microdollars, Meta(description="Revenue less cost, microdollars; negative at a loss.")
    ]
    margin_percent: Annotated[
        Percent, Meta(description="As in the table: a percent, 2 decimals; 0 without revenue.")
    ]
    health_tier: TierName
    revenue: Annotated[
        list[ExplainedRevenue],
        Meta(description="In order of time. `revenueMicrodollars` add up to the revenue."),
    ]
    costs: Annotated[
        list[ExplainedCost],
        Meta(description="By day, those without one last. `costMicrodollars` add up to the cost."),
    ]


class ExplanationAnswer(Wire, frozen=True):
    """The answer with what a cell is made of."""

    data: Explanation


def explanation_of(explanation: found.Explanation) -> Explanation:
    """The wire form of an explanation."""
    return Explanation(
        tag_value=explanation.tag_value,
        period=str(explanation.period),
        basis=explanation.basis,
        revenue_microdollars=explanation.amounts.revenue,
        cost_microdollars=explanation.amounts.cost,
        margin_microdollars=explanation.amounts.revenue - explanation.amounts.cost,
        margin_percent=percent(explanation.percent),
        health_tier=explanation.tier.wire_name,
        revenue=[_revenue_of(each) for each in explanation.revenue],
        costs=[_cost_of(*each) for each in explanation.costs],
    )


def _revenue_of(each: found.ExplainedRevenue) -> ExplainedRevenue:
    fact, part, share = each.fact, each.part, each.share
    is_spread = part.until is not None
    return ExplainedRevenue(
        provider=each.provider,
        customer_id=each.customer_id,
        object_id=fact.object_id,
        object_kind=fact.kind,
        part_kind=part.kind,
        part_id=part.part_id,
        description=part.description,
        occurred_at=timestamp(part.occurred_at),
        service_start=timestamp(part.occurred_at) if is_spread else None,
        service_end=optional_timestamp(part.until),
        amount_minor=part.amount_minor,
        share_minor=share.amount_minor,
        currency=fact.currency,
        minor_digits=fact.minor_digits,
        rate=_rate_of(part.rate),
        revenue_microdollars=share.microdollars,
    )


def _rate_of(rate: ExchangeRate | None) -> Rate | None:
    if rate is None:
        return None
    return Rate(value=f"{rate.value:f}", source=rate.source, on=rate.on.isoformat())


def _cost_of(cost: CostPart, microdollars: int) -> ExplainedCost:
    return ExplainedCost(
        source=cost.source,
        provider=cost.provider,
        model=cost.model,
        day=None if cost.day is None else day_of(cost.day).isoformat(),
        cost_microdollars=microdollars,
        request_count=cost.request_count,
    )
