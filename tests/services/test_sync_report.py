"""Reports and errors of syncs come back as they were kept."""

from __future__ import annotations

import json

from nullspend_margins.errors import (
    ConnectionRevoked,
    MarginsError,
    PermissionMissing,
    ProviderUnavailable,
)
from nullspend_margins.services.sync_report import (
    SyncError,
    SyncReport,
    error_of,
    kept_error,
    kept_report,
    report_of,
)

REPORT = SyncReport(
    org_id="org_1",
    customers_processed=1,
    periods_updated=2,
    auto_matches_created=3,
    invoices_fetched=4,
    invoices_skipped=5,
    skipped_currencies={"eur": 5},
    duration_ms=6,
)


def told(error: MarginsError) -> SyncError | None:
    return error_of(json.loads(json.dumps(kept_error(error))))


def test_a_report_comes_back_as_it_was() -> None:
    assert report_of(json.loads(json.dumps(kept_report(REPORT)))) == REPORT
    assert report_of(None) is None


def test_a_report_of_another_release_is_read_where_it_tells_enough() -> None:
    more = {**kept_report(REPORT), "weather": "fine"}
    less = {name: value for name, value in more.items() if name != "duration_ms"}
    assert report_of(more) == REPORT
    assert report_of(less) is None


def test_errors_keep_what_a_page_tells_by() -> None:
    assert told(ConnectionRevoked("Replace\nit.")) == SyncError(
        code="connection_revoked", message="Replace it."
    )
    assert told(PermissionMissing("No.", permission="invoices")) == SyncError(
        code="permission_missing", message="No.", permission="invoices"
    )
    assert told(ProviderUnavailable("Later.", rate_limited=True)) == SyncError(
        code="provider_unavailable", message="Later.", rate_limited=True
    )
    assert error_of({"code": "conflict", "message": "No.", "weather": "fine"}) == SyncError(
        code="conflict", message="No."
    )
    assert error_of(None) is None
