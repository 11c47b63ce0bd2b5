"""Customers that are not matched, beside the tag values that nobody has."""

from __future__ import annotations

from nullspend_margins.dashboard.call import Page, PageCall
from nullspend_margins.dashboard.matching.page import matching_page
from nullspend_margins.dashboard.matching.view import MatchingView


async def overview(call: PageCall) -> Page:
    """What is open, or what is mapped."""
    return await matching_page(call, MatchingView.asked(call.query))
