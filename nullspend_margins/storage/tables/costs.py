"""Costs: events, facts, the sums kept with them, and how far sources were read."""

from __future__ import annotations

from sqlalchemy import Index, PrimaryKeyConstraint, Table

from nullspend_margins.storage.columns import exact, needed, optional, table
from nullspend_margins.storage.types import (
    COUNT,
    DAY,
    DOCUMENT,
    KEY,
    MONEY,
    MONTH,
    TEXT,
    UtcDateTime,
)

cost_events: Table = table(
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

cost_facts: Table = table(
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
cost_months: Table = table(
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


def _by_model_and_day(name: str) -> Table:
    return table(
        name,
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


cost_model_days: Table = _by_model_and_day("cost_model_days")

# What pruned events had cost: with the events and facts that are left, all of every rollup.
pruned_costs: Table = _by_model_and_day("pruned_costs")

cost_cursors: Table = table(
    "cost_cursors",
    needed("source", KEY),
    needed("cursor", TEXT),
    needed("updated_at", UtcDateTime()),
    PrimaryKeyConstraint("source"),
)

# What a source that is pulled answers for all orgs at once has the org ''.
cost_deliveries: Table = table(
    "cost_deliveries",
    needed("org_id", KEY),
    needed("source", KEY),
    optional("delivered_at", UtcDateTime()),
    optional("newest_at", UtcDateTime()),
    optional("newest_day", DAY),
    optional("last_error", TEXT),
    optional("silent_since", UtcDateTime()),
    PrimaryKeyConstraint("org_id", "source"),
    clustered=True,
)
