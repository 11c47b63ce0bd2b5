"""What an org set up and how far it is: connections, syncs, mappings, revisions, leases, keys."""

from __future__ import annotations

from sqlalchemy import Index, PrimaryKeyConstraint, Table, UniqueConstraint

from nullspend_margins.storage.columns import needed, optional, table
from nullspend_margins.storage.types import (
    COUNT,
    DOCUMENT,
    KEY,
    MONTH,
    RATIO,
    TEXT,
    UtcDateTime,
)

connections: Table = table(
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
    # What the provider told of itself: how far it is, and what its credential may not read.
    optional("cursor", TEXT),
    optional("gaps", DOCUMENT),
    # A backfill that is not done: the month it began with, and the one that is next.
    optional("backfill_first", MONTH),
    optional("backfill_next", MONTH),
    needed("created_at", UtcDateTime()),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("org_id", "provider"),
)

# Of each connection the newest sync. Apart from connections, whose rows may hold a whole file:
# this one is written every second while a sync runs.
syncs: Table = table(
    "syncs",
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("fence", COUNT),
    needed("started_at", UtcDateTime()),
    needed("updated_at", UtcDateTime()),
    needed("stage", KEY),
    needed("invoices_fetched", COUNT),
    optional("month", MONTH),
    optional("ended_at", UtcDateTime()),
    optional("report", DOCUMENT),
    optional("error", DOCUMENT),
    PrimaryKeyConstraint("org_id", "provider"),
    clustered=True,
)

mappings: Table = table(
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

rejected_pairs: Table = table(
    "rejected_pairs",
    needed("org_id", KEY),
    needed("provider", KEY),
    needed("tag_key", KEY),
    needed("customer_id", KEY),
    needed("tag_value", KEY),
    PrimaryKeyConstraint("org_id", "provider", "tag_key", "customer_id", "tag_value"),
    clustered=True,
)

revisions: Table = table(
    "revisions",
    needed("org_id", KEY),
    needed("revision", COUNT),
    PrimaryKeyConstraint("org_id"),
    clustered=True,
)

leases: Table = table(
    "leases",
    needed("org_id", KEY),
    needed("name", KEY),
    needed("holder", KEY),
    needed("fence", COUNT),
    needed("expires_at", UtcDateTime()),
    PrimaryKeyConstraint("org_id", "name"),
)

ingest_keys: Table = table(
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
