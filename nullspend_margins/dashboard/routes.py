"""The table of pages. The pages themselves are loaded when the first one is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import Response

from nullspend_margins.config import Config
from nullspend_margins.dashboard.assets import read_logo
from nullspend_margins.domain.access import Role
from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import Clock
from nullspend_margins.web.call import Incoming
from nullspend_margins.web.guard import Guard
from nullspend_margins.web.route import Line, PageRoute

if TYPE_CHECKING:
    from nullspend_margins.dashboard.site import Site
    from nullspend_margins.web.route import StartServices


class PageLine(Line, frozen=True):
    """A line of the table: ``page`` is ``MODULE.FUNCTION`` in ``dashboard.pages``."""

    page: str
    role: Role = Role.VIEWER


PAGES: tuple[PageLine, ...] = (
    PageLine("GET", "", "margins.table"),
    PageLine("GET", "/customers/{customer:path}", "customer.detail"),
    PageLine("GET", "/matching", "matching.overview"),
    PageLine("POST", "/matching/map", "matching_actions.map_pair", Role.ADMIN),
    PageLine("POST", "/matching/confirm", "matching_actions.confirm", Role.ADMIN),
    PageLine("POST", "/matching/reject", "matching_actions.reject", Role.ADMIN),
    PageLine("POST", "/matching/unmap", "matching_actions.unmap", Role.ADMIN),
    PageLine("POST", "/matching/undo", "matching_actions.undo", Role.ADMIN),
    PageLine("GET", "/matching/unmatched.csv", "matching_upload.template"),
    PageLine("GET", "/matching/upload", "matching_upload.choose", Role.ADMIN),
    PageLine("POST", "/matching/upload", "matching_upload.preview", Role.ADMIN),
    PageLine("POST", "/matching/upload/apply", "matching_upload.apply", Role.ADMIN),
    PageLine("GET", "/connect", "connect.overview"),
    PageLine("GET", "/connect/{provider}", "connect.provider"),
    PageLine("POST", "/connect/{provider}", "connect.connect", Role.ADMIN),
    PageLine("GET", "/connect/{provider}/replace", "connect.replacing", Role.ADMIN),
    PageLine("POST", "/connect/{provider}/replace", "connect.replace", Role.ADMIN),
    PageLine("POST", "/connect/{provider}/sync", "connect.sync", Role.MEMBER),
    PageLine("GET", "/connect/{provider}/disconnect", "connect.asking", Role.ADMIN),
    PageLine("POST", "/connect/{provider}/disconnect", "connect.disconnect", Role.ADMIN),
)
"""Paths are below ``[server] prefix`` and ``[dashboard] path``."""

ASSETS_PATH = "/assets/{name}"

LOST = PageLine("GET", "/{rest:path}", "missing.nothing_here")
"""What stands at every other address below."""


def dashboard_routes(config: Config, registry: Registry, clock: Clock) -> Sequence[PageRoute]:
    """The routes of the pages; none where they are switched off.

    Raises ``ConfigurationError`` for a logo that can't be read.
    """
    if not config.dashboard.enabled:
        return ()
    if config.dashboard.logo is not None:
        read_logo(config, config.dashboard.logo)
    base = config.dashboard.path
    site = _LazySite(config, registry, clock)
    return (
        PageRoute(method="GET", path=base + ASSETS_PATH, endpoint=site.asset),
        *(
            PageRoute(method=line.method, path=base + line.path, endpoint=_Endpoint(site, line))
            for line in PAGES
        ),
        *(
            PageRoute(method="GET", path=base + path, endpoint=_elsewhere)
            for path in _places_of_forms()
        ),
        PageRoute(
            method=LOST.method,
            path=base + LOST.path,
            endpoint=_Endpoint(site, LOST),
            is_for_lost=True,
        ),
    )


def _places_of_forms() -> list[str]:
    """Where forms are sent to and nothing is to be seen, and the address with a slash too many."""
    seen = {line.path for line in PAGES if line.is_safe}
    return ["/", *sorted({line.path for line in PAGES} - seen)]


async def _elsewhere(request: Incoming, _start: StartServices, _guard: Guard) -> Response:
    """To the page above: a browser stands here after a form that was not done."""
    above = quote(request.scope["path"].split("/")[-2])
    headers = {"Location": f"../{above}", "Cache-Control": "no-store"}
    return Response(status_code=303, headers=headers)


class _LazySite:
    """Makes the site once, in a thread: templates and locales take a while to load."""

    def __init__(self, config: Config, registry: Registry, clock: Clock) -> None:
        self._made_of = config, registry, clock
        self._site: Site | None = None

    async def get(self) -> Site:
        if self._site is None:
            self._site = await asyncio.to_thread(self._make)
        return self._site

    async def asset(self, request: Incoming, _start: StartServices, _guard: Guard) -> Response:
        return (await self.get()).asset(request)

    def _make(self) -> Site:
        site: Site = import_module("nullspend_margins.dashboard.site").Site(*self._made_of)
        return site


class _Endpoint:
    def __init__(self, site: _LazySite, line: PageLine) -> None:
        self._site = site
        self._line = line

    async def __call__(self, request: Incoming, start: StartServices, guard: Guard) -> Response:
        return await (await self._site.get()).serve(self._line, request, start, guard)
