"""The one shape of every failure."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from nullspend_margins.web.wire.base import Wire


class ErrorBody(Wire, frozen=True):
    """What went wrong."""

    code: Annotated[str, Meta(description="Stable; for programs.")]
    message: Annotated[str, Meta(description="For people. Never holds a secret.")]
    details: Annotated[
        dict[str, Any] | None,
        Meta(
            description="Facts to act on, or null. `validation_error`: `issues`, a list of"
            " {path, message}. Plan: requiredPlan, currentPlan, upgradeUrl. Role: requiredRole,"
            " currentRole."
        ),
    ]


class ErrorEnvelope(Wire, frozen=True):
    """Every answer that is not a success."""

    error: ErrorBody
