"""The page of connect."""

from __future__ import annotations

from nullspend_margins.dashboard.call import Page, PageCall


async def overview(call: PageCall) -> Page:
    """What there is."""
    return Page(template="connect.html", context={"org_id": call.org_id})
