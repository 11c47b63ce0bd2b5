"""Every error the product raises on purpose, one tree, each with a stable code.

::

    MarginsError
    ├── ConfigurationError            a mistake in TOML or in the environment (start-up)
    │   └── PluginError               a plugin that cannot be used (start-up)
    ├── ValidationFailed              validation_error
    │   └── InvalidJson               invalid_json
    ├── CredentialRefused             stripe_validation_failed (other providers: validation_error)
    ├── AuthenticationRequired        authentication_required
    ├── Forbidden                     forbidden
    ├── NotFound                      not_found
    ├── MethodNotAllowed              method_not_allowed
    ├── Conflict                      conflict
    │   ├── SyncInProgress            sync_in_progress
    │   ├── ConnectionRevoked         connection_revoked
    │   └── PermissionMissing         permission_missing
    ├── PayloadTooLarge               payload_too_large
    ├── UnsupportedMediaType          unsupported_media_type
    ├── RateLimitExceeded             rate_limit_exceeded
    ├── ProviderUnavailable           provider_unavailable
    ├── ServiceUnavailable            service_unavailable
    │   └── OutboundRefused           service_unavailable
    └── InternalError                 internal_error

The HTTP status of each code is decided in ``web``; nothing here knows of HTTP. A message is
written for the person who reads it and never contains a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar


class MarginsError(Exception):
    """Base of every expected failure.

    ``code`` is stable and part of the wire contract, ``message`` is for people, ``details`` is
    a JSON object with facts a program can act on, or ``None``.
    """

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, object] | None = None if details is None else dict(details)


class ConfigurationError(MarginsError):
    """A mistake in the configuration. The message names the file and the key."""

    code = "configuration_error"


class PluginError(ConfigurationError):
    """A plugin that cannot be used. The message names plugin, hook and distribution."""

    code = "plugin_error"


class ValidationFailed(MarginsError):
    """The request's content is wrong. ``details.issues`` is a list of ``{path, message}``."""

    code = "validation_error"

    @classmethod
    def of(cls, *issues: tuple[str, str]) -> ValidationFailed:
        """Build the error from ``(path, message)`` pairs; the first one is the message."""
        listed = [{"path": path, "message": message} for path, message in issues]
        path, message = issues[0]
        return cls(f"{path}: {message}" if path else message, details={"issues": listed})

    @property
    def issues(self) -> Sequence[Mapping[str, str]]:
        """The problems found, as ``{path, message}``; empty when the error names none."""
        found = (self.details or {}).get("issues", ())
        return found if isinstance(found, list) else ()


class InvalidJson(ValidationFailed):
    """The body is not JSON."""

    code = "invalid_json"


class CredentialRefused(MarginsError):
    """The provider was asked and does not accept the credential."""

    code = "stripe_validation_failed"


class AuthenticationRequired(MarginsError):
    """No session, or one that an authenticator recognised as its own and refused."""

    code = "authentication_required"

    def __init__(
        self,
        message: str = "Sign in first: this request carries no valid session.",
        *,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, details=details)


class Forbidden(MarginsError):
    """Signed in, but plan, role or origin do not allow this."""

    code = "forbidden"


class NotFound(MarginsError):
    """There is no such thing in this org."""

    code = "not_found"


class MethodNotAllowed(MarginsError):
    """The path exists, the method does not. ``allowed`` lists those that do."""

    code = "method_not_allowed"

    def __init__(self, method: str, allowed: Sequence[str]) -> None:
        self.allowed: tuple[str, ...] = tuple(sorted(allowed))
        super().__init__(f"{method} is not allowed here; use {' or '.join(self.allowed)}.")


class Conflict(MarginsError):
    """The request contradicts what is stored."""

    code = "conflict"


class SyncInProgress(Conflict):
    """A revenue sync of this connection is running, here or on another host."""

    code = "sync_in_progress"


class ConnectionRevoked(Conflict):
    """The stored credential is refused by the provider or cannot be read any more."""

    code = "connection_revoked"


class PermissionMissing(Conflict):
    """The credential is good but may not read something. ``permission`` names it if known."""

    code = "permission_missing"

    def __init__(self, message: str, *, permission: str | None = None) -> None:
        self.permission = permission
        super().__init__(message, details={"permission": permission} if permission else None)


class PayloadTooLarge(MarginsError):
    """The body is over the limit."""

    code = "payload_too_large"


class UnsupportedMediaType(MarginsError):
    """The body is not declared as JSON."""

    code = "unsupported_media_type"


class RateLimitExceeded(MarginsError):
    """Too many requests; ``retry_after_seconds`` says when to come back."""

    code = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message, details={"retryAfterSeconds": retry_after_seconds})


class ProviderUnavailable(MarginsError):
    """The provider did not give a usable answer in time. Says nothing about the credential.

    ``rate_limited``: it works, and asks to be asked less often.
    """

    code = "provider_unavailable"

    def __init__(
        self,
        message: str,
        *,
        details: Mapping[str, object] | None = None,
        rate_limited: bool = False,
    ) -> None:
        self.rate_limited: bool = rate_limited
        super().__init__(message, details=details)


class ServiceUnavailable(MarginsError):
    """Something this product needs (its database, a cost source) does not answer.

    ``retry_after_seconds`` is how long it asked to be left alone, if it did: a notifier's alerts
    wait that long.
    """

    code = "service_unavailable"

    def __init__(
        self,
        message: str,
        *,
        details: Mapping[str, object] | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message, details=details)


class OutboundRefused(ServiceUnavailable):
    """The rules for outbound requests forbid this URL, or an address that its name leads to.

    The message says which rule and what to do; it names the host, never the path or the query.
    """


class InternalError(MarginsError):
    """A defect. The message never has internals; the log does."""

    code = "internal_error"
