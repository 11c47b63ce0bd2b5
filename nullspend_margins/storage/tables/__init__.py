"""The schema, as code reads it. ``migrations`` is how a database gets there."""

from __future__ import annotations

from nullspend_margins.storage.tables.costs import (
    cost_cursors,
    cost_deliveries,
    cost_events,
    cost_facts,
    cost_model_days,
    cost_months,
    pruned_costs,
)
from nullspend_margins.storage.tables.orgs import (
    connections,
    ingest_keys,
    leases,
    mappings,
    rejected_pairs,
    revisions,
    syncs,
)
from nullspend_margins.storage.tables.outbox import alert_deliveries, alerts
from nullspend_margins.storage.tables.revenue import (
    customer_months,
    revenue_customers,
    revenue_facts,
    revenue_staging,
)

__all__ = [
    "alert_deliveries",
    "alerts",
    "connections",
    "cost_cursors",
    "cost_deliveries",
    "cost_events",
    "cost_facts",
    "cost_model_days",
    "cost_months",
    "customer_months",
    "ingest_keys",
    "leases",
    "mappings",
    "pruned_costs",
    "rejected_pairs",
    "revenue_customers",
    "revenue_facts",
    "revenue_staging",
    "revisions",
    "syncs",
]
