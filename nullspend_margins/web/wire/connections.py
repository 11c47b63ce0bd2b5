"""Connections to revenue providers, and their syncs, on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from nullspend_margins.web.wire.base import (
    SkippedCurrencies,
    Tally,
    Timestamp,
    Uuid,
    Wire,
    optional_timestamp,
    timestamp,
)
from nullspend_margins.web.wire.bases import Permissions, permissions_of

if TYPE_CHECKING:
    from nullspend_margins.services import sync, sync_report
    from nullspend_margins.storage.connections import StoredConnection

ConnectionStatus = Annotated[
    Literal["active", "error", "revoked"],
    Meta(
        title="ConnectionStatus",
        description="`error`: the stored key cannot be read. `revoked`: the provider refused it.",
    ),
]
KeyPrefix = Annotated[
    str,
    Meta(
        description="What people see in the credential's place, as its provider makes it: of a"
        " Stripe key the first 12 characters, `...` and the last 4.",
        examples=["rk_live_abcd...wxyz"],
    ),
]
ProviderName = Annotated[
    str,
    Meta(
        examples=["stripe"],
        min_length=1,
        max_length=64,
        extra_json_schema={"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$"},
    ),
]
ConnectionId = Annotated[Uuid, Meta(description="The connection's id.")]
Connected = Annotated[Timestamp, Meta(description="When it was connected (ISO 8601, UTC).")]
AskedPermissions = Annotated[
    Permissions | UnsetType | None,
    Meta(
        description="With `include=permissions`, else absent. Null: not known yet, or the provider"
        " did not tell."
    ),
]
Credential = Annotated[
    dict[str, Any],
    Meta(
        title="Credential",
        description='What the provider asks for; for `stripe`: `{"stripeKey": "rk_live_..."}`.',
    ),
]


class StripeKey(Wire, frozen=True):
    """A restricted key that may read customers and invoices. Unknown fields are ignored."""

    # Described here and judged by the provider, which says what is wrong with a key.
    stripe_key: Annotated[
        str,
        Meta(
            description="`rk_live_...` or `rk_test_...`; outside production `sk_test_...` too."
            " Spaces around it do not count. Never echoed.",
            examples=["rk_live_abcdefghijklmnopqrstuvwxyz"],
            extra_json_schema={
                "pattern": r"^\s*(rk_live|rk_test|sk_test)_(?!.*\.\.\.)[!-)+-~]{1,490}\s*$"
            },
        ),
    ]


class NewConnection(Wire, frozen=True, kw_only=True):
    """A connection just made."""

    id: ConnectionId
    key_prefix: KeyPrefix
    status: ConnectionStatus
    created_at: Connected
    permissions: AskedPermissions = UNSET


class NewConnectionAnswer(Wire, frozen=True):
    """The answer with a connection just made."""

    data: NewConnection


class Connection(Wire, frozen=True, kw_only=True):
    """A connection and how its last sync went."""

    id: ConnectionId
    key_prefix: KeyPrefix
    status: ConnectionStatus
    last_sync_at: Annotated[
        Timestamp | None,
        Meta(description="When the last good sync was (ISO 8601, UTC); null: never."),
    ]
    last_error: Annotated[
        str | None, Meta(description="Why the last sync failed; null when it did not.")
    ]
    created_at: Connected
    permissions: AskedPermissions = UNSET


class ConnectionAnswer(Wire, frozen=True):
    """The answer with a connection."""

    data: Connection


class ConnectionStatusAnswer(Wire, frozen=True):
    """The answer with a connection, if there is one."""

    data: Annotated[Connection | None, Meta(description="Null when nothing is connected.")]


class SyncReport(Wire, frozen=True, kw_only=True):
    """What a sync of one org did. It reads the current month and the three before it."""

    org_id: Annotated[str, Meta(description="The org that was synced.")]
    customers_processed: Annotated[
        Tally, Meta(description="Distinct customers with counted revenue.")
    ]
    periods_updated: Annotated[Tally, Meta(description="Customer-months with revenue.")]
    auto_matches_created: Annotated[
        Tally, Meta(description="Mappings that were made by themselves.")
    ]
    invoices_fetched: Annotated[
        Tally, Meta(description="Paid invoices, those that were skipped included.")
    ]
    invoices_skipped: Annotated[
        Tally,
        Meta(
            description="Invoices in other currencies than USD, without a customer, or of more"
            " than 9.2 trillion dollars."
        ),
    ]
    skipped_currencies: SkippedCurrencies
    duration_ms: Annotated[Tally, Meta(description="How long it took, milliseconds.")]


class SyncAnswer(Wire, frozen=True):
    """The answer to a manual sync."""

    data: SyncReport


class CronReport(Wire, frozen=True):
    """What a call of the cron job did. No org ids."""

    synced: Annotated[Tally, Meta(description="Connections that were synced.")]
    errors: Annotated[Tally, Meta(description="Connections whose sync failed; the log says why.")]


class CronAnswer(Wire, frozen=True):
    """The answer to the cron job."""

    data: CronReport


def new_connection_of(stored: StoredConnection, *, permissions: bool = False) -> NewConnection:
    """The wire form of a connection just made; with what its credential may read if asked."""
    return NewConnection(
        id=stored.id,
        key_prefix=stored.key_prefix,
        status=stored.status,
        created_at=timestamp(stored.created_at),
        permissions=permissions_of(stored.gaps) if permissions else UNSET,
    )


def connection_of(stored: StoredConnection, *, permissions: bool = False) -> Connection:
    """The wire form of a connection; with what its credential may read if asked."""
    return Connection(
        id=stored.id,
        key_prefix=stored.key_prefix,
        status=stored.status,
        last_sync_at=optional_timestamp(stored.last_sync_at),
        last_error=stored.last_error,
        created_at=timestamp(stored.created_at),
        permissions=permissions_of(stored.gaps) if permissions else UNSET,
    )


def sync_report_of(report: sync_report.SyncReport) -> SyncReport:
    """The wire form of a sync's report."""
    return SyncReport(
        org_id=report.org_id,
        customers_processed=report.customers_processed,
        periods_updated=report.periods_updated,
        auto_matches_created=report.auto_matches_created,
        invoices_fetched=report.invoices_fetched,
        invoices_skipped=report.invoices_skipped,
        skipped_currencies=dict(report.skipped_currencies),
        duration_ms=report.duration_ms,
    )


def cron_report_of(report: sync.CronReport) -> CronReport:
    """The wire form of a cron call's report."""
    return CronReport(report.synced, report.errors)
