"""The first schema."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# One text for both databases. What differs is in braces, or a check that SQLite alone needs:
# it turns an integer that overflows into a REAL, which must be an error. Those come before other
# constraints, so that leaving them out leaves no comma behind.
TYPES = {
    "sqlite": {"key": "TEXT", "instant": "VARCHAR(32)", "clustered": " WITHOUT ROWID"},
    "postgresql": {"key": 'TEXT COLLATE "C"', "instant": "TIMESTAMPTZ", "clustered": ""},
}


def upgrade() -> None:
    """Create every table."""
    dialect = op.get_bind().dialect.name
    for statement in SCHEMA.format(**TYPES[dialect]).split(";"):
        lines = statement.strip().splitlines()
        if dialect != "sqlite":
            lines = [line for line in lines if "typeof(" not in line]
        op.execute("\n".join(lines))


SCHEMA = """
CREATE TABLE margins_cost_events (
    org_id {key} NOT NULL,
    source {key} NOT NULL,
    event_id {key} NOT NULL,
    id {key} NOT NULL,
    occurred_at {instant} NOT NULL,
    created_at {instant} NOT NULL,
    provider {key} NOT NULL,
    model {key} NOT NULL,
    cost_nanodollars BIGINT NOT NULL,
    tag_value {key} NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cached_input_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    duration_ms BIGINT,
    session_id TEXT,
    trace_id TEXT,
    event_type TEXT,
    tool_name TEXT,
    tool_server TEXT,
    reported_source TEXT,
    tags JSON,
    cost_breakdown JSON,
    CHECK (typeof(cost_nanodollars) = 'integer'),
    CONSTRAINT pk_margins_cost_events PRIMARY KEY (org_id, source, event_id)
);

CREATE INDEX ix_margins_cost_events_org_id_occurred_at
    ON margins_cost_events (org_id, occurred_at);

CREATE TABLE margins_cost_facts (
    org_id {key} NOT NULL,
    source {key} NOT NULL,
    fact_key {key} NOT NULL,
    provider {key} NOT NULL,
    model {key} NOT NULL,
    tag_value {key} NOT NULL,
    day INTEGER NOT NULL,
    cost_nanodollars BIGINT NOT NULL,
    request_count BIGINT NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (typeof(cost_nanodollars) = 'integer'),
    CONSTRAINT pk_margins_cost_facts PRIMARY KEY (org_id, source, fact_key)
);

CREATE TABLE margins_cost_months (
    org_id {key} NOT NULL,
    month INTEGER NOT NULL,
    tag_value {key} NOT NULL,
    cost_nanodollars BIGINT NOT NULL,
    request_count BIGINT NOT NULL,
    CHECK (typeof(cost_nanodollars) = 'integer'),
    CHECK (typeof(request_count) = 'integer'),
    CONSTRAINT pk_margins_cost_months PRIMARY KEY (org_id, month, tag_value)
){clustered};

CREATE TABLE margins_cost_model_days (
    org_id {key} NOT NULL,
    day INTEGER NOT NULL,
    tag_value {key} NOT NULL,
    source {key} NOT NULL,
    provider {key} NOT NULL,
    model {key} NOT NULL,
    cost_nanodollars BIGINT NOT NULL,
    request_count BIGINT NOT NULL,
    CHECK (typeof(cost_nanodollars) = 'integer'),
    CHECK (typeof(request_count) = 'integer'),
    CONSTRAINT pk_margins_cost_model_days
        PRIMARY KEY (org_id, day, tag_value, source, provider, model)
){clustered};

CREATE TABLE margins_cost_cursors (
    source {key} NOT NULL,
    cursor TEXT NOT NULL,
    updated_at {instant} NOT NULL,
    CONSTRAINT pk_margins_cost_cursors PRIMARY KEY (source)
);

CREATE TABLE margins_revenue_facts (
    org_id {key} NOT NULL,
    provider {key} NOT NULL,
    object_id {key} NOT NULL,
    kind {key} NOT NULL,
    customer_id {key},
    month INTEGER NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency {key} NOT NULL,
    amount_microdollars BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    occurred_at {instant} NOT NULL,
    customer_name TEXT,
    customer_email TEXT,
    avatar_url TEXT,
    suggested_tag TEXT,
    CHECK (typeof(amount_minor) = 'integer'),
    CHECK (typeof(amount_microdollars) = 'integer'),
    CONSTRAINT pk_margins_revenue_facts PRIMARY KEY (org_id, provider, object_id)
);

CREATE INDEX ix_margins_revenue_facts_org_id_provider_customer_id_month
    ON margins_revenue_facts (org_id, provider, customer_id, month);

CREATE INDEX ix_margins_revenue_facts_org_id_provider_month
    ON margins_revenue_facts (org_id, provider, month);

CREATE TABLE margins_revenue_staging (
    org_id {key} NOT NULL,
    provider {key} NOT NULL,
    sync_id {key} NOT NULL,
    object_id {key} NOT NULL,
    kind {key} NOT NULL,
    customer_id {key},
    month INTEGER NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency {key} NOT NULL,
    amount_microdollars BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    occurred_at {instant} NOT NULL,
    customer_name TEXT,
    customer_email TEXT,
    avatar_url TEXT,
    suggested_tag TEXT,
    CHECK (typeof(amount_minor) = 'integer'),
    CHECK (typeof(amount_microdollars) = 'integer'),
    CONSTRAINT pk_margins_revenue_staging PRIMARY KEY (org_id, provider, sync_id, object_id)
);

