"""The margin table."""

from __future__ import annotations

from nullspend_margins.dashboard.call import Page, PageCall
from nullspend_margins.dashboard.pages.asked import asked_period, periods_offered


async def table(call: PageCall) -> Page:
    """One month's customers, worst first."""
    period = asked_period(call)
    found = await call.services.margins.table(call.org_id, period)
    return Page(
        template="margins.html",
        context={
            "period": period,
            "periods": periods_offered(call, period),
            "summary": found.summary,
            "rows": found.rows,
        },
    )
