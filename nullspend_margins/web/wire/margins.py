"""The margin table on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, cast

from msgspec import UNSET, Meta, Raw, UnsetType

from nullspend_margins.domain.health import TIER_NAMES
from nullspend_margins.domain.margin import SPARK_MONTHS
from nullspend_margins.domain.revenue_part import BASES
from nullspend_margins.web.wire.base import (
    AvatarUrl,
    CustomerId,
    CustomerName,
    Microdollars,
    Percent,
    PeriodText,
    SkippedCurrencies,
    TagValue,
    Tally,
    Timestamp,
    Wire,
    encode,
    optional_timestamp,
    percent,
)
from nullspend_margins.web.wire.bases import RevenueByBasis
from nullspend_margins.web.wire.coverage import Coverage

if TYPE_CHECKING:
    from nullspend_margins.services import margin_table as found
    from nullspend_margins.services.bases import Bases

TierName = Annotated[
    Literal["healthy", "moderate", "at_risk", "critical"],
    Meta(
        title="HealthTier",
        description="How well a customer pays for what it costs: by default `healthy` from 50 %,"
        " `moderate` from 20 %, `at_risk` from 0 %, else `critical`. Cost without revenue is"
        " `critical`.",
    ),
]
StatusName = Annotated[
    Literal["active", "error", "revoked", "disconnected"],
    Meta(
        title="SyncStatus",
        description="`error`: the stored key cannot be read. `revoked`: the provider refused it."
        " `disconnected`: there is no connection.",
    ),
]

PeriodRevenue = Annotated[
    Microdollars, Meta(description="What the customer paid in the period, microdollars.")
]
PeriodCost = Annotated[
    Microdollars, Meta(description="What its model calls cost in the period, microdollars.")
]
MarginPercent = Annotated[
    Percent,
    Meta(
        description="(revenue - cost) / revenue as a percent, 100 is all of it, rounded to 2"
        " decimals, half up; 0 without revenue."
    ),
]
AskedBases = Annotated[
    RevenueByBasis | UnsetType,
    Meta(
        description="With `include=bases`: the period's revenue by each basis, microdollars;"
        " else absent."
    ),
]

_NOTHING = (0,) * len(BASES)


class SparkPoint(Wire, frozen=True, omit_defaults=True, gc=False):
    """A month of a sparkline."""

    period: PeriodText
    margin_percent: Annotated[
        Percent,
        Meta(
            description="Percent, 100 is all of it, 2 decimals. Cost without revenue is -100, an"
            " empty month 0."
        ),
    ]
    projected: Annotated[
        bool, Meta(description="True for the month that is foretold; else absent.")
    ] = False


class MarginRow(Wire, frozen=True, gc=False):
    """A tag value that is mapped and has revenue or cost in the period."""

    stripe_customer_id: CustomerId
    customer_name: CustomerName | None
    avatar_url: AvatarUrl | None
    tag_value: TagValue
    revenue_microdollars: PeriodRevenue
    cost_microdollars: PeriodCost
    margin_microdollars: Annotated[
        Microdollars, Meta(description="Revenue less cost, microdollars; negative at a loss.")
    ]
    margin_percent: MarginPercent
    health_tier: TierName
    sparkline: Annotated[
        list[SparkPoint],
        Meta(
            description="The period and the two months before it, oldest first. When all three"
            " have revenue or cost, the next month follows, `projected`."
        ),
    ]
    projected_tier_worsening: Annotated[
        bool, Meta(description="The projected month is in a more severe tier than this row.")
    ]
    budget_suggestion_microdollars: Annotated[
        Microdollars | None,
        Meta(
            description="Microdollars. For a critical row with revenue: the cost at which it"
            " would be just healthy; else null."
        ),
    ]
    revenue_by_basis: AskedBases = UNSET


class MarginSummary(Wire, frozen=True, kw_only=True):
    """Totals over the rows shown, and how the connection is doing."""

    blended_margin_percent: Annotated[
        Percent,
        Meta(
            description="The margin of the totals as a percent, rounded to 2 decimals; 0 without"
            " revenue."
        ),
    ]
    total_revenue_microdollars: Annotated[
        Microdollars, Meta(description="Revenue of all rows, microdollars.")
    ]
    total_cost_microdollars: Annotated[
        Microdollars, Meta(description="Cost of all rows, microdollars.")
    ]
    critical_count: Annotated[Tally, Meta(description="How many rows are critical.")]
    at_risk_count: Annotated[Tally, Meta(description="How many rows are at risk.")]
    last_sync_at: Annotated[
        Timestamp | None,
        Meta(description="When revenue was last synced (ISO 8601, UTC); null: never."),
    ]
    sync_status: StatusName
    skipped_currencies: Annotated[
        SkippedCurrencies | None, Meta(description="Null when nothing was skipped.")
    ]


class MarginTable(Wire, frozen=True):
    """The margin table of one period."""

    summary: MarginSummary
    customers: Annotated[
        list[MarginRow],
        Meta(description="Worst margin first; on a tie the more severe tier, then the tag value."),
    ]
    coverage: Annotated[
        Coverage | UnsetType, Meta(description="With `include=coverage`; else absent.")
    ] = UNSET


class MarginTableAnswer(Wire, frozen=True):
    """The answer with the table of a period."""

    data: MarginTable


def table_of(
    table: found.MarginTable,
    coverage: Coverage | UnsetType = UNSET,
    bases: Bases | None = None,
) -> MarginTable:
    """The wire form of a table, its rows encoded: each once, for as long as it stays the same.

    With ``bases`` each row has a field more, and what is kept of it stays as it is.
    """
    months = [str(table.period.shift(shift)) for shift in range(1 - SPARK_MONTHS, 2)]
    rows = []
    for row in table.rows:
        rendering = row.rendering
        if rendering is None:
            rendering = Raw(encode(_row_of(row, months)))
            row.rendering = None if table.is_large else rendering
        if bases is not None:
            rendering = _with_bases(rendering, bases.get(row.margin.tag_value, _NOTHING))
        rows.append(rendering)
    return MarginTable(_summary_of(table), cast("list[MarginRow]", rows), coverage)


def _with_bases(rendering: Raw, amounts: Sequence[int]) -> Raw:
    """The row with its last field, as if it had been encoded with it."""
    told = encode(RevenueByBasis(*amounts))
    return Raw(b'%b,"revenueByBasis":%b}' % (bytes(rendering)[:-1], told))


def _row_of(row: found.TableRow, months: Sequence[str]) -> MarginRow:
    margin = row.margin
    # One by one: in a loop they would take twice as long, which is a quarter of a table's JSON.
    first, second, third = margin.sparkline
    latest = percent(third)
    points = [
        SparkPoint(months[0], percent(first)),
        SparkPoint(months[1], percent(second)),
        SparkPoint(months[2], latest),
    ]
    if margin.projected is not None:
        points.append(SparkPoint(months[3], percent(margin.projected), projected=True))
    return MarginRow(
        row.stripe_customer_id,
        row.customer_name,
        row.avatar_url,
        margin.tag_value,
        margin.revenue,
        margin.cost,
        margin.margin,
        latest if margin.percent == third else percent(margin.percent),
        TIER_NAMES[margin.tier],
        points,
        margin.projected_tier_worsening,
        margin.budget_suggestion,
    )


def _summary_of(table: found.MarginTable) -> MarginSummary:
    summary, status = table.summary, table.status
    skipped = status.skipped_currencies
    return MarginSummary(
        blended_margin_percent=percent(summary.blended_percent),
        total_revenue_microdollars=summary.revenue,
        total_cost_microdollars=summary.cost,
        critical_count=summary.critical_count,
        at_risk_count=summary.at_risk_count,
        last_sync_at=optional_timestamp(status.last_sync_at),
        sync_status=status.sync_status,
        skipped_currencies=dict(skipped) if skipped else None,
    )
