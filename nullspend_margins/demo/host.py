"""A small host application with a sign-in of its own, as the product is mounted in real ones."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from nullspend_margins.app import Margins, MarginsMiddleware

HOME = "/api/margins"
"""Where signing in leads."""
SIGN_IN = "/demo/sign-in"

_GREETING = f"""\
NullSpend Margins, demo. This page is the host's own; the product answers under /api.
Sign in with the link in the terminal, then see {HOME}, /api/margins/unmatched, /api/openapi.json.
"""


def demo_host(margins: Margins, *, token: str, sign: Callable[[], str]) -> ASGIApp:
    """The host around ``margins``. Whoever has ``token`` gets the session that ``sign`` makes."""

    async def sign_in(request: Request) -> Response:
        given = request.query_params.get("token", "")
        if not hmac.compare_digest(given.encode(), token.encode()):
            return PlainTextResponse("This link is not valid: use the one in the terminal.\n", 403)
        response = RedirectResponse(
            HOME, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
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
        return PlainTextResponse(_GREETING)

    host = Starlette(routes=[Route("/", greet), Route(SIGN_IN, sign_in)])
    return MarginsMiddleware(host, margins)
