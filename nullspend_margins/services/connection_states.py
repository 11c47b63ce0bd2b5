"""What people see of connections: each with its newest sync, whoever runs that and wherever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from nullspend_margins.domain.period import Period
from nullspend_margins.services.leasing import sync_lease
from nullspend_margins.services.sync_report import SyncError, SyncReport, error_of, report_of
from nullspend_margins.storage import connections, leases, syncs
from nullspend_margins.storage.connections import StoredConnection
from nullspend_margins.storage.database import Transaction
from nullspend_margins.storage.syncs import StoredSync

Phase = Literal["never", "running", "done", "failed", "stopped"]
"""``never``: nothing is known of a sync. ``stopped``: it broke off without a word, since its
process died."""

_BETWEEN_MONTHS = timedelta(seconds=10)
"""A backfill gives its lease back after each month, and takes it again at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """The newest sync of a connection. ``month``: of a backfill, the one it is at.

    Of one that runs, all but ``phase`` is ``None`` in its first instant. One that has ended has a
    ``report`` (of this release's form) or an ``error``.
    """

    phase: Phase
    started_at: datetime | None = None
    updated_at: datetime | None = None
    ended_at: datetime | None = None
    stage: str | None = None
    invoices_fetched: int | None = None
    month: Period | None = None
    report: SyncReport | None = None
    error: SyncError | None = None

    @property
    def is_running(self) -> bool:
        """Somebody is at it now."""
        return self.phase == "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionState:
    """A connection, and its newest sync."""

    connection: StoredConnection
    sync: SyncState


def connection_states(tx: Transaction, org_id: str, now: datetime) -> dict[str, ConnectionState]:
    """Every connection of the org by provider, also those whose plugin is gone."""
    kept = syncs.of_org(tx, org_id)
    held = leases.held(tx, org_id, now)
    return {
        each.provider: ConnectionState(
            connection=each, sync=_state(each, kept.get(each.provider), held, now)
        )
        for each in connections.list_for_org(tx, org_id)
    }


def _state(
    connection: StoredConnection, kept: StoredSync | None, held: Mapping[str, int], now: datetime
) -> SyncState:
    fence = held.get(sync_lease(connection.provider))
    if kept is None or (fence is not None and fence != kept.fence):
        return SyncState(phase="never" if fence is None else "running")
    return SyncState(
        phase=_phase(connection, kept, now, is_held=fence is not None),
        started_at=kept.started_at,
        updated_at=kept.updated_at,
        ended_at=kept.ended_at,
        stage=kept.stage,
        invoices_fetched=kept.invoices_fetched,
        month=None if kept.month is None else Period(kept.month),
        report=report_of(kept.report),
        error=error_of(kept.error),
    )


def _phase(
    connection: StoredConnection, kept: StoredSync, now: datetime, *, is_held: bool
) -> Phase:
    if kept.error is not None:
        return "failed"
    if kept.ended_at is None:
        return "running" if is_held else "stopped"
    goes_on = kept.month is not None and connection.backfill_next is not None
    return "running" if goes_on and now - kept.ended_at < _BETWEEN_MONTHS else "done"
