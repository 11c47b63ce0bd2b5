"""Rows of margin tables, made as the product makes them."""

from __future__ import annotations

from nullspend_margins.domain.health import HealthThresholds
from nullspend_margins.domain.margin import customer_margin
from nullspend_margins.services.margin_table import TableRow

DOLLAR = 1_000_000


def row(
    tag: str,
    *months: tuple[int, int],
    name: str | None = None,
    customer_id: str = "cus_1",
) -> TableRow:
    """A customer with (revenue, cost) in whole dollars of each of up to three months, oldest
    first; months before are empty."""
    filled = [(0, 0)] * (3 - len(months)) + list(months)
    margin = customer_margin(
        tag,
        [revenue * DOLLAR for revenue, _ in filled],
        [cost * DOLLAR for _, cost in filled],
        HealthThresholds(),
    )
    return TableRow(margin, customer_id, name, None)
