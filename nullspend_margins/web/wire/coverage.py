"""On the wire: what a margin table covers, and what it leaves out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta

from nullspend_margins.domain.period import day_of
from nullspend_margins.web.wire.base import (
    INT64,
    Microdollars,
    Tally,
    Timestamp,
    Wire,
    optional_timestamp,
)
from nullspend_margins.web.wire.bases import BasisName, PermissionsFound, permissions_of
from nullspend_margins.web.wire.connections import ConnectionStatus

if TYPE_CHECKING:
    from nullspend_margins.domain import coverage as found

SourceKind = Annotated[
    Literal["pushed", "pulled", "aggregating"],
    Meta(
        title="CostSourceKind",
        description="`pushed`: it sends costs. `pulled`: the product reads it, at every call of"
        " the timer. `aggregating`: it is asked at every read, this one included.",
    ),
]
CalendarDay = Annotated[
    str,
    Meta(
        description="A day in UTC, `YYYY-MM-DD`.",
        examples=["2026-04-05"],
        extra_json_schema={"format": "date"},
    ),
]
SourceName = Annotated[
    str,
    Meta(description="`api` is what came over HTTP, `host` a host's own.", examples=["api"]),
]
Provider = Annotated[str, Meta(description="The revenue provider's name.", examples=["stripe"])]


class CostCoverage(Wire, frozen=True, kw_only=True):
    """The period's cost in microdollars, by who caused it; the three parts add up to the total."""

    attributed_microdollars: Annotated[
        Microdollars, Meta(description="Cost of tag values with a mapping, microdollars.")
    ]
    unmapped_microdollars: Annotated[
        Microdollars, Meta(description="Cost of tag values without a mapping, microdollars.")
    ]
    unattributed_microdollars: Annotated[
        Microdollars, Meta(description="Cost that came without a tag value, microdollars.")
    ]
    total_microdollars: Annotated[
        Microdollars, Meta(description="The cost of all sources, microdollars.")
    ]


class SkippedRevenue(Wire, frozen=True, kw_only=True):
    """Paid invoices in one currency that do not count as revenue."""

    currency: Annotated[
        str,
        Meta(
            description="ISO 4217, in lower case. `usd`: invoices without a customer, or of more"
            " than 9.2 trillion dollars.",
            examples=["eur"],
        ),
    ]
    invoices: Annotated[Tally, Meta(description="How many there are.")]
    amount_minor: Annotated[
        int,
        Meta(
            description="What was paid, in the currency's minor unit: cents, or whole yen.",
            extra_json_schema=INT64,
        ),
    ]


class ProviderRevenue(Wire, frozen=True, kw_only=True):
    """What one provider was paid in the period."""

    provider: Provider
    mapped_microdollars: Annotated[
        Microdollars, Meta(description="Paid by customers with a mapping, microdollars.")
    ]
    unmatched_microdollars: Annotated[
        Microdollars, Meta(description="Paid by customers without a mapping, microdollars.")
    ]
    without_customer_microdollars: Annotated[
        Microdollars,
        Meta(description="Paid in US dollars by invoices that name no customer, microdollars."),
    ]
    total_microdollars: Annotated[
        Microdollars,
        Meta(description="All that was paid in US dollars: the three together, microdollars."),
    ]
    skipped: Annotated[
        list[SkippedRevenue],
        Meta(
            description="What does not count as revenue, by currency; those without a customer,"
            " and those that are more than can be stored, are in the line of their currency."
        ),
    ]


class RevenueCoverage(Wire, frozen=True, kw_only=True):
    """The period's revenue in microdollars: the three parts add up to the total."""

    mapped_microdollars: Annotated[
        Microdollars,
        Meta(description="Paid by customers with a mapping, microdollars: the table's revenue."),
    ]
    unmatched_microdollars: Annotated[
        Microdollars, Meta(description="Paid by customers without a mapping, microdollars.")
    ]
    without_customer_microdollars: Annotated[
        Microdollars,
        Meta(description="Paid in US dollars by invoices that name no customer, microdollars."),
    ]
    total_microdollars: Annotated[
        Microdollars, Meta(description="All that was paid in US dollars, microdollars.")
    ]
    providers: Annotated[
        list[ProviderRevenue], Meta(description="The same of each provider, by name.")
    ]


