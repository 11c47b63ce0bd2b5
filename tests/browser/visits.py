"""Browser contexts that note everything that should not happen on a page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    Response,
    WebError,
)

from tests.browser.products import ORG, Product

_TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} refused ${event.blockedURI}`);
});
"""
_LOADING_FAILED = "Failed to load resource"
"""Chromium says so of every answer from 400 on; those of pages are the test's own to look at."""


@dataclass
class Watch:
    """What went wrong in a context. ``tolerated``: a pattern of what the test provokes."""

    origin: str
    tolerated: str | None = None
    problems: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Begin to watch."""
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("dialog", self._dialog)
        context.on("request", self._request)
        context.on("response", self._response)

    def _note(self, problem: str) -> None:
        if self.tolerated is None or not re.search(self.tolerated, problem):
            self.problems.append(problem)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_LOADING_FAILED):
            self._note(f"console {message.type}: {message.text}")

    def _error(self, error: WebError) -> None:
        self._note(f"uncaught: {error.error}")

    async def _dialog(self, dialog: Dialog) -> None:
        self._note(f"a dialog: {dialog.message}")
        await dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.origin + "/", "data:", "about:", "blob:")):
            self._note(f"a request to another origin: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self._note(f"{response.status} for {response.url}")


@dataclass(slots=True)
class Visits:
    """Opens pages for people; ``close`` tells what went wrong on any of them."""

    browser: Browser
    _open: list[tuple[BrowserContext, Watch]] = field(default_factory=list)

    async def __call__(
        self,
        product: Product,
        *,
        role: str | None = "admin",
        org: str = ORG,
        tolerated: str | None = None,
        javascript: bool = True,
        width: int = 1280,
        **options: object,
    ) -> Page:
        """A page of a new visitor, not yet anywhere. ``role=None``: signed out.

        Addresses may be given as ``product.url("/margins")`` or as ``/margins``. ``options`` are
        those of Playwright's ``new_context``.
        """
        context = await self.browser.new_context(
            base_url=product.origin,
            java_script_enabled=javascript,
            viewport={"width": width, "height": 800},
            **{"locale": "en-US", "reduced_motion": "reduce", **options},
        )
        context.set_default_timeout(15_000)
        if role is not None:
            name, value = product.session(role=role, org=org)
            await context.add_cookies([{"name": name, "value": value, "url": product.origin}])
        await context.add_init_script(_TELL_VIOLATIONS)
        watch = Watch(product.origin, tolerated)
        watch.over(context)
        self._open.append((context, watch))
        return await context.new_page()

    @property
    def problems(self) -> list[str]:
        """Everything that should not have happened, so far."""
        return [problem for _, watch in self._open for problem in watch.problems]

    async def close(self) -> list[str]:
        """Close all; ``problems`` as they are then."""
        for context, _ in self._open:
            await context.close()
        return self.problems
