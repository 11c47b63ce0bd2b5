"""The rows of the margin table as a reader sees them: texts, ready for the template."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup

from nullspend_margins.dashboard.formats import Formats
from nullspend_margins.dashboard.sparkline import sparkline, sparkline_text, svg
from nullspend_margins.domain.health import HealthThresholds
from nullspend_margins.domain.margin import SPARK_MONTHS, CustomerMargin
from nullspend_margins.domain.period import Period
from nullspend_margins.services.margin_table import TableRow

_FIGURES_KEPT = 4_000
"""A few megabytes: what people look at again, or page through, is written once."""


class Figures(NamedTuple):
    """What a row's numbers look like.

    ``percent`` says so where there is no revenue that it could be of, and is a dash where more was
    given back than came in; ``budget`` is the cost at which a critical customer would be healthy.
    """

    picture: Markup
    revenue: str
    cost: str
    margin: str
    percent: str
    budget: str | None


class ShownRow(NamedTuple):
    """One customer.

    ``tag`` is ``None`` where it is the name already. ``heading_for`` is the tier that the
    projection falls into, where that is a worse one.
    """

    name: str
    tag: str | None
    link: str
    tier: str
    is_loss: bool
    heading_for: str | None
    figures: Figures


def shown_rows(
    rows: Sequence[TableRow],
    period: Period,
    formats: Formats,
    thresholds: HealthThresholds,
    link: Callable[[str], str],
) -> list[ShownRow]:
    """Each row; ``link`` leads to a customer's page."""
    months = tuple(formats.month_short(period.shift(shift)) for shift in range(1 - SPARK_MONTHS, 2))
    shown = []
    for row in rows:
        margin, tag = row.margin, row.margin.tag_value
        name = row.customer_name or tag
        shown.append(
            ShownRow(
                name,
                None if name == tag else tag,
                link(tag),
                margin.tier.wire_name,
                margin.margin < 0,
                _heading_for(margin, thresholds),
                _figures(margin, months, formats),
            )
        )
    return shown


def _heading_for(margin: CustomerMargin, thresholds: HealthThresholds) -> str | None:
    if margin.projected is None or not margin.projected_tier_worsening:
        return None
    return thresholds.tier_of_hundredths(margin.projected).wire_name


@lru_cache(_FIGURES_KEPT)
def _figures(margin: CustomerMargin, months: Sequence[str], formats: Formats) -> Figures:
    budget = margin.budget_suggestion
    return Figures(
        picture=svg(sparkline(margin), sparkline_text(margin, months, formats.percent)),
        revenue=formats.money(margin.revenue),
        cost=formats.money(margin.cost),
        margin=formats.money(margin.margin),
        percent=_percent(margin, formats),
        budget=None if budget is None else formats.money(budget),
    )


def _percent(margin: CustomerMargin, formats: Formats) -> str:
    if margin.revenue > 0:
        return formats.percent(margin.percent)
    return "–" if margin.revenue else "No revenue"  # noqa: RUF001 - a dash, as everywhere
