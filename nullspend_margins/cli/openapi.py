"""``openapi``: the description of the HTTP API."""

from __future__ import annotations

from nullspend_margins.cli.output import say


def openapi() -> None:
    """Print the OpenAPI 3.1 document, as an unmounted product serves it."""
    from nullspend_margins.config import SessionSettings
    from nullspend_margins.version import __version__
    from nullspend_margins.web.openapi import document
    from nullspend_margins.web.routes import ROUTES

    cookie = SessionSettings().cookie_name
    say(document(ROUTES, prefix="", mount="", cookie=cookie, version=__version__).decode())
