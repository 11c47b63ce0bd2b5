"""The middleware: pure ASGI, between a server and an app that answers with tokens."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from nullspend_margins.config import MeteringSettings
from nullspend_margins.metering.attribution import CustomerHeaders
from nullspend_margins.metering.book import Append, Book
from nullspend_margins.metering.customer import AskCustomer, ask
from nullspend_margins.metering.exchange import WATCHED, Exchange
from nullspend_margins.metering.paths import Paths
from nullspend_margins.protocols import Clock

_MARK = "nullspend_margins.metered"


class Meter:
    """Meters the ``POST`` requests of ``settings.paths``; all else goes to ``app`` untouched."""

    def __init__(
        self,
        app: ASGIApp,
        settings: MeteringSettings,
        append: Append,
        clock: Clock,
        customer: AskCustomer | None = None,
    ) -> None:
        self._app = app
        self._paths = Paths(settings.paths)
        self._exact = self._paths.exact
        self._headers = CustomerHeaders(settings)
        self._book = Book(settings, append, clock, WATCHED)
        self._customer = customer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http" or not self._is_metered(scope):
            await self._app(scope, receive, send)
            return
        given = await ask(self._customer, scope) if self._customer is not None else None
        attribution, kept = self._headers.read(scope["headers"], given)
        below: Scope = {**scope, _MARK: True, "headers": kept}
        exchange = Exchange(self._book, attribution, send)
        try:
            await self._app(below, receive, exchange.send)
        finally:
            exchange.close()

    def _is_metered(self, scope: Scope) -> bool:
        # Marked by a middleware further out, it is counted there.
        if scope["method"] != "POST" or _MARK in scope:
            return False
        path = scope["path"]
        return path in self._exact or self._paths.fits(path, scope.get("root_path", ""))
