"""Alerts of any type; when cost sources last delivered; revenue that was skipped, by month."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# One text for both databases; what differs is in braces.
TYPES = {
    "sqlite": {
        "key": "TEXT",
        "instant": "VARCHAR(32)",
        "clustered": " WITHOUT ROWID",
        "about": "json_extract(payload, '$.data.object.customer.tagValue')",
        "period": "printf('%04d-%02d', month / 12, month % 12 + 1)",
    },
    "postgresql": {
        "key": 'TEXT COLLATE "C"',
        "instant": "TIMESTAMPTZ",
        "clustered": "",
        "about": "payload -> 'data' -> 'object' -> 'customer' ->> 'tagValue'",
        "period": "lpad((month / 12)::text, 4, '0') || '-' || lpad((month % 12 + 1)::text, 2, '0')",
    },
}


def upgrade() -> None:
    """Make alerts tell what they are about in one form, and begin to write deliveries down."""
    words = TYPES[op.get_bind().dialect.name]
    for statement in (ALERTS + DELIVERIES + SKIPPED).split(";"):
        op.execute(statement.format(**words).strip())


# Both tables are made anew: SQLite can neither drop a constraint nor a table that another one
# refers to without deleting the rows there.
ALERTS = """
CREATE TABLE margins_old_alerts AS SELECT * FROM margins_alerts;
CREATE TABLE margins_old_deliveries AS SELECT * FROM margins_alert_deliveries;
DROP TABLE margins_alert_deliveries;
DROP TABLE margins_alerts;

CREATE TABLE margins_alerts (
    alert_id {key} NOT NULL,
    org_id {key} NOT NULL,
    type {key} NOT NULL,
    occasion {key} NOT NULL,
    provider {key} NOT NULL,
    subject {key} NOT NULL,
    about TEXT NOT NULL,
    payload JSON NOT NULL,
    created_at {instant} NOT NULL,
    CONSTRAINT uq_margins_alerts_org_id_type_occasion_provider_subject
        UNIQUE (org_id, type, occasion, provider, subject),
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
    given_up_at {instant},
    CONSTRAINT fk_margins_alert_deliveries_margins_alerts
        FOREIGN KEY(alert_id) REFERENCES margins_alerts (alert_id) ON DELETE CASCADE,
    CONSTRAINT pk_margins_alert_deliveries PRIMARY KEY (alert_id, notifier)
);

CREATE INDEX ix_margins_alert_deliveries_due
    ON margins_alert_deliveries (notifier, next_attempt_at)
    WHERE delivered_at IS NULL AND given_up_at IS NULL;

INSERT INTO margins_alerts
    (alert_id, org_id, type, occasion, provider, subject, about, payload, created_at)
SELECT
    alert_id, org_id, type, {period} || ' ' || tier, provider, customer_id, {about},
    payload, created_at
FROM margins_old_alerts;

INSERT INTO margins_alert_deliveries
    (alert_id, notifier, attempts, next_attempt_at, last_attempt_at, delivered_at, last_error,
    given_up_at)
SELECT
    alert_id, notifier, attempts, next_attempt_at, last_attempt_at, delivered_at, last_error,
    given_up_at
FROM margins_old_deliveries;

DROP TABLE margins_old_deliveries;
DROP TABLE margins_old_alerts;
"""

# From the sums: which sources an org has, and the day of their newest cost. When they delivered
# would take a look at every event, and what came before is nothing to be alarmed about now. So
# that stays open until they deliver next. What has a cursor is pulled, for all orgs.
DELIVERIES = """
CREATE TABLE margins_cost_deliveries (
    org_id {key} NOT NULL,
    source {key} NOT NULL,
    delivered_at {instant},
    newest_at {instant},
    newest_day INTEGER,
    last_error TEXT,
    silent_since {instant},
    CONSTRAINT pk_margins_cost_deliveries PRIMARY KEY (org_id, source)
){clustered};

INSERT INTO margins_cost_deliveries (org_id, source, newest_day)
SELECT org_id, source, max(day) FROM margins_cost_model_days GROUP BY org_id, source;

INSERT INTO margins_cost_deliveries (org_id, source)
SELECT '', source FROM margins_cost_cursors;
"""

SKIPPED = """
CREATE INDEX ix_margins_revenue_facts_skipped
    ON margins_revenue_facts (org_id, provider, month) WHERE counted = 0
"""