class SourceCoverage(Wire, frozen=True, kw_only=True):
    """A cost source that is loaded, or has delivered to the org."""

    name: SourceName
    kind: SourceKind
    last_delivered_at: Annotated[
        Timestamp | None,
        Meta(
            description="When it last delivered (ISO 8601, UTC), to the minute; null: not since"
            " that is kept. What is pulled has delivered when it answered."
        ),
    ]
    newest_cost_at: Annotated[
        Timestamp | None,
        Meta(
            description="When its newest cost event occurred (ISO 8601, UTC), to the minute; null"
            " where it has none, or adds up elsewhere."
        ),
    ]
    newest_cost_day: Annotated[
        CalendarDay | None, Meta(description="The UTC day of its newest cost; null: not known.")
    ]
    lag_seconds: Annotated[
        Tally | None, Meta(description="Since it last delivered, in whole seconds; null: never.")
    ]
    stale: Annotated[bool, Meta(description="Silent for longer than `[costs]` allows it to be.")]
    last_error: Annotated[
        str | None,
        Meta(description="Why it did not answer when it was last pulled; null when it did."),
    ]


class ProviderCoverage(Wire, frozen=True, kw_only=True):
    """A connection to a revenue provider."""

    name: Provider
    status: ConnectionStatus
    last_sync_at: Annotated[
        Timestamp | None,
        Meta(description="When the last good sync was (ISO 8601, UTC); null: never."),
    ]
    lag_seconds: Annotated[
        Tally | None, Meta(description="Since the last good sync, in whole seconds; null: never.")
    ]
    permissions: PermissionsFound


class Coverage(Wire, frozen=True, kw_only=True):
    """What the table is made of, and what it leaves out."""

    basis: BasisName
    cost: CostCoverage
    revenue: RevenueCoverage
    sources: Annotated[list[SourceCoverage], Meta(description="Cost sources, by name.")]
    providers: Annotated[
        list[ProviderCoverage], Meta(description="Connections to revenue providers, by name.")
    ]


def coverage_of(coverage: found.Coverage) -> Coverage:
    """The wire form of a period's coverage."""
    cost = coverage.cost
    return Coverage(
        basis=coverage.basis,
        cost=CostCoverage(
            attributed_microdollars=cost.attributed,
            unmapped_microdollars=cost.unmapped,
            unattributed_microdollars=cost.unattributed,
            total_microdollars=cost.total,
        ),
        revenue=RevenueCoverage(
            mapped_microdollars=sum(each.mapped for each in coverage.revenue),
            unmatched_microdollars=sum(each.unmatched for each in coverage.revenue),
            without_customer_microdollars=sum(each.without_customer for each in coverage.revenue),
            total_microdollars=sum(each.total for each in coverage.revenue),
            providers=[_revenue_of(each) for each in coverage.revenue],
        ),
        sources=[_source_of(each) for each in coverage.sources],
        providers=[
            ProviderCoverage(
                name=each.provider,
                status=each.status,
                last_sync_at=optional_timestamp(each.last_sync_at),
                lag_seconds=_seconds(each.lag),
                permissions=permissions_of(each.gaps),
            )
            for each in coverage.providers
        ],
    )


def _revenue_of(revenue: found.RevenueCoverage) -> ProviderRevenue:
    return ProviderRevenue(
        provider=revenue.provider,
        mapped_microdollars=revenue.mapped,
        unmatched_microdollars=revenue.unmatched,
        without_customer_microdollars=revenue.without_customer,
        total_microdollars=revenue.total,
        skipped=[
            SkippedRevenue(
                currency=each.currency, invoices=each.invoices, amount_minor=each.amount_minor
            )
            for each in revenue.skipped
        ],
    )


def _source_of(source: found.SourceCoverage) -> SourceCoverage:
    state = source.state
    return SourceCoverage(
        name=state.name,
        kind=state.kind,
        last_delivered_at=optional_timestamp(state.delivered_at),
        newest_cost_at=optional_timestamp(state.newest_at),
        newest_cost_day=None if state.newest_day is None else day_of(state.newest_day).isoformat(),
        lag_seconds=_seconds(source.lag),
        stale=source.is_stale,
        last_error=state.last_error,
    )


def _seconds(lag: timedelta | None) -> int | None:
    return None if lag is None else lag // timedelta(seconds=1)
