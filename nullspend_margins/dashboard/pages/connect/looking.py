"""Connections: the list, one provider's page, and starting a sync."""

from __future__ import annotations

from nullspend_margins.dashboard.call import Page, PageCall, Redirect
from nullspend_margins.dashboard.connecting.bases import precision_of
from nullspend_margins.dashboard.connecting.forms import Refusal, general_form
from nullspend_margins.dashboard.connecting.states import (
    ProviderShown,
    ask_to_replace,
    is_late,
)
from nullspend_margins.dashboard.tokens import Notice
from nullspend_margins.domain.access import Role
from nullspend_margins.errors import ConnectionRevoked, NotFound, SyncInProgress


async def overview(call: PageCall) -> Page:
    """Every installed provider, and every connection whose plugin is gone."""
    states = await call.services.connections.states(call.org_id)
    names = [*sorted(call.providers), *(name for name in states if name not in call.providers)]
    shown = [
        ProviderShown(
            name=name,
            form=call.services.connections.connect_form(name),
            state=states.get(name),
            is_installed=name in call.providers,
        )
        for name in names
    ]
    shown.sort(key=lambda each: (each.state is None, each.title.casefold()))
    return Page(template="connect.html", context={"providers": shown})


async def provider(call: PageCall) -> Page:
    """One provider's page."""
    return provider_page(call, await asked_provider(call))


async def sync(call: PageCall) -> Redirect:
    """Start a sync here; the page then shows whichever one runs, wherever."""
    await call.form()
    name = call.request.params["provider"]
    notice = None
    try:
        await call.services.sync.begin(call.org_id, name)
    except SyncInProgress:
        pass  # the page shows that one
    except ConnectionRevoked as problem:
        text = problem.message
        if not call.may(Role.ADMIN):
            text = f"Nothing was synced. {ask_to_replace((await asked_provider(call)).credential)}"
        notice = Notice(text=text, kind="bad")
    return Redirect(to=page_of(call, name), notice=notice)


async def asked_provider(call: PageCall) -> ProviderShown:
    """The provider in the path. Raises ``NotFound`` for one neither installed nor connected."""
    name = call.request.params["provider"]
    states = await call.services.connections.states(call.org_id)
    is_installed = name in call.providers
    if not is_installed and name not in states:
        raise NotFound(f"There is no revenue provider {name[:64]!r} here.")
    return ProviderShown(
        name=name,
        form=call.services.connections.connect_form(name),
        state=states.get(name),
        is_installed=is_installed,
    )


def provider_page(call: PageCall, shown: ProviderShown, refused: Refusal | None = None) -> Page:
    """The page, with what was refused beside its form."""
    now = call.services.clock.now()
    return Page(
        template="connect_provider.html",
        status=refused.status if refused else 200,
        context={
            "shown": shown,
            "form": shown.form or general_form(shown.name),
            "refused": refused,
            "precision": precision_of(shown),
            "is_late": shown.state is not None and is_late(shown.state.sync, now),
        },
    )


def page_of(call: PageCall, name: str) -> str:
    """Where a provider's page is."""
    return call.links.page(f"/connect/{name}")
