"""The margin of a month, of a customer over three months, and of the whole table. Pure.

Percents are integers: hundredths of a percent, rounded once, half up. All money here is in
microdollars; a cost cell has been rounded from nanodollars before it comes here, so that rows
add up to totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from nullspend_margins.domain.health import HealthThresholds, HealthTier
from nullspend_margins.domain.money import round_half_up

NO_REVENUE_SPARK = -100_00
"""A sparkline's month with cost and no revenue: -100 %."""

SPARK_MONTHS = 3
"""The period and the two before it."""

# Looked up in the class they would take a tenth of a row's time.
_CRITICAL, _AT_RISK = HealthTier.CRITICAL, HealthTier.AT_RISK


def margin_hundredths(revenue: int, cost: int) -> int:
    """``(revenue - cost) / revenue`` in hundredths of a percent; 0 without revenue."""
    if revenue <= 0:
        return 0
    return round_half_up((revenue - cost) * 100_00, revenue)


def health_tier(revenue: int, cost: int, thresholds: HealthThresholds) -> HealthTier:
    """The tier of the unrounded percent. Cost without revenue is critical, whatever the 0 %."""
    if revenue <= 0:
        if cost > revenue:
            return _CRITICAL
        return thresholds.tier_of_ratio(0, 1)
    return thresholds.tier_of_ratio((revenue - cost) * 100, revenue)


def spark_hundredths(revenue: int, cost: int) -> int:
    """A month's point in the sparkline: as the margin, but -100 % for cost without revenue."""
    if revenue > 0:
        # As ``round_half_up`` has it, without a call: a row has three, and a table thousands.
        return (2 * 100_00 * (revenue - cost) + revenue) // (2 * revenue)
    return NO_REVENUE_SPARK if cost > revenue else 0


def projected_hundredths(first: int, second: int, third: int) -> int:
    """The least-squares line through three points, taken one step on, rounded half up.

    With x = 0, 1, 2 the slope is (third - first) / 2 and the mean sits at x = 1, so the value
    at x = 3 is (first + second + third) / 3 + (third - first).
    """
    return round_half_up(4 * third + second - 2 * first, 3)


@dataclass(frozen=True, slots=True)
class MonthAmounts:
    """Revenue and cost of one customer in one month, microdollars."""

    revenue: int = 0
    cost: int = 0

    @property
    def is_empty(self) -> bool:
        """Neither revenue nor cost."""
        return self.revenue == 0 and self.cost == 0


class CustomerMargin(Struct, frozen=True, gc=False):
    """One row of the table, computed. Percents in hundredths, money in microdollars.

    ``sparkline`` has three points, oldest first; ``projected`` is the fourth, or ``None``.
    (A struct: a table makes thousands, and a frozen dataclass takes ten times as long.)
    """

    tag_value: str
    revenue: int
    cost: int
    percent: int
    tier: HealthTier
    sparkline: tuple[int, int, int]
    projected: int | None
    projected_tier_worsening: bool
    budget_suggestion: int | None

    @property
    def margin(self) -> int:
        """Revenue less cost."""
        return self.revenue - self.cost

    @property
    def sort_key(self) -> tuple[int, HealthTier, str]:
        """Worst first; on a tie the more severe tier, then the tag value by code point."""
        return (self.percent, self.tier, self.tag_value)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginSummary:
    """Totals over the rows shown. Percent in hundredths, money in microdollars."""

    blended_percent: int
    revenue: int
    cost: int
    critical_count: int
    at_risk_count: int


def customer_margin(
    tag_value: str,
    revenues: Sequence[int],
    costs: Sequence[int],
    thresholds: HealthThresholds,
) -> CustomerMargin:
    """The row of one customer from its last three months, oldest first, in microdollars."""
    (earlier, before, revenue), (earlier_cost, before_cost, cost) = revenues, costs
    now = spark_hundredths(revenue, cost)
    sparkline = (
        spark_hundredths(earlier, earlier_cost),
        spark_hundredths(before, before_cost),
        now,
    )
    tier = health_tier(revenue, cost, thresholds)
    projected = None
    if (revenue or cost) and (before or before_cost) and (earlier or earlier_cost):
        projected = projected_hundredths(*sparkline)
    return CustomerMargin(
        tag_value,
        revenue,
        cost,
        now if revenue > 0 else 0,
        tier,
        sparkline,
        projected,
        projected is not None
        and tier is not _CRITICAL  # there is nothing worse
        and thresholds.tier_of_hundredths(projected) < tier,
        thresholds.budget_for(revenue) if tier is _CRITICAL and revenue > 0 else None,
    )


def summarize(rows: Iterable[CustomerMargin]) -> MarginSummary:
    """Totals of the rows shown."""
    revenue = cost = critical = at_risk = 0
    for row in rows:
        revenue += row.revenue
        cost += row.cost
        critical += row.tier is _CRITICAL
        at_risk += row.tier is _AT_RISK
    return MarginSummary(
        blended_percent=margin_hundredths(revenue, cost),
        revenue=revenue,
        cost=cost,
        critical_count=critical,
        at_risk_count=at_risk,
    )
