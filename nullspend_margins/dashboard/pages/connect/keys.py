"""Connecting a provider, and giving a connection another credential."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nullspend_margins.dashboard.call import Page, PageAnswer, PageCall, Redirect
from nullspend_margins.dashboard.connecting.forms import (
    TOLD,
    Refusal,
    asked_way,
    body_of,
    general_body,
    general_form,
    refusal,
    typed_in,
)
from nullspend_margins.dashboard.connecting.states import ProviderShown
from nullspend_margins.dashboard.pages.connect.looking import asked_provider, page_of, provider_page
from nullspend_margins.dashboard.tokens import Notice
from nullspend_margins.errors import MarginsError, NotFound

Save = Callable[[dict[str, object]], Awaitable[Any]]


async def connect(call: PageCall) -> PageAnswer:
    """Check a credential with the provider and store it."""
    shown = await asked_provider(call)
    connections = call.services.connections

    async def save(body: dict[str, object]) -> None:
        await connections.connect(call.org_id, shown.name, body, find_gaps=True)

    refused = await _tried(call, shown, save)
    if refused is None:
        text = f"{shown.title} is connected. Sync now to bring its revenue."
        return Redirect(to=page_of(call, shown.name), notice=Notice(text=text))
    if refused.kind == "conflict":  # somebody else was faster: their connection is the page now
        return Redirect(
            to=page_of(call, shown.name), notice=Notice(text=refused.message, kind="bad")
        )
    return provider_page(call, shown, refused)


async def replacing(call: PageCall) -> Page:
    """The form for another credential."""
    return _replace_page(await _connected(call), None)


async def replace(call: PageCall) -> PageAnswer:
    """Give the connection another credential of the same account."""
    shown = await _connected(call)
    connections = call.services.connections

    async def save(body: dict[str, object]) -> None:
        await connections.replace(call.org_id, shown.name, body, find_gaps=True)

    refused = await _tried(call, shown, save)
    if refused is not None:
        return _replace_page(shown, refused)
    text = f"The {shown.credential} is replaced. Everything that was stored is still there."
    return Redirect(to=page_of(call, shown.name), notice=Notice(text=text))


async def _connected(call: PageCall) -> ProviderShown:
    shown = await asked_provider(call)
    if shown.state is None or not shown.is_installed:
        raise NotFound(f"{shown.title} is not connected, or its plugin is not installed.")
    return shown


async def _tried(call: PageCall, shown: ProviderShown, save: Save) -> Refusal | None:
    """``save`` what was sent; why not, if not."""
    way = asked_way(shown.form or general_form(shown.name), call.query("way"))
    typed: dict[str, str] = {}
    try:
        sent = await call.form()
        typed = typed_in(way, sent)
        await save(general_body(sent) if shown.form is None else body_of(way, sent))
    except TOLD as problem:
        told: MarginsError = problem
        return refusal(way, told, typed)
    return None


def _replace_page(shown: ProviderShown, refused: Refusal | None) -> Page:
    return Page(
        template="connect_replace.html",
        status=refused.status if refused else 200,
        context={
            "shown": shown,
            "form": shown.form or general_form(shown.name),
            "refused": refused,
        },
    )
