"""What a person sees when there is no page: signed out, not on the plan, not allowed, broken."""

from __future__ import annotations

import logging
from dataclasses import replace
from urllib.parse import quote

from nullspend_margins.config import Config
from nullspend_margins.config.dashboard import NEXT_PLACE
from nullspend_margins.dashboard.call import Page
from nullspend_margins.dashboard.links import Links
from nullspend_margins.errors import (
    AuthenticationRequired,
    Forbidden,
    RateLimitExceeded,
)
from nullspend_margins.web.call import Incoming
from nullspend_margins.web.failures import log_failure

_log = logging.getLogger("nullspend_margins.dashboard")


def failure_page(
    error: Exception, asked: str, config: Config, request: Incoming, links: Links
) -> Page:
    """The page that says what happened and what to do. The error is logged here."""
    failure = log_failure(_log, asked, error)
    if failure is None:
        return _failed(500, "", request)
    status, told = failure
    if isinstance(told, AuthenticationRequired):
        context = {"login_url": _login_url(config, request, links), "reason": _reason(told)}
        return Page(template="signed_out.html", context=context, status=status)
    if isinstance(told, Forbidden) and "requiredPlan" in (told.details or {}):
        return Page(template="plan.html", context={"details": told.details}, status=status)
    page = _failed(status, told.message, request)
    if isinstance(told, RateLimitExceeded):
        return replace(page, headers={"Retry-After": str(told.retry_after_seconds)})
    return page


def _failed(status: int, message: str, request: Incoming) -> Page:
    is_read = request.scope["method"] in ("GET", "HEAD")
    context = {
        "status": status,
        "message": message,
        # The same address may answer next time; what was sent would have to be sent again.
        "may_retry": is_read and (status >= 500 or status == 429),
    }
    return Page(template="failed.html", context=context, status=status)


def _reason(told: AuthenticationRequired) -> str:
    """Why a session was refused: signing in again may not help. Empty where there was none."""
    return told.message if told.message != AuthenticationRequired().message else ""


def _login_url(config: Config, request: Incoming, links: Links) -> str:
    """The host's sign-in, which leads back to the page that was wanted."""
    is_read = request.scope["method"] in ("GET", "HEAD")
    wanted = links.here(request.scope) if is_read else links.page()
    return config.dashboard.login_url.replace(NEXT_PLACE, quote(wanted, safe=""))
