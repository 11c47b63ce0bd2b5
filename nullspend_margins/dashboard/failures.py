"""What a person sees when there is no page: signed out, not on the plan, not allowed, broken."""

from __future__ import annotations

import logging
from dataclasses import replace
from urllib.parse import quote

from nullspend_margins.config import Config
from nullspend_margins.config.dashboard import NEXT_PLACE
from nullspend_margins.dashboard.call import Page
from nullspend_margins.dashboard.links import Links
from nullspend_margins.domain.text import one_line
from nullspend_margins.errors import (
    AuthenticationRequired,
    Forbidden,
    MarginsError,
    RateLimitExceeded,
)
from nullspend_margins.web.call import Incoming
from nullspend_margins.web.failures import STATUS_OF_CODE

_log = logging.getLogger("nullspend_margins.dashboard")


def failure_page(
    error: Exception, asked: str, config: Config, request: Incoming, links: Links
) -> Page:
    """The page that says what happened and what to do. The error is logged here."""
    if not isinstance(error, MarginsError):
        _log.error("%s failed", asked, exc_info=error)
        return _failed(500, "", request)
    status = STATUS_OF_CODE.get(error.code, 500)
    level = logging.WARNING if status >= 500 else logging.INFO
    _log.log(level, "%s: %d %s: %s", asked, status, error.code, one_line(error.message))
    if isinstance(error, AuthenticationRequired):
        login = _login_url(config, request, links)
        return Page(template="signed_out.html", context={"login_url": login}, status=status)
    if isinstance(error, Forbidden) and "requiredPlan" in (error.details or {}):
        return Page(template="plan.html", context={"details": error.details}, status=status)
    page = _failed(status, error.message, request)
    if isinstance(error, RateLimitExceeded):
        return replace(page, headers={"Retry-After": str(error.retry_after_seconds)})
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


def _login_url(config: Config, request: Incoming, links: Links) -> str:
    """The host's sign-in, which leads back to the page that was wanted."""
    is_read = request.scope["method"] in ("GET", "HEAD")
    wanted = links.here(request.scope) if is_read else links.page()
    return config.dashboard.login_url.replace(NEXT_PLACE, quote(wanted, safe=""))
