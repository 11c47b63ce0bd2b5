"""A small host application with a sign-in of its own, as the product is mounted in real ones."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from nullspend_margins.app import Margins, MarginsMiddleware

SIGN_IN = "/demo/sign-in"

_GREETING = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>NullSpend Margins, demo</title>
<h1>NullSpend Margins, demo</h1>
<p>This page is the host's own. The product has its <a href="{home}">pages</a>
and its <a href="/api/margins">API</a> (<a href="/api/openapi.json">described</a>).</p>
<p>Sign in with the link in the terminal.</p>
</html>
"""


def demo_host(margins: Margins, *, token: str, sign: Callable[[], str]) -> ASGIApp:
    """The host around ``margins``. Whoever has ``token`` gets the session that ``sign`` makes.

    Signing in leads to the pages.
    """
    home = margins.config.server.prefix + margins.config.dashboard.path

    async def sign_in(request: Request) -> Response:
        given = request.query_params.get("token", "")
        if not hmac.compare_digest(given.encode(), token.encode()):
            return PlainTextResponse("This link is not valid: use the one in the terminal.\n", 403)
        response = RedirectResponse(
            home, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        )
        session = margins.config.session
        response.set_cookie(
            session.cookie_name,
            sign(),
            max_age=session.max_age_seconds,
            httponly=True,
            samesite="lax",
        )
        return response

    async def greet(_request: Request) -> Response:
        return HTMLResponse(_GREETING.format(home=home))

    host = Starlette(routes=[Route("/", greet), Route(SIGN_IN, sign_in)])
    return MarginsMiddleware(host, margins)
