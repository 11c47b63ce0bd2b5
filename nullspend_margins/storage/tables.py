"""The schema, as code reads it. ``migrations`` is how a database gets there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)

from nullspend_margins.storage.columns import PREFIX, exact, needed, optional, table
from nullspend_margins.storage.types import (
    COUNT,
    DAY,
    DOCUMENT,
    KEY,
    MONEY,
    MONTH,
    RATIO,
    TEXT,
    UtcDateTime,
)

cost_events = table(
    "cost_events",
    needed("org_id", KEY),
    needed("source", KEY),
    needed("event_id", KEY),
    needed("id", KEY),
    needed("occurred_at", UtcDateTime()),
    needed("created_at", UtcDateTime()),
    needed("provider", KEY),
    needed("model", KEY),
    needed("cost_nanodollars", MONEY),
    needed("tag_value", KEY),
    needed("input_tokens", COUNT),
    needed("output_tokens", COUNT),
    needed("cached_input_tokens", COUNT),
    needed("reasoning_tokens", COUNT),
    optional("duration_ms", COUNT),
    optional("session_id", TEXT),
    optional("trace_id", TEXT),
    optional("event_type", TEXT),
    optional("tool_name", TEXT),
    optional("tool_server", TEXT),
    optional("reported_source", TEXT),
    optional("tags", DOCUMENT),
    optional("cost_breakdown", DOCUMENT),
    PrimaryKeyConstraint("org_id", "source", "event_id"),
    Index(None, "org_id", "occurred_at"),
    *exact("cost_nanodollars"),
)

cost_facts = table(
    "cost_facts",
    needed("org_id", KEY),
    needed("source", KEY),
    needed("fact_key", KEY),
    needed("provider", KEY),
    needed("model", KEY),
    needed("tag_value", KEY),
    needed("day", DAY),
    needed("cost_nanodollars", MONEY),
    needed("request_count", COUNT),
    needed("updated_at", UtcDateTime()),
    PrimaryKeyConstraint("org_id", "source", "fact_key"),
    *exact("cost_nanodollars"),
)

# Unattributed cost has the tag value '': NULL breaks unique keys.
cost_months = table(
    "cost_months",
    needed("org_id", KEY),
    needed("month", MONTH),
    needed("tag_value", KEY),
    needed("cost_nanodollars", MONEY),
    needed("request_count", COUNT),
    PrimaryKeyConstraint("org_id", "month", "tag_value"),
    *exact("cost_nanodollars", "request_count"),
    clustered=True,
)

cost_model_days = table(
    "cost_model_days",
    needed("org_id", KEY),
    needed("day", DAY),
    needed("tag_value", KEY),
    needed("source", KEY),
    needed("provider", KEY),
    needed("model", KEY),
    needed("cost_nanodollars", MONEY),
    needed("request_count", COUNT),
    PrimaryKeyConstraint("org_id", "day", "tag_value", "source", "provider", "model"),
    *exact("cost_nanodollars", "request_count"),
    clustered=True,
)

# What pruned events had cost: with the events and facts that are left, all of every rollup.
pruned_costs = table(
    "pruned_costs",
    needed("org_id", KEY),
    needed("day", DAY),
    needed("tag_value", KEY),
    needed("source", KEY),
    needed("provider", KEY),
    needed("model", KEY),
    needed("cost_nanodollars", MONEY),
    needed("request_count", COUNT),
    PrimaryKeyConstraint("org_id", "day", "tag_value", "source", "provider", "model"),
    *exact("cost_nanodollars", "request_count"),
    clustered=True,
)

cost_cursors = table(
    "cost_cursors",
    needed("source", KEY),
    needed("cursor", TEXT),
    needed("updated_at", UtcDateTime()),
    PrimaryKeyConstraint("source"),
)


def _revenue_columns() -> list[Column[Any]]:
    return [
        needed("kind", KEY),
        optional("customer_id", KEY),
        needed("month", MONTH),
        needed("amount_minor", MONEY),
        needed("currency", KEY),
        needed("amount_microdollars", MONEY),
        needed("counted", COUNT),
        needed("occurred_at", UtcDateTime()),
        optional("customer_name", TEXT),
        optional("customer_email", TEXT),
        optional("avatar_url", TEXT),
        optional("suggested_tag", TEXT),
    ]


revenue_facts = table(
    "revenue_facts",
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("object_id", KEY),
    *_revenue_columns(),
    PrimaryKeyConstraint("org_id", "provider", "object_id"),
    Index(None, "org_id", "provider", "month"),
    Index(None, "org_id", "provider", "customer_id", "month"),
    *exact("amount_minor", "amount_microdollars"),
)

revenue_staging = table(
    "revenue_staging",
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("sync_id", KEY),
    needed("object_id", KEY),
    *_revenue_columns(),
    PrimaryKeyConstraint("org_id", "provider", "sync_id", "object_id"),
    *exact("amount_minor", "amount_microdollars"),
)

customer_months = table(
    "customer_months",
    needed("org_id", KEY),
    needed("basis", KEY),
    needed("month", MONTH),
    needed("provider", KEY),
    needed("customer_id", KEY),
    needed("revenue_microdollars", MONEY),
    needed("invoice_count", COUNT),
    needed("last_invoice_at", UtcDateTime()),
    optional("customer_name", TEXT),
    optional("avatar_url", TEXT),
    PrimaryKeyConstraint("org_id", "basis", "month", "provider", "customer_id"),
    *exact("revenue_microdollars"),
    clustered=True,
)

revenue_customers = table(
    "revenue_customers",
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("customer_id", KEY),
    optional("name", TEXT),
    optional("email", TEXT),
    optional("avatar_url", TEXT),
    needed("total_microdollars", MONEY),
    needed("invoice_count", COUNT),
    needed("last_invoice_at", UtcDateTime()),
    PrimaryKeyConstraint("org_id", "provider", "customer_id"),
    *exact("total_microdollars"),
    clustered=True,
)

connections = table(
    "connections",
    needed("id", KEY),
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("key_prefix", TEXT),
    needed("ciphertext", TEXT),
    needed("status", KEY),
    optional("last_sync_at", UtcDateTime()),
    optional("last_attempt_at", UtcDateTime()),
    optional("last_error", TEXT),
    optional("skipped_currencies", DOCUMENT),
    needed("created_at", UtcDateTime()),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("org_id", "provider"),
)

mappings = table(
    "mappings",
    needed("id", KEY),
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("customer_id", KEY),
    needed("tag_key", KEY),
    needed("tag_value", KEY),
    needed("match_type", KEY),
    optional("confidence", RATIO),
    needed("created_at", UtcDateTime()),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("org_id", "tag_key", "provider", "customer_id"),
    UniqueConstraint("org_id", "tag_key", "tag_value", "provider"),
)

rejected_pairs = table(
    "rejected_pairs",
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("tag_key", KEY),
    needed("customer_id", KEY),
    needed("tag_value", KEY),
    PrimaryKeyConstraint("org_id", "provider", "tag_key", "customer_id", "tag_value"),
    clustered=True,
)

revisions = table(
    "revisions",
    needed("org_id", KEY),
    needed("revision", COUNT),
    PrimaryKeyConstraint("org_id"),
    clustered=True,
)

leases = table(
    "leases",
    needed("org_id", KEY),
    needed("name", KEY),
    needed("holder", KEY),
    needed("fence", COUNT),
    needed("expires_at", UtcDateTime()),
    PrimaryKeyConstraint("org_id", "name"),
)

ingest_keys = table(
    "ingest_keys",
    needed("id", KEY),
    needed("org_id", KEY),
    needed("prefix", KEY),
    needed("key_hash", KEY),
    needed("created_at", UtcDateTime()),
    optional("revoked_at", UtcDateTime()),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("key_hash"),
    Index(None, "org_id", "created_at"),
)

alerts = table(
    "alerts",
    needed("alert_id", KEY),
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("customer_id", KEY),
    needed("month", MONTH),
    needed("tier", KEY),
    needed("type", KEY),
    needed("payload", DOCUMENT),
    needed("created_at", UtcDateTime()),
    PrimaryKeyConstraint("alert_id"),
    UniqueConstraint("org_id", "provider", "customer_id", "month", "tier"),
)

alert_deliveries = table(
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
