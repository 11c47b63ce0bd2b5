"""One customer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from nullspend_margins.dashboard.bases import BASIS_WORDS
from nullspend_margins.dashboard.call import Page, PageCall
from nullspend_margins.dashboard.charts import MonthPoint, month_chart
from nullspend_margins.dashboard.comparing import ModelRow, model_rows, month_change
from nullspend_margins.dashboard.crossings import crossing_rows
from nullspend_margins.dashboard.explaining import MOST_ROWS, Explained, explained
from nullspend_margins.dashboard.pages.asked import (
    asked_basis,
    asked_customer,
    asked_period,
    periods_offered,
)
from nullspend_margins.domain.margin import SPARK_MONTHS, customer_margin
from nullspend_margins.domain.period import Months, Period, as_utc
from nullspend_margins.domain.revenue_part import BASES, Basis
from nullspend_margins.domain.text import text_problem
from nullspend_margins.errors import NotFound
from nullspend_margins.services.margins import CustomerDetail

MONTHS_SHOWN = 12
MODELS_SHOWN = 10
MANY_MODELS = 100


async def detail(call: PageCall) -> Page:
    """What one customer brings in and costs, why, and what was told of it."""
    tag_value, period, basis = asked_customer(call), asked_period(call), asked_basis(call)
    services, months = call.services, Months(period.shift(1 - MONTHS_SHOWN), period)
    if text_problem(tag_value):
        return _unknown(tag_value, period)
    try:
        found = await services.margins.customer(
            call.org_id, tag_value, period, basis, bases=True, months_shown=months.count
        )
        explanation = await _explanation(call, tag_value, period, basis)
    except NotFound:
        return _unknown(tag_value, period)
    context = {
        "basis_words": BASIS_WORDS,
        **_address(call, tag_value, period, basis),
        **_figures(call, found, period),
        **_models(call, found),
        "explained": explanation,
        "most_rows": MOST_ROWS,
        "mappings": await services.mappings.of_customer(call.org_id, tag_value),
        "months": months,
        "crossings": crossing_rows(
            await services.alerts.of_customer(call.org_id, tag_value, months), services.clock.now()
        ),
    }
    is_large = explanation is not None or len(found.models) > MANY_MODELS
    return Page(template="customer.html", context=context, is_large=is_large)


def _unknown(tag_value: str, period: Period) -> Page:
    context = {"tag_value": tag_value, "period": period}
    return Page(template="customer_unknown.html", context=context, status=404)


def _address(call: PageCall, tag_value: str, period: Period, basis: Basis) -> dict[str, object]:
    """``here(…)`` is the page's own address with something changed."""
    usual = call.services.config.revenue.basis
    kept = {"period": period, "basis": None if basis == usual else basis}
    # A form that is sent by GET takes the place of the query in its address.
    carried = tag_value if "?" in call.links.customer(tag_value) else None

    def here(**changes: object) -> str:
        asked = {**kept, **changes}
        if asked["basis"] == usual:
            asked["basis"] = None
        return call.links.customer(tag_value, **asked)

    return {
        "period": period,
        "periods": periods_offered(call, period),
        "basis": basis,
        "kept": kept,
        "here": here,
        "form_fields": {
            "tagValue": carried,
            "basis": kept["basis"],
            "explain": call.query("explain"),
            "models": call.query("models"),
        },
        "is_part": call.request.header("hx-request") is not None,
    }


def _figures(call: PageCall, found: CustomerDetail, period: Period) -> Mapping[str, object]:
    config, running = call.services.config, call.services.margins.current_period()
    today = as_utc(call.services.clock.now()).date()
    points = [MonthPoint(*month) for month in found.months]
    latest = points[-SPARK_MONTHS:]
    margin = customer_margin(
        found.tag_value,
        [each.revenue for each in latest],
        [each.cost for each in latest],
        config.health.thresholds,
    )
    return {
        "customer": found,
        "bases": dict(zip(BASES, found.bases or (), strict=False)),
        "margin": margin,
        "points": points,
        "chart": month_chart(
            points, config.health.thresholds, running=running, projected=margin.projected
        ),
        "change": month_change(points[-1], points[-2]),
        "is_running": period == running,
        "is_to_come": period > running,
        "today": today,
        "healthy_percent": round(config.health.thresholds.healthy * 100),
    }


def _models(call: PageCall, found: CustomerDetail) -> Mapping[str, object]:
    rows = model_rows(found.models)
    shown = rows if call.query("models") == "all" else rows[:MODELS_SHOWN]
    others: Sequence[ModelRow] = rows[len(shown) :]
    return {
        "models": shown,
        "model_count": len(rows),
        "other_models": others,
        "other_cost": sum(row.cost for row in others),
        "other_requests": sum(row.requests for row in others),
    }


async def _explanation(
    call: PageCall, tag_value: str, period: Period, basis: Basis
) -> Explained | None:
    """Only where it is asked for: it reads every object of the customer."""
    if not call.query("explain"):
        return None
    found = await call.services.explanations.explain(call.org_id, tag_value, period, basis)
    # A customer may have thousands of invoices: not on the host's event loop.
    return await asyncio.to_thread(explained, found, as_utc(call.services.clock.now()).date())
