"""What a call cost at its vendor, from what the proxy charges for it.

The proxy computes ``response_cost = original_cost - discount_amount + margin_total_amount`` (and
adds what guardrails cost). The margin is what the operator puts on top: it is revenue, no cost.
The discount is what the vendor grants, by LiteLLM's own definition of ``cost_discount_config``;
an operator who uses it for discounts to customers says so by ``discounts = "customer"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation

from nullspend_margins import round_half_up

_NANODOLLARS = Decimal(10) ** 9
_WIDE = Context(prec=400)
"""Holds every float; what is too much for a cost is refused as such, with its call's id."""


def dollars(value: object) -> Decimal:
    """A JSON number or its text, read as it is written; zero for what is none, or not finite.

    A float is read by its shortest text: ``0.1`` is a tenth, not the nearest binary fraction.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return Decimal(0)
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return Decimal(0)
    return number if number.is_finite() else Decimal(0)


def nanodollars(amount: Decimal) -> int:
    """Dollars as whole nanodollars, rounded half up."""
    return round_half_up(*_WIDE.multiply(amount, _NANODOLLARS).as_integer_ratio())


def vendor_cost(charged: object, breakdown: object, *, are_discounts_ours: bool) -> int:
    """Nanodollars that the vendor wants for a call that the proxy charges ``charged`` for.

    ``breakdown`` is the proxy's ``cost_breakdown``; never less than nothing.
    """
    parts = breakdown if isinstance(breakdown, Mapping) else {}
    cost = dollars(charged) - dollars(parts.get("margin_total_amount"))
    if are_discounts_ours:
        cost += dollars(parts.get("discount_amount"))
    return max(nanodollars(cost), 0)
