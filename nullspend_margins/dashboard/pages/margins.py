"""The margin table."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nullspend_margins.dashboard.bases import BASIS_WORDS, bases_offered
from nullspend_margins.dashboard.call import Page, PageCall
from nullspend_margins.dashboard.completeness import completeness_of
from nullspend_margins.dashboard.listing import Asked, Listing, listing_of
from nullspend_margins.dashboard.margins_address import MarginsAddress
from nullspend_margins.dashboard.month_state import month_state
from nullspend_margins.dashboard.pages.asked import asked_basis, asked_period, periods_offered
from nullspend_margins.dashboard.table_rows import ShownRow, shown_rows
from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.revenue_part import Basis

if TYPE_CHECKING:
    from nullspend_margins.services.margin_table import MarginTable

_BIG_TABLE = 500
"""Rows from which looking through them takes milliseconds that others would wait for."""
_BIG_PAGE = 100


async def table(call: PageCall) -> Page:
    """One month's customers, worst first."""
    period, basis = asked_period(call), asked_basis(call)
    answer = await call.services.margins.table_with(
        call.org_id, period, basis, coverage=True, told=True
    )
    if answer.coverage is None:
        raise TypeError("a table was asked for with its coverage and came without")
    configured = call.services.config.revenue.basis
    chosen = None if basis == configured else basis
    listing, rows = await _listed(call, answer.table, chosen)
    return Page(
        template="margins.html",
        context={
            "period": period,
            "periods": periods_offered(call, period),
            "month_state": month_state(period, call.services.clock.now()),
            "basis": basis,
            "chosen_basis": chosen,
            "bases": bases_offered(answer.told, configured, basis),
            "basis_words": BASIS_WORDS,
            "summary": answer.table.summary,
            "status": answer.table.status,
            "completeness": completeness_of(answer.coverage),
            "customers": len(answer.table.rows),
            "listing": listing,
            "rows": rows,
            "tiers": tuple(HealthTier),
            "address": MarginsAddress(call.links, period, chosen, listing.asked),
        },
        is_large=len(rows) > _BIG_PAGE,
    )


async def _listed(
    call: PageCall, found: MarginTable, chosen: Basis | None
) -> tuple[Listing, Sequence[ShownRow]]:
    config, asked = call.services.config, Asked.of(call.query)
    link = call.links.customers(period=found.period, basis=chosen)

    def make() -> tuple[Listing, Sequence[ShownRow]]:
        listing = listing_of(found.rows, asked, config.dashboard.rows_per_page)
        rows = shown_rows(listing.rows, found.period, call.formats, config.health.thresholds, link)
        return listing, rows

    return await asyncio.to_thread(make) if len(found.rows) > _BIG_TABLE else make()
