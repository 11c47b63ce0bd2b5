"""What a sync did, and how that is kept for whoever looks later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from nullspend_margins.domain.text import one_line
from nullspend_margins.errors import MarginsError, PermissionMissing, ProviderUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a sync did. ``duration_ms`` is wall-clock milliseconds."""

    org_id: str
    customers_processed: int
    periods_updated: int
    auto_matches_created: int
    invoices_fetched: int
    invoices_skipped: int
    skipped_currencies: Mapping[str, int]
    duration_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncError:
    """Why a sync failed: the error's ``code`` and message, as the one who asked was told.

    ``permission``: the provider's name of what its credential may not read, if that was it and it
    was named. ``rate_limited``: the provider asked to be left alone for a while.
    """

    code: str
    message: str
    permission: str | None = None
    rate_limited: bool = False


def kept_report(report: SyncReport) -> dict[str, Any]:
    """As JSON."""
    return {**asdict(report), "skipped_currencies": dict(report.skipped_currencies)}


def kept_error(error: MarginsError) -> dict[str, Any]:
    """As JSON."""
    missing = error.permission if isinstance(error, PermissionMissing) else None
    limited = isinstance(error, ProviderUnavailable) and error.rate_limited
    return asdict(
        SyncError(
            code=error.code,
            message=one_line(error.message),
            permission=missing,
            rate_limited=limited,
        )
    )


def report_of(kept: Mapping[str, Any] | None) -> SyncReport | None:
    """The report that was kept; ``None`` for none, and for one of a release that told less."""
    names = {field.name for field in fields(SyncReport)}
    if kept is None or not names <= kept.keys():
        return None
    return SyncReport(**{name: kept[name] for name in names})


def error_of(kept: Mapping[str, Any] | None) -> SyncError | None:
    """The error that was kept."""
    if kept is None:
        return None
    names = {field.name for field in fields(SyncError)}
    return SyncError(**{name: value for name, value in kept.items() if name in names})
