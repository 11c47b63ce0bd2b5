"""The margin table as CSV (RFC 4180)."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING

from nullspend_margins.domain.money import format_dollars, format_hundredths

if TYPE_CHECKING:
    from nullspend_margins.services.margin_table import MarginTable

HEADER = (
    "Customer",
    "Stripe ID",
    "Tag Value",
    "Revenue ($)",
    "Cost ($)",
    "Margin (%)",
    "Margin ($)",
    "Health Tier",
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_of(table: MarginTable) -> bytes:
    """UTF-8 with CRLF line ends; amounts in dollars with two decimals."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for row in table.rows:
        margin = row.margin
        writer.writerow(
            (
                safe_cell(row.customer_name or margin.tag_value),
                safe_cell(row.stripe_customer_id),
                safe_cell(margin.tag_value),
                format_dollars(margin.revenue),
                format_dollars(margin.cost),
                format_hundredths(margin.percent),
                format_dollars(margin.margin),
                margin.tier.wire_name,
            )
        )
    return text.getvalue().encode()


def safe_cell(text: str) -> str:
    """A spreadsheet must not take a customer's name for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
