"""A CSV file to fill in: the unmatched customers, with what may be their tag values."""

from __future__ import annotations

import csv
import io

from nullspend_margins.domain.money import format_dollars
from nullspend_margins.domain.suggestions import Suggestion
from nullspend_margins.services.mapping_batches import MOST_AT_ONCE
from nullspend_margins.services.unmatched import Unmatched
from nullspend_margins.web.csv_table import safe_cell

HEADER = (
    "customer_id",
    "tag_value",
    "provider",
    "customer_name",
    "customer_email",
    "revenue_usd",
    "suggested_tag_value",
    "suggested_because",
)


def file_to_fill(unmatched: Unmatched) -> bytes:
    """The customers with the most revenue, as many as can be uploaded again.

    The column of tag values is empty: a suggestion stands beside it, and is never taken for one.
    """
    customers = unmatched.customers[:MOST_AT_ONCE]
    suggestions = unmatched.suggester.suggest(customers)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for each in customers:
        best: Suggestion | None = next(iter(suggestions.get(each.key, ())), None)
        writer.writerow(
            (
                safe_cell(each.customer_id),
                "",
                safe_cell(each.provider),
                safe_cell(each.name or ""),
                safe_cell(each.email or ""),
                format_dollars(each.total_microdollars),
                safe_cell(best.tag_value if best else ""),
                safe_cell(best.reason if best else ""),
            )
        )
    return text.getvalue().encode()
