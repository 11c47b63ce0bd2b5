"""What the HTTP answers must be, as the specification tells it: slow and obvious."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from tests.properties.arithmetic import (
    SEVERITY,
    Month,
    Thresholds,
    as_json,
    hundredths,
    month_from,
    one_month_on,
    percent,
    rounded,
    shifted,
    shown,
    spark,
    tier,
    tier_of_percent,
    two_decimals,
)
from tests.properties.model import (
    Json,
    Org,
    called,
    cost_of,
    counts,
    facts_of,
    latest,
    revenue_of,
    seen_tags,
    spent,
)


class Row(NamedTuple):
    """A row and what it is ordered by."""

    hundredths: int
    severity: int
    tag_value: str
    json: Json


def row(org: Org, tag_value: str, month: Month, thresholds: Thresholds) -> Row:
    months = [shifted(month, -2), shifted(month, -1), month]
    amounts = [(revenue_of(org, tag_value, each), cost_of(org, tag_value, each)) for each in months]
    revenue, cost = amounts[-1]
    health = tier(revenue, cost, thresholds)
    sparkline, then = _sparkline(months, amounts, thresholds)
    worsening = then is not None and SEVERITY.index(then) < SEVERITY.index(health)
    budget = None
    if health == "critical" and revenue > 0:
        budget = rounded(revenue * (1 - thresholds.healthy / 100))
    exact = hundredths(percent(revenue, cost))
    return Row(
        exact,
        SEVERITY.index(health),
        tag_value,
        {
            "stripeCustomerId": org.customers_of(tag_value)[0][1],
            "customerName": called(org, tag_value, month, "customer_name"),
            "avatarUrl": called(org, tag_value, month, "avatar_url"),
            "tagValue": tag_value,
            "revenueMicrodollars": revenue,
            "costMicrodollars": cost,
            "marginMicrodollars": revenue - cost,
            "marginPercent": as_json(exact),
            "healthTier": health,
            "sparkline": sparkline,
            "projectedTierWorsening": worsening,
            "budgetSuggestionMicrodollars": budget,
        },
    )


def _sparkline(
    months: list[Month], amounts: list[tuple[int, int]], thresholds: Thresholds
) -> tuple[list[Json], str | None]:
    """The points, and the tier of the projected one where there is one."""
    points = [spark(*each) for each in amounts]
    sparkline: list[Json] = [
        {"period": shown(each), "marginPercent": as_json(point)}
        for each, point in zip(months, points, strict=True)
    ]
    if not all(earned or cost for earned, cost in amounts):
        return sparkline, None
    projected = one_month_on(points)
    following = {
        "period": shown(shifted(months[-1], 1)),
        "marginPercent": as_json(projected),
        "projected": True,
    }
    return [*sparkline, following], tier_of_percent(Fraction(projected, 100), thresholds)


def table(org: Org, period: str, thresholds: Thresholds) -> Json:
    """``GET /api/margins``."""
    month = month_from(period)
    rows = [row(org, tag_value, month, thresholds) for tag_value in org.mapped_tags()]
    customers = [
        each.json
        for each in sorted(rows, key=lambda each: each[:3])
        if each.json["revenueMicrodollars"] or each.json["costMicrodollars"]
    ]
    revenue = sum(each["revenueMicrodollars"] for each in customers)
    cost = sum(each["costMicrodollars"] for each in customers)
    return {
        "summary": {
            "blendedMarginPercent": as_json(hundredths(percent(revenue, cost))),
            "totalRevenueMicrodollars": revenue,
            "totalCostMicrodollars": cost,
            "criticalCount": sum(each["healthTier"] == "critical" for each in customers),
            "atRiskCount": sum(each["healthTier"] == "at_risk" for each in customers),
            **_connection(org),
        },
        "customers": customers,
    }


def _connection(org: Org) -> Json:
    """Stripe's speaks for the org; without one, the first other's."""
    if not org.connections:
        return {"lastSyncAt": None, "syncStatus": "disconnected", "skippedCurrencies": None}
    return dict(org.connections[min(org.connections, key=lambda name: (name != "stripe", name))])


def csv_rows(answer: Json) -> list[list[str]]:
    """The table's file: what the JSON says, in dollars with two decimals."""
    return [
        [
            "Customer", "Stripe ID", "Tag Value", "Revenue ($)", "Cost ($)", "Margin (%)",
            "Margin ($)", "Health Tier",
        ],
        *(
            [
                _cell(each["customerName"] or each["tagValue"]),
                _cell(each["stripeCustomerId"]),
                _cell(each["tagValue"]),
                two_decimals(Fraction(each["revenueMicrodollars"], 10_000)),
                two_decimals(Fraction(each["costMicrodollars"], 10_000)),
                two_decimals(_percent_of(each) * 100),
                two_decimals(Fraction(each["marginMicrodollars"], 10_000)),
                each["healthTier"],
            ]
            for each in answer["customers"]
        ),
    ]  # fmt: skip


