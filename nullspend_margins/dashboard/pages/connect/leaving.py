"""Disconnecting a provider: what goes with it, and that somebody means it."""

from __future__ import annotations

from nullspend_margins.dashboard.call import Page, PageAnswer, PageCall, Redirect
from nullspend_margins.dashboard.pages.connect.looking import asked_provider
from nullspend_margins.dashboard.tokens import Notice
from nullspend_margins.services.connections import not_connected

CONFIRMATION = "confirm"


async def asking(call: PageCall) -> Page:
    """What would be deleted, counted."""
    return await _page(call, is_wrong=False)


async def disconnect(call: PageCall) -> PageAnswer:
    """Delete it, if the provider's name was typed."""
    form = await call.form()
    shown = await asked_provider(call)
    if form.get(CONFIRMATION).strip().casefold() != shown.name.casefold():
        return await _page(call, is_wrong=True)
    await call.services.connections.disconnect(call.org_id, shown.name)
    notice = Notice(text=f"{shown.title} is disconnected, and its revenue is deleted.")
    return Redirect(to=call.links.page("/connect"), notice=notice)


async def _page(call: PageCall, *, is_wrong: bool) -> Page:
    shown = await asked_provider(call)
    if shown.state is None:
        raise not_connected(shown.title)
    holdings = await call.services.connections.holdings(call.org_id, shown.name)
    return Page(
        template="disconnect.html",
        status=400 if is_wrong else 200,
        context={"shown": shown, "holdings": holdings, "is_wrong": is_wrong},
    )
