"""Revenue that does not count: in other currencies than the reporting one, or of no customer."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, func, select, text

from nullspend_margins.domain.coverage import SkippedRevenue
from nullspend_margins.domain.period import Period
from nullspend_margins.storage.sums import halves, joined
from nullspend_margins.storage.tables import revenue_facts

_facts = revenue_facts.c


def skipped_in(
    tx: Connection, org_id: str, providers: Collection[str], period: Period
) -> list[SkippedRevenue]:
    """What ``providers`` told of one month that is in no sum, by provider and currency.

    From an index of such facts alone: however many counted ones there are plays no part.
    """
    found = tx.execute(
        select(_facts.provider, _facts.currency, func.count(), *halves(_facts.amount_minor))
        .where(
            _facts.org_id == org_id,
            _facts.provider.in_(providers),
            _facts.month == period.index,
            # As the index has it: a parameter would be something else to both databases.
            text("counted = 0"),
        )
        .group_by(_facts.provider, _facts.currency)
        .order_by(_facts.provider, _facts.currency)
    )
    return [
        SkippedRevenue(provider, currency, invoices, joined(high, low))
        for provider, currency, invoices, high, low in found
    ]
