"""Errors as answers: the one place that knows which status a code has, and what is logged."""

from __future__ import annotations

import logging

from starlette.responses import Response

from nullspend_margins.domain.text import one_line
from nullspend_margins.errors import (
    AuthenticationRequired,
    CredentialRefused,
    InternalError,
    MarginsError,
    MethodNotAllowed,
    RateLimitExceeded,
    ValidationFailed,
)
from nullspend_margins.web.answers import answer
from nullspend_margins.web.wire.base import encode
from nullspend_margins.web.wire.errors import ErrorBody, ErrorEnvelope

STATUS_OF_CODE = {
    "validation_error": 400,
    "invalid_json": 400,
    "stripe_validation_failed": 400,
    "authentication_required": 401,
    "forbidden": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "sync_in_progress": 409,
    "connection_revoked": 409,
    "permission_missing": 409,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "rate_limit_exceeded": 429,
    "internal_error": 500,
    "provider_unavailable": 502,
    "service_unavailable": 503,
}
_INTERNAL = "Something went wrong on this side. It has been logged."

_log = logging.getLogger("nullspend_margins.web")


def failure_answer(
    error: Exception, *, asked: str, provider: str | None = None, bearer: bool = False
) -> Response:
    """The answer to ``error``, which is logged here.

    ``asked`` names method and route in the log, ``provider`` the route's revenue provider, and
    ``bearer`` whether the request carried a bearer token.
    """
    code = _code(error, provider)
    status = STATUS_OF_CODE.get(code, 500)
    if not isinstance(error, MarginsError) or status == STATUS_OF_CODE[InternalError.code]:
        _log.error("%s failed", asked, exc_info=error)
        return _envelope(500, ErrorBody(InternalError.code, _INTERNAL, None))
    _log.log(
        logging.WARNING if status >= 500 else logging.INFO,
        "%s: %d %s: %s",
        asked,
        status,
        code,
        one_line(error.message),
    )
    return _envelope(status, ErrorBody(code, error.message, error.details), _headers(error, bearer))


def _code(error: Exception, provider: str | None) -> str:
    if not isinstance(error, MarginsError):
        return InternalError.code
    if isinstance(error, CredentialRefused) and provider not in (None, "stripe"):
        return ValidationFailed.code
    return error.code


def _headers(error: MarginsError, bearer: bool) -> dict[str, str]:
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, RateLimitExceeded):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, AuthenticationRequired) and bearer:
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return {}


def _envelope(status: int, body: ErrorBody, headers: dict[str, str] | None = None) -> Response:
    return answer(encode(ErrorEnvelope(body)), status=status, headers=headers)
