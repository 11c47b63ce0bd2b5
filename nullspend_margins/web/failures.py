"""Errors as answers: the one place that knows which status a code has, and what is logged."""

from __future__ import annotations

import logging
from typing import NamedTuple

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


class Failure(NamedTuple):
    """An error that whoever asked may read, and the status it has."""

    status: int
    error: MarginsError


def failure_answer(
    error: Exception, *, asked: str, provider: str | None = None, bearer: bool = False
) -> Response:
    """The answer to ``error``, which is logged here.

    ``asked`` names method and route in the log, ``provider`` the route's revenue provider, and
    ``bearer`` whether the request carried a bearer token.
    """
    code = _code(error, provider)
    failure = log_failure(_log, asked, error, code)
    if failure is None:
        return _envelope(500, ErrorBody(InternalError.code, _INTERNAL, None))
    body = ErrorBody(code, failure.error.message, failure.error.details)
    return _envelope(failure.status, body, _headers(failure.error, bearer))


def log_failure(
    log: logging.Logger, asked: str, error: Exception, code: str | None = None
) -> Failure | None:
    """Log ``error``, under ``code`` if not its own, and say what may be told of it.

    ``None``: nothing but that it failed, with status 500. What it was is in the log alone.
    """
    if isinstance(error, MarginsError):
        status = STATUS_OF_CODE.get(code or error.code, 500)
        if status != STATUS_OF_CODE[InternalError.code]:
            level = logging.WARNING if status >= 500 else logging.INFO
            message = one_line(error.message)
            log.log(level, "%s: %d %s: %s", asked, status, code or error.code, message)
            return Failure(status, error)
    log.error("%s failed", asked, exc_info=error)
    return None


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
