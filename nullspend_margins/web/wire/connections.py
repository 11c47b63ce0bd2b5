"""Connections to revenue providers, and their syncs, on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from nullspend_margins.services.sync import CronReport
from nullspend_margins.services.sync_run import SyncReport
from nullspend_margins.storage.connections import StoredConnection
from nullspend_margins.web.wire.base import (
    Timestamp,
    Uuid,
    Wire,
    optional_timestamp,
    timestamp,
)

ConnectionStatus = Literal["active", "error", "revoked"]
KeyPrefix = Annotated[str, Meta(description="What people see of it: `rk_live_abcd...wxyz`.")]


class StripeKey(Wire, frozen=True):
    """A restricted key. `sk_test_` is taken outside production only."""

    stripe_key: Annotated[str, Meta(description="`rk_live_...` or `rk_test_...`; never echoed.")]


class NewConnection(Wire, frozen=True, kw_only=True):
    """A connection just made."""

    id: Uuid
    key_prefix: KeyPrefix
    status: ConnectionStatus
    created_at: Timestamp


class Connection(Wire, frozen=True, kw_only=True):
    """A connection and how its last sync went."""

    id: Uuid
    key_prefix: KeyPrefix
    status: ConnectionStatus
    last_sync_at: Timestamp | None
    last_error: str | None
    created_at: Timestamp


class SyncAnswer(Wire, frozen=True, kw_only=True):
    """What a sync of one org did."""

    org_id: str
    customers_processed: int
    periods_updated: int
    auto_matches_created: int
    invoices_fetched: int
    invoices_skipped: int
    skipped_currencies: dict[str, int]
    duration_ms: int


class CronAnswer(Wire, frozen=True):
    """How many connections were synced, and how many failed. No org ids."""

    synced: int
    errors: int


def new_connection_of(stored: StoredConnection) -> NewConnection:
    """The wire form of a connection just made."""
    return NewConnection(
        id=stored.id,
        key_prefix=stored.key_prefix,
        status=stored.status,
        created_at=timestamp(stored.created_at),
    )


def connection_of(stored: StoredConnection) -> Connection:
    """The wire form of a connection."""
    return Connection(
        id=stored.id,
        key_prefix=stored.key_prefix,
        status=stored.status,
        last_sync_at=optional_timestamp(stored.last_sync_at),
        last_error=stored.last_error,
        created_at=timestamp(stored.created_at),
    )


def sync_answer_of(report: SyncReport) -> SyncAnswer:
    """The wire form of a sync's report."""
    return SyncAnswer(
        org_id=report.org_id,
        customers_processed=report.customers_processed,
        periods_updated=report.periods_updated,
        auto_matches_created=report.auto_matches_created,
        invoices_fetched=report.invoices_fetched,
        invoices_skipped=report.invoices_skipped,
        skipped_currencies=dict(report.skipped_currencies),
        duration_ms=report.duration_ms,
    )


def cron_answer_of(report: CronReport) -> CronAnswer:
    """The wire form of a cron call's report."""
    return CronAnswer(report.synced, report.errors)
