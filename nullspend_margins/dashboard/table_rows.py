"""The rows of the margin table as a reader sees them: texts, ready for the template."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from nullspend_margins.dashboard.formats import Formats
from nullspend_margins.dashboard.sparkline import sparkline, sparkline_text, svg
from nullspend_margins.domain.health import HealthThresholds
from nullspend_margins.domain.margin import SPARK_MONTHS
from nullspend_margins.domain.period import Period
from nullspend_margins.services.margin_table import TableRow


class ShownRow(NamedTuple):
    """One customer.

    ``tag`` is ``None`` where it is the name already; ``percent`` where there is no revenue that
    it could be of. ``heading_for`` is the tier that the projection falls into, where that is a
    worse one; ``budget`` the cost at which a critical customer would be healthy.
    """

    name: str
    tag: str | None
    link: str
    tier: str
    picture: Markup
    revenue: str
    cost: str
    margin: str
    is_loss: bool
    percent: str | None
    heading_for: str | None
    budget: str | None


def shown_rows(
    rows: Sequence[TableRow],
    period: Period,
    formats: Formats,
    thresholds: HealthThresholds,
    link: Callable[[str], str],
) -> list[ShownRow]:
    """Each row; ``link`` leads to a customer's page."""
    months = [formats.month_short(period.shift(shift)) for shift in range(1 - SPARK_MONTHS, 2)]
    return [_shown(row, months, formats, thresholds, link) for row in rows]


def _shown(
    row: TableRow,
    months: Sequence[str],
    formats: Formats,
    thresholds: HealthThresholds,
    link: Callable[[str], str],
) -> ShownRow:
    margin, budget = row.margin, row.margin.budget_suggestion
    name = row.customer_name or margin.tag_value
    heading_for = None
    if margin.projected is not None and margin.projected_tier_worsening:
        heading_for = thresholds.tier_of_hundredths(margin.projected).wire_name
    return ShownRow(
        name=name,
        tag=None if name == margin.tag_value else margin.tag_value,
        link=link(margin.tag_value),
        tier=margin.tier.wire_name,
        picture=svg(sparkline(margin), sparkline_text(margin, months, formats.percent)),
        revenue=formats.money(margin.revenue),
        cost=formats.money(margin.cost),
        margin=formats.money(margin.margin),
        is_loss=margin.margin < 0,
        percent=formats.percent(margin.percent) if margin.revenue > 0 else None,
        heading_for=heading_for,
        budget=None if budget is None else formats.money(budget),
    )