def _percent_of(each: Json) -> Fraction:
    return percent(each["revenueMicrodollars"], each["costMicrodollars"])


def _cell(text: str) -> str:
    return f"'{text}" if text[0] in "=+-@\t\r" else text


def detail(org: Org, tag_value: str, period: str, thresholds: Thresholds) -> Json | None:
    """``GET /api/margins/:customer``; ``None``: not found."""
    if tag_value not in org.mapped_tags():
        return None
    month = month_from(period)
    whole = row(org, tag_value, month, thresholds).json
    same = (
        "stripeCustomerId", "customerName", "avatarUrl", "tagValue", "healthTier",
        "marginPercent", "revenueMicrodollars", "costMicrodollars",
    )  # fmt: skip
    return {
        **{name: whole[name] for name in same},
        "revenueOverTime": [
            {
                "period": shown(each),
                "revenue": revenue_of(org, tag_value, each),
                "cost": cost_of(org, tag_value, each),
            }
            for each in (shifted(month, -2), shifted(month, -1), month)
        ],
        "modelBreakdown": _models(org, tag_value, month),
    }


def _models(org: Org, tag_value: str, month: Month) -> list[Json]:
    """Largest first; what rounding down leaves over goes to the largest remainders."""
    costs: dict[str, int] = {}
    requests: dict[str, int] = {}
    for each in spent(org):
        if each.tag_value == tag_value and (each.day.year, each.day.month) == month:
            costs[each.model] = costs.get(each.model, 0) + each.nanodollars
            requests[each.model] = requests.get(each.model, 0) + each.requests
    order = sorted(costs, key=lambda model: (-costs[model], model))
    whole = {model: costs[model] // 1_000 for model in order}
    left = rounded(Fraction(sum(costs.values()), 1_000)) - sum(whole.values())
    for _ in range(left):
        neediest = max(order, key=lambda model: costs[model] - 1_000 * whole[model])
        whole[neediest] += 1
    return [
        {"model": model, "cost": whole[model], "requestCount": requests[model]} for model in order
    ]


def unmatched(org: Org, now: datetime) -> Json:
    """``GET /api/margins/unmatched``; the pending matches in no order."""
    mapped = {
        (each.provider, each.customer_id) for each in org.mappings if each.tag_key == "customer"
    }
    customers = {
        (provider, fact.customer_id)
        for provider, fact in org.revenue
        if fact.customer_id is not None
    }
    left = [_left_over(org, *each) for each in sorted(customers - mapped)]
    names = {
        (provider, customer): latest(facts_of(org, provider, customer), "customer_name")
        for provider, customer in customers
    }
    return {
        "unmatchedStripeCustomers": sorted(
            (each for each in left if each["totalRevenueMicrodollars"]),
            key=lambda each: -each["totalRevenueMicrodollars"],
        ),
        "unmappedTagValues": _unmapped(org, now),
        "pendingAutoMatches": [
            {
                "id": each.id,
                "stripeCustomerId": each.customer_id,
                "customerName": names.get((each.provider, each.customer_id)),
                "tagValue": each.tag_value,
                "confidence": each.confidence,
            }
            for each in org.mappings
            if each.tag_key == "customer" and each.match_type == "auto"
        ],
        "customerNames": _by_id(names),
    }


def _by_id(names: dict[tuple[str, str], str | None]) -> dict[str, str]:
    """Where several providers' customers have one id, Stripe's is the one meant."""
    stripe_last = sorted(
        names.items(), key=lambda item: (item[0][0] != "stripe", item[0]), reverse=True
    )
    return {customer: name for (_, customer), name in stripe_last if name is not None}


def _left_over(org: Org, provider: str, customer: str) -> Json:
    facts = facts_of(org, provider, customer)
    return {
        "stripeCustomerId": customer,
        "customerName": latest(facts, "customer_name"),
        "customerEmail": latest(facts, "customer_email"),
        "totalRevenueMicrodollars": sum(
            fact.amount_minor * 10_000 for fact in facts if counts(fact)
        ),
    }


def _unmapped(org: Org, now: datetime) -> list[Json]:
    first = (now.astimezone(UTC) - timedelta(days=90)).date()
    totals = []
    for tag_value in seen_tags(org, now) - set(org.mapped_tags()):
        recent = [each for each in spent(org) if each.tag_value == tag_value and each.day >= first]
        totals.append(
            (
                -sum(each.nanodollars for each in recent),
                tag_value,
                sum(each.requests for each in recent),
            )
        )
    return [
        {
            "tagValue": tag_value,
            "totalCostMicrodollars": rounded(Fraction(-cost, 1_000)),
            "requestCount": requests,
        }
        for cost, tag_value, requests in sorted(totals)[:500]
    ]