CREATE TABLE margins_customer_months (
    org_id {key} NOT NULL,
    basis {key} NOT NULL,
    month INTEGER NOT NULL,
    provider {key} NOT NULL,
    customer_id {key} NOT NULL,
    revenue_microdollars BIGINT NOT NULL,
    invoice_count BIGINT NOT NULL,
    last_invoice_at {instant} NOT NULL,
    customer_name TEXT,
    avatar_url TEXT,
    CHECK (typeof(revenue_microdollars) = 'integer'),
    CONSTRAINT pk_margins_customer_months
        PRIMARY KEY (org_id, basis, month, provider, customer_id)
){clustered};

CREATE TABLE margins_revenue_customers (
    org_id {key} NOT NULL,
    provider {key} NOT NULL,
    customer_id {key} NOT NULL,
    name TEXT,
    email TEXT,
    avatar_url TEXT,
    total_microdollars BIGINT NOT NULL,
    invoice_count BIGINT NOT NULL,
    last_invoice_at {instant} NOT NULL,
    CHECK (typeof(total_microdollars) = 'integer'),
    CONSTRAINT pk_margins_revenue_customers PRIMARY KEY (org_id, provider, customer_id)
){clustered};

CREATE TABLE margins_connections (
    id {key} NOT NULL,
    org_id {key} NOT NULL,
    provider {key} NOT NULL,
    key_prefix TEXT NOT NULL,
    ciphertext TEXT NOT NULL,
    status {key} NOT NULL,
    last_sync_at {instant},
    last_attempt_at {instant},
    last_error TEXT,
    skipped_currencies JSON,
    created_at {instant} NOT NULL,
    CONSTRAINT uq_margins_connections_org_id_provider UNIQUE (org_id, provider),
    CONSTRAINT pk_margins_connections PRIMARY KEY (id)
);

CREATE TABLE margins_mappings (
    id {key} NOT NULL,
    org_id {key} NOT NULL,
    provider {key} NOT NULL,
    customer_id {key} NOT NULL,
    tag_key {key} NOT NULL,
    tag_value {key} NOT NULL,
    match_type {key} NOT NULL,
    confidence FLOAT,
    created_at {instant} NOT NULL,
    CONSTRAINT uq_margins_mappings_org_id_tag_key_provider_customer_id
        UNIQUE (org_id, tag_key, provider, customer_id),
    CONSTRAINT uq_margins_mappings_org_id_tag_key_tag_value_provider
        UNIQUE (org_id, tag_key, tag_value, provider),
    CONSTRAINT pk_margins_mappings PRIMARY KEY (id)
);

CREATE TABLE margins_rejected_pairs (
    org_id {key} NOT NULL,
    provider {key} NOT NULL,
    tag_key {key} NOT NULL,
    customer_id {key} NOT NULL,
    tag_value {key} NOT NULL,
    CONSTRAINT pk_margins_rejected_pairs
        PRIMARY KEY (org_id, provider, tag_key, customer_id, tag_value)
){clustered};

CREATE TABLE margins_revisions (
    org_id {key} NOT NULL,
    revision BIGINT NOT NULL,
    CONSTRAINT pk_margins_revisions PRIMARY KEY (org_id)
){clustered};

CREATE TABLE margins_leases (
    org_id {key} NOT NULL,
    name {key} NOT NULL,
    holder {key} NOT NULL,
    fence BIGINT NOT NULL,
    expires_at {instant} NOT NULL,
    CONSTRAINT pk_margins_leases PRIMARY KEY (org_id, name)
);

CREATE TABLE margins_ingest_keys (
    id {key} NOT NULL,
    org_id {key} NOT NULL,
    prefix {key} NOT NULL,
    key_hash {key} NOT NULL,
    created_at {instant} NOT NULL,
    revoked_at {instant},
    CONSTRAINT uq_margins_ingest_keys_key_hash UNIQUE (key_hash),
    CONSTRAINT pk_margins_ingest_keys PRIMARY KEY (id)
);

CREATE INDEX ix_margins_ingest_keys_org_id_created_at
    ON margins_ingest_keys (org_id, created_at);

CREATE TABLE margins_alerts (
    alert_id {key} NOT NULL,
    org_id {key} NOT NULL,
    provider {key} NOT NULL,
    customer_id {key} NOT NULL,
    month INTEGER NOT NULL,
    tier {key} NOT NULL,
    type {key} NOT NULL,
    payload JSON NOT NULL,
    created_at {instant} NOT NULL,
    CONSTRAINT uq_margins_alerts_org_id_provider_customer_id_month_tier
        UNIQUE (org_id, provider, customer_id, month, tier),
    CONSTRAINT pk_margins_alerts PRIMARY KEY (alert_id)
);

CREATE TABLE margins_alert_deliveries (
    alert_id {key} NOT NULL,
    notifier {key} NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at {instant} NOT NULL,
    last_attempt_at {instant},
    delivered_at {instant},
    last_error TEXT,
    CONSTRAINT fk_margins_alert_deliveries_margins_alerts
        FOREIGN KEY(alert_id) REFERENCES margins_alerts (alert_id) ON DELETE CASCADE,
    CONSTRAINT pk_margins_alert_deliveries PRIMARY KEY (alert_id, notifier)
);

CREATE INDEX ix_margins_alert_deliveries_due
    ON margins_alert_deliveries (notifier, next_attempt_at) WHERE delivered_at IS NULL
"""
