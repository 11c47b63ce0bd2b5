"""What a sync's failure means: for the connection, and for the one who asked."""

from __future__ import annotations

from nullspend_margins.domain.connection import ConnectionStatus
from nullspend_margins.errors import (
    ConnectionRevoked,
    CredentialRefused,
    InternalError,
    MarginsError,
    ProviderUnavailable,
    ServiceUnavailable,
    ValidationFailed,
)
from nullspend_margins.services.vault import Unreadable


def revoked(title: str) -> ConnectionRevoked:
    """The provider that people call ``title`` refused the key before: it is not asked again."""
    return ConnectionRevoked(
        f"{title} refuses the stored key; replace it, or disconnect and connect again."
    )


def stopped() -> ServiceUnavailable:
    """Cut off from outside."""
    return ServiceUnavailable(
        "The sync was stopped before it was done: its time was up, or the server shut down."
    )


def verdict(problem: Exception) -> tuple[ConnectionStatus, MarginsError]:
    """The connection's status after ``problem``, and the error to tell."""
    if isinstance(problem, CredentialRefused):
        return "revoked", ConnectionRevoked(
            f"{problem.message} Replace the key, or disconnect and connect again."
        )
    if isinstance(problem, Unreadable):
        return "error", ConnectionRevoked(
            "The stored key cannot be read with the configured encryption keys; bring the old "
            "encryption key back, or replace the key of the connection."
        )
    if isinstance(problem, ValidationFailed):
        # Nobody here sent anything wrong: the provider did.
        return "active", ProviderUnavailable(
            f"The provider sent revenue that cannot be stored: {problem.message}."
        )
    if isinstance(problem, MarginsError):
        return "active", problem
    return "active", InternalError("The sync failed on this side; the log says how.")
