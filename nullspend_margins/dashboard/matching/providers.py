"""Whose customers may be mapped on the dashboard."""

from __future__ import annotations

from collections.abc import Collection

from nullspend_margins.dashboard.call import PageCall
from nullspend_margins.services.connections import unknown_provider


async def known_providers(call: PageCall) -> frozenset[str]:
    """Those that are installed, and those that are connected: a connection outlives its plugin.

    A program may map customers of a provider that comes later. A person who names one that is not
    there has mistyped it.
    """
    return frozenset({*call.providers, *await call.services.connections.states(call.org_id)})


def provider_problem(name: str, known: Collection[str]) -> str | None:
    """Why customers of this provider may not be mapped, if they may not."""
    return None if name in known else unknown_provider(name, dict.fromkeys(known)).message
