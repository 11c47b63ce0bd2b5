"""The page of matching."""

from __future__ import annotations

from nullspend_margins.dashboard.call import Page, PageCall


async def overview(call: PageCall) -> Page:
    """What there is."""
    return Page(template="matching.html", context={"org_id": call.org_id})
