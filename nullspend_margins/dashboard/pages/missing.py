"""Addresses that are no page's."""

from __future__ import annotations

from nullspend_margins.dashboard.call import Page, PageCall
from nullspend_margins.errors import NotFound


async def nothing_here(call: PageCall) -> Page:  # noqa: ARG001 - as every page
    """Raises ``NotFound``, for whoever may look at pages."""
    raise NotFound("There is no page at this address. It may be misspelt, or an old one.")
