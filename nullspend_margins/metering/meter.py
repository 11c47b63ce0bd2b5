"""The middleware: pure ASGI, between a server and an app that answers with tokens."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from nullspend_margins.config import MeteringSettings
from nullspend_margins.metering.attribution import NOBODY, Attribution, CustomerHeaders
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
        # With no patterns, and at no mount, a look-up tells; there a host's requests are quickest.
        self._exact = self._paths.exact if self._paths.pattern is None else None
        self._headers = CustomerHeaders(settings)
        self._book = Book(settings, append, clock, WATCHED)
        self._customer = customer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http" or not self._is_metered(scope):
            await self._app(scope, receive, send)
            return
        attribution, below = await self._attributed(scope)
        exchange = Exchange(self._book, attribution, send)
        try:
            await self._app(below, receive, exchange.send)
        finally:
            exchange.close()

    def _is_metered(self, scope: Scope) -> bool:
        path = scope["path"]
        root_path = scope.get("root_path", "")
        if self._exact is not None and not root_path:
            fits = path in self._exact
        else:
            fits = self._paths.fits(path, root_path)
        # Marked by a middleware further out, it is counted there.
        return fits and scope["method"] == "POST" and _MARK not in scope

    async def _attributed(self, scope: Scope) -> tuple[Attribution, Scope]:
        """Whose a request is, and the scope that the app below gets."""
        headers, known = scope["headers"], self._headers.known
        given = await ask(self._customer, scope) if self._customer is not None else None
        if given is None:
            for name, _ in headers:
                if name in known or name.lower() in known:
                    break
            else:
                return NOBODY, {**scope, _MARK: True}
        attribution, kept = self._headers.read(headers, given)
        return attribution, {**scope, _MARK: True, "headers": kept}
