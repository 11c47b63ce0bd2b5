"""What the columns are for, and what they are usually called."""

from __future__ import annotations

import re
from collections.abc import Mapping

ORG, CUSTOMER, TAGS, COST, CURRENCY = "org", "customer", "tags", "cost", "currency"
DATE, END, MODEL, PROVIDER = "date", "end", "model", "provider"
REQUESTS, ID, CATEGORY = "requests", "id", "category"

FIELDS = (
    ORG, CUSTOMER, TAGS, COST, CURRENCY, DATE, END, PROVIDER, MODEL, REQUESTS, ID, CATEGORY,
)  # fmt: skip
"""What a column can be, in the order in which it is told."""
MANDATORY = (CUSTOMER, COST, DATE)

UNITS: Mapping[str, int] = {"usd": 27, "cents": 25, "microdollars": 21, "nanodollars": 18}
"""How many decimal places each is above what costs are added up in: 10^-27 dollars."""

UNIT_WORDS: Mapping[str, str] = {**{name: name for name in UNITS}, "dollars": "usd"}
"""The unit by the last word of a column's name."""

_COSTS = ("cost", "amount", "spend", "total_cost")
_COSTS_IN = frozenset(f"{name}_{unit}" for name in _COSTS for unit in UNIT_WORDS)

USUAL: Mapping[str, frozenset[str]] = {
    ORG: frozenset({"org", "org_id", "organization", "organization_id"}),
    CUSTOMER: frozenset(
        {"customer", "customer_id", "tag", "tag_value", "tenant", "tenant_id", "end_user"}
    ),
    TAGS: frozenset({"tags", "labels"}),
    COST: _COSTS_IN | {*_COSTS},
    CURRENCY: frozenset({"currency", "currency_code"}),
    DATE: frozenset(
        {"date", "day", "time", "timestamp", "datetime", "occurred_at", "created_at", "start_time"}
    ),
    PROVIDER: frozenset({"provider", "provider_name", "service", "vendor"}),
    MODEL: frozenset({"model", "model_name", "model_id"}),
    REQUESTS: frozenset({"requests", "request_count", "num_requests", "count", "calls"}),
    ID: frozenset({"id", "event_id", "request_id", "row_id", "line_id", "line_item_id"}),
}
"""Normal names of columns by what they are for."""

FOCUS: Mapping[str, tuple[str, ...]] = {
    TAGS: ("Tags",),
    COST: ("BilledCost",),
    CURRENCY: ("BillingCurrency",),
    DATE: ("ChargePeriodStart",),
    END: ("ChargePeriodEnd",),
    PROVIDER: ("ProviderName", "ServiceProviderName"),
    MODEL: ("ServiceName",),
    CATEGORY: ("ChargeCategory",),
}
"""The columns of FOCUS by what they are for; the first that is there is taken."""
FOCUS_MANDATORY = ("BilledCost", "BillingCurrency", "ChargePeriodStart")
FOCUS_CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")

_WORDS = re.compile(r"[A-Z]?[^\W_A-Z]+|[^\W_a-z]+")
_ALL_USUAL = frozenset().union(*USUAL.values())


def normal(name: str) -> str:
    """A column's words: ``Cost (USD)``, ``costUSD`` and ``cost-usd`` are ``cost_usd``."""
    return "_".join(_WORDS.findall(name)).casefold()


def focus_normal(name: str) -> str:
    """The same for names of FOCUS, which databases write in their own ways."""
    return name.replace("_", "").casefold()


_ALL_FOCUS = frozenset(focus_normal(name) for names in FOCUS.values() for name in names)


def is_usual(name: str) -> bool:
    """Whether a column of this name would be taken for something."""
    return normal(name) in _ALL_USUAL or focus_normal(name) in _ALL_FOCUS
