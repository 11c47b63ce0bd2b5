"""The product as an ASGI application. Holds no state beyond caches and rate limits."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from msgspec.structs import replace
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from nullspend_margins.config import Config
from nullspend_margins.domain.bearer import bearer_tokens
from nullspend_margins.errors import NotFound
from nullspend_margins.version import __version__
from nullspend_margins.web.answers import without_body
from nullspend_margins.web.call import Incoming
from nullspend_margins.web.failures import failure_answer
from nullspend_margins.web.guard import Guard
from nullspend_margins.web.route import IngestRoute, PageRoute, PublicRoute, SessionRoute
from nullspend_margins.web.router import Match, Router
from nullspend_margins.web.routes import ROUTES
from nullspend_margins.web.target import last_segment, path_below_mount

if TYPE_CHECKING:
    from nullspend_margins.services import Services

_MOUNTS_REMEMBERED = 16

_log = logging.getLogger("nullspend_margins.web")


class WebApp:
    """Serves HTTP: its routes, and a 404 in the product's form for every other path.

    ``services`` is awaited at the first request that needs them (and at each later one: it
    remembers). ``pages`` are for people, beside the API. ``monotonic`` is the clock of the rate
    limits, in seconds.
    """

    def __init__(
        self,
        config: Config,
        services: Callable[[], Awaitable[Services]],
        *,
        pages: Sequence[PageRoute] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        here = [page for page in pages if not page.is_for_lost]
        lost = [page for page in pages if page.is_for_lost]
        self._router = Router([*ROUTES, *here], config.server.prefix)
        self._lost = Router(lost, config.server.prefix)
        self._guard = Guard(config, monotonic=monotonic)
        self._services = services
        self._document = lru_cache(_MOUNTS_REMEMBERED)(partial(_document, config))

    def matches(self, scope: Scope) -> bool:
        """Whether an HTTP request is for one of our paths, with whatever method."""
        return scope["type"] == "http" and self._router.find(path_below_mount(scope)) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an HTTP request, with an error of the product's form if need be; never raise."""
        try:
            response = await self._answer(scope, receive)
        except ClientDisconnect:
            _log.info("%s: the client went away while sending its request", scope["method"])
            return
        if scope["method"] == "HEAD":
            response = without_body(response)
        try:
            await response(scope, receive, send)
        except OSError:
            _log.info("%s: the client went away before its answer", scope["method"])
        except Exception:
            _log.exception("%s: the answer could not be sent", scope["method"])

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        path = path_below_mount(scope)
        match = self._router.find(path, partial(last_segment, scope))
        if match is None and _is_for_a_page(scope):
            match = self._lost.find(path)
        try:
            return await self._serve(match, scope, receive)
        except ClientDisconnect:
            raise
        except Exception as error:
            return failure_answer(
                error,
                asked=f"{scope['method']} {match.path if match else '(unknown path)'}",
                provider=match.params.get("provider") if match else None,
                bearer=bool(bearer_tokens(scope["headers"])),
            )

    async def _serve(self, match: Match | None, scope: Scope, receive: Receive) -> Response:
        if match is None:
            raise NotFound("There is nothing at this path; see /api/openapi.json for what is.")
        route = match.route(scope["method"])
        request = Incoming(
            scope=scope, receive=receive, params=match.params, document=self._document
        )
        if isinstance(route, PageRoute):
            return await route.endpoint(request, self._services, self._guard)
        if route.fixed:
            request = replace(request, params={**match.params, **route.fixed})
        if isinstance(route, PublicRoute):
            return await route.endpoint(request)
        services = await self._services()
        if isinstance(route, IngestRoute):
            return await self._guard.ingest(route, request, services)
        if isinstance(route, SessionRoute):
            return await self._guard.session(route, request, services)
        raise TypeError(f"{type(route).__name__} is no kind of route that is served")


def _is_for_a_page(scope: Scope) -> bool:
    """Whether a person looks at the answer: a browser that opens an address."""
    accepted = Headers(scope=scope).get("accept", "")
    return scope["method"] in ("GET", "HEAD") and "text/html" in accepted


def _document(config: Config, mount: str) -> bytes:
    # Loaded when somebody asks for it, which most hosts see nobody do.
    from nullspend_margins.web.openapi import document

    return document(
        ROUTES,
        mount,
        prefix=config.server.prefix,
        cookie=config.session.cookie_name,
        version=__version__,
    )
