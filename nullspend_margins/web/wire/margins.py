"""Margins on the wire: the table, one customer, and what is not matched yet."""

from __future__ import annotations

from typing import Literal

from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.margin import SPARK_MONTHS
from nullspend_margins.services.margins import CustomerDetail, MarginTable, Unmatched
from nullspend_margins.web.wire.base import (
    Microdollars,
    Percent,
    PeriodText,
    Timestamp,
    Uuid,
    Wire,
    optional_timestamp,
    percent,
)

TierName = Literal["healthy", "moderate", "at_risk", "critical"]
StatusName = Literal["active", "error", "revoked", "disconnected"]

TIER_NAMES: dict[HealthTier, TierName] = {
    HealthTier.HEALTHY: "healthy",
    HealthTier.MODERATE: "moderate",
    HealthTier.AT_RISK: "at_risk",
    HealthTier.CRITICAL: "critical",
}


class SparkPoint(Wire, frozen=True, omit_defaults=True, gc=False):
    """A month of a sparkline. Only the projected month says ``projected``."""

    period: PeriodText
    margin_percent: Percent
    projected: bool = False


class MarginRow(Wire, frozen=True, gc=False):
    """A customer in the table."""

    stripe_customer_id: str
    customer_name: str | None
    avatar_url: str | None
    tag_value: str
    revenue_microdollars: Microdollars
    cost_microdollars: Microdollars
    margin_microdollars: Microdollars
    margin_percent: Percent
    health_tier: TierName
    sparkline: list[SparkPoint]
    projected_tier_worsening: bool
    budget_suggestion_microdollars: Microdollars | None


class Summary(Wire, frozen=True, kw_only=True):
    """Totals over the rows shown, and how the connection is doing."""

    blended_margin_percent: Percent
    total_revenue_microdollars: Microdollars
    total_cost_microdollars: Microdollars
    critical_count: int
    at_risk_count: int
    last_sync_at: Timestamp | None
    sync_status: StatusName
    skipped_currencies: dict[str, int] | None


class Table(Wire, frozen=True):
    """The margin table of one period, worst customer first."""

    summary: Summary
    customers: list[MarginRow]


def table_of(table: MarginTable) -> Table:
    """The wire form of a table. Thousands of rows, so one plain loop."""
    oldest, middle, newest, following = (
        str(table.period.shift(months)) for months in range(1 - SPARK_MONTHS, 2)
    )
    rows = []
    for row in table.rows:
        margin = row.margin
        first, second, third = margin.sparkline
        points = [
            SparkPoint(oldest, percent(first)),
            SparkPoint(middle, percent(second)),
            SparkPoint(newest, percent(third)),
        ]
        if margin.projected is not None:
            points.append(SparkPoint(following, percent(margin.projected), projected=True))
        rows.append(
            MarginRow(
                row.stripe_customer_id,
                row.customer_name,
                row.avatar_url,
                margin.tag_value,
                margin.revenue,
                margin.cost,
                margin.margin,
                percent(margin.percent),
                TIER_NAMES[margin.tier],
                points,
                margin.projected_tier_worsening,
                margin.budget_suggestion,
            )
        )
    return Table(_summary_of(table), rows)


def _summary_of(table: MarginTable) -> Summary:
    summary, status = table.summary, table.status
    skipped = status.skipped_currencies
    return Summary(
        blended_margin_percent=percent(summary.blended_percent),
        total_revenue_microdollars=summary.revenue,
        total_cost_microdollars=summary.cost,
        critical_count=summary.critical_count,
        at_risk_count=summary.at_risk_count,
        last_sync_at=optional_timestamp(status.last_sync_at),
        sync_status=status.sync_status,  # type: ignore[arg-type]  # a plain str in storage
        skipped_currencies=dict(skipped) if skipped else None,
    )


class MonthPoint(Wire, frozen=True):
    """Revenue and cost of one month, microdollars."""

    period: PeriodText
    revenue: Microdollars
    cost: Microdollars


class ModelRow(Wire, frozen=True):
    """What one model cost this customer in the period."""

    model: str
    cost: Microdollars
    request_count: int


class Customer(Wire, frozen=True, kw_only=True):
    """One customer in one period."""

    stripe_customer_id: str
    customer_name: str | None
    avatar_url: str | None
    tag_value: str
    health_tier: TierName
    margin_percent: Percent
    revenue_microdollars: Microdollars
    cost_microdollars: Microdollars
    revenue_over_time: list[MonthPoint]
    model_breakdown: list[ModelRow]


def customer_of(detail: CustomerDetail) -> Customer:
    """The wire form of one customer."""
    return Customer(
        stripe_customer_id=detail.stripe_customer_id,
        customer_name=detail.customer_name,
        avatar_url=detail.avatar_url,
        tag_value=detail.tag_value,
        health_tier=TIER_NAMES[detail.tier],
        margin_percent=percent(detail.percent),
        revenue_microdollars=detail.revenue,
        cost_microdollars=detail.cost,
        revenue_over_time=[MonthPoint(str(month), *amounts) for month, *amounts in detail.months],
        model_breakdown=[ModelRow(*model) for model in detail.models],
    )


class UnmatchedCustomer(Wire, frozen=True):
    """A customer with revenue and no mapping."""

    stripe_customer_id: str
    customer_name: str | None
    customer_email: str | None
    total_revenue_microdollars: Microdollars


class UnmappedTag(Wire, frozen=True):
    """A tag value seen on costs of the last 90 days, with no mapping."""

    tag_value: str
    total_cost_microdollars: Microdollars
    request_count: int


class PendingMatch(Wire, frozen=True, kw_only=True):
    """An automatic mapping that nobody has confirmed."""

    id: Uuid
    stripe_customer_id: str
    customer_name: str | None
    tag_value: str
    confidence: float | None


class UnmatchedReport(Wire, frozen=True, kw_only=True):
    """What is left to map."""

    unmatched_stripe_customers: list[UnmatchedCustomer]
    unmapped_tag_values: list[UnmappedTag]
    pending_auto_matches: list[PendingMatch]
    customer_names: dict[str, str]


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
                customer_name=name,
                tag_value=mapping.tag_value,
                confidence=mapping.confidence,
            )
            for mapping, name in unmatched.pending
        ],
        customer_names=dict(unmatched.customer_names),
    )
