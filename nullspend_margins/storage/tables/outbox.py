"""Alerts, and their delivery to each notifier."""

from __future__ import annotations

from sqlalchemy import (
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    text,
)

from nullspend_margins.storage.columns import PREFIX, needed, optional, table
from nullspend_margins.storage.types import COUNT, DOCUMENT, KEY, TEXT, UtcDateTime

# An alert that speaks of no revenue provider has the provider '': NULL breaks unique keys.
alerts: Table = table(
    "alerts",
    needed("alert_id", KEY),
    needed("org_id", KEY),
    needed("type", KEY),
    needed("occasion", KEY),
    needed("provider", KEY),
    needed("subject", KEY),
    needed("about", TEXT),
    needed("payload", DOCUMENT),
    needed("created_at", UtcDateTime()),
    PrimaryKeyConstraint("alert_id"),
    UniqueConstraint("org_id", "type", "occasion", "provider", "subject"),
)

alert_deliveries: Table = table(
    "alert_deliveries",
    needed("alert_id", KEY),
    needed("notifier", KEY),
    needed("attempts", COUNT),
    needed("next_attempt_at", UtcDateTime()),
    optional("last_attempt_at", UtcDateTime()),
    optional("delivered_at", UtcDateTime()),
    optional("last_error", TEXT),
    optional("given_up_at", UtcDateTime()),
    PrimaryKeyConstraint("alert_id", "notifier"),
    ForeignKeyConstraint(["alert_id"], [PREFIX + "alerts.alert_id"], ondelete="CASCADE"),
    Index(
        "ix_margins_alert_deliveries_due",
        "notifier",
        "next_attempt_at",
        sqlite_where=text("delivered_at IS NULL AND given_up_at IS NULL"),
        postgresql_where=text("delivered_at IS NULL AND given_up_at IS NULL"),
    ),
)
