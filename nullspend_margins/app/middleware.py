"""The middleware form: one line around a host's app, its own routes served, all else passed on."""

from __future__ import annotations

import logging
import os

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nullspend_margins.app.margins import Margins
from nullspend_margins.app.metering import MeteringMiddleware
from nullspend_margins.errors import ConfigurationError, MarginsError, ServiceUnavailable
from nullspend_margins.metering import AskCustomer

_log = logging.getLogger("nullspend_margins")

CONFIG_VARIABLE = "NULLSPEND_MARGINS_CONFIG"
_LAST_MESSAGES = (
    "lifespan.startup.failed",
    "lifespan.shutdown.complete",
    "lifespan.shutdown.failed",
)


class MarginsMiddleware:
    """Serves exactly its own registered paths; everything else goes to ``app`` untouched.

    Without ``margins`` the configuration file named by ``NULLSPEND_MARGINS_CONFIG`` is read, for
    servers that add a middleware by its class; what is wrong with it fails their start. With
    ``[metering] org`` it also meters ``app``, as ``MeteringMiddleware`` does; ``customer`` is for
    that.
    """

    margins: Margins

    def __init__(
        self,
        app: ASGIApp,
        margins: Margins | None = None,
        *,
        customer: AskCustomer | None = None,
    ) -> None:
        self._app = app
        self._problem: ConfigurationError | None = None
        try:
            self._wrap(margins or _from_environment(), customer)
        except ConfigurationError as problem:
            if margins is not None:
                raise
            # Made by a server as it starts, which takes an exception here for a host without a
            # lifespan, and serves: the start itself has to fail.
            self._problem = problem

    def _wrap(self, margins: Margins, customer: AskCustomer | None) -> None:
        self.margins = margins
        if customer is not None or margins.config.metering.org:
            self._app = MeteringMiddleware(self._app, margins, customer=customer)
        self._is_ours = margins.web.matches

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if self._problem is not None:
            await _refuse(self._problem, scope, receive, send)
        elif scope["type"] == "http" and self._is_ours(scope):
            await self.margins.web(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._with_lifespan(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _start(self) -> None:
        """Raises ``MarginsError``. A metered host starts without the database: its calls wait."""
        try:
            await self.margins.start()
        except ServiceUnavailable as problem:
            if not self.margins.config.metering.org:
                raise
            _log.error("started without the database; costs wait in the journal: %s", problem)
            self.margins.recorder.start()

    async def _with_lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start before the host's start-up, close after its shutdown."""
        startup = await receive()
        try:
            await self._start()
        except MarginsError as problem:
            await send({"type": "lifespan.startup.failed", "message": problem.message})
            return
        waiting = [startup]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        async def closing(message: Message) -> None:
            if message["type"] in _LAST_MESSAGES:
                await self.margins.close()  # before: a server may end at this message
            await send(message)

        try:
            await self._app(scope, replay, closing)
        finally:
            await self.margins.close()  # of a host that knows no lifespan


async def _refuse(problem: ConfigurationError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "lifespan":
        raise problem
    await receive()
    await send({"type": "lifespan.startup.failed", "message": problem.message})


def _from_environment() -> Margins:
    path = os.environ.get(CONFIG_VARIABLE)
    if not path:
        raise ConfigurationError(
            f"MarginsMiddleware was given no Margins and {CONFIG_VARIABLE} is not set: "
            "pass one, or set it to the path of the TOML file."
        )
    return Margins.from_toml(path)
