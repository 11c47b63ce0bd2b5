"""Four bases of revenue: what a fact is made of, and a column a basis for each customer's month.

What was stored before was paid invoices: until the next sync, or a backfill, they count in the
month they were made by every basis.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TYPES = {
    "sqlite": {"key": "TEXT", "instant": "VARCHAR(32)", "clustered": " WITHOUT ROWID"},
    "postgresql": {"key": 'TEXT COLLATE "C"', "instant": "TIMESTAMPTZ", "clustered": ""},
}


def upgrade() -> None:
    """Give facts their parts and months, and make the sums by customer and month anew."""
    dialect = op.get_bind().dialect.name
    for statement in (FACTS + STAGING + MONTHS + CONNECTIONS).split(";"):
        lines = statement.format(**TYPES[dialect]).strip().splitlines()
        if dialect != "sqlite":
            lines = [line for line in lines if "typeof(" not in line]
        op.execute("\n".join(lines))


# Made anew, as SQLite adds no column that always has a value without a default that stays.
FACTS = """
CREATE TABLE margins_old_revenue_facts AS SELECT * FROM margins_revenue_facts;
DROP TABLE margins_revenue_facts;

CREATE TABLE margins_revenue_facts (
    org_id {key} NOT NULL,
    provider {key} NOT NULL,
    object_id {key} NOT NULL,
    kind {key} NOT NULL,
    customer_id {key},
    month INTEGER NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency {key} NOT NULL,
    minor_digits BIGINT NOT NULL,
    amount_microdollars BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    partial BIGINT NOT NULL,
    occurred_at {instant} NOT NULL,
    customer_name TEXT,
    customer_email TEXT,
    avatar_url TEXT,
    suggested_tag TEXT,
    parts TEXT,
    cells TEXT NOT NULL,
    CHECK (typeof(amount_minor) = 'integer'),
    CHECK (typeof(amount_microdollars) = 'integer'),
    CONSTRAINT pk_margins_revenue_facts PRIMARY KEY (org_id, provider, object_id)
);

INSERT INTO margins_revenue_facts
    (org_id, provider, object_id, kind, customer_id, month, amount_minor, currency, minor_digits,
    amount_microdollars, counted, partial, occurred_at, customer_name, customer_email, avatar_url,
    suggested_tag, parts, cells)
SELECT
    org_id, provider, object_id, kind, customer_id, month, amount_minor, currency,
    CASE
        WHEN currency IN ('bhd', 'iqd', 'jod', 'kwd', 'lyd', 'omr', 'tnd') THEN 3
        WHEN currency IN (
            'bif', 'clp', 'djf', 'gnf', 'isk', 'jpy', 'kmf', 'krw', 'pyg', 'rwf', 'ugx', 'uyi',
            'vnd', 'vuv', 'xaf', 'xof', 'xpf'
        ) THEN 0
        ELSE 2
    END,
    amount_microdollars, counted, 0, occurred_at, customer_name, customer_email, avatar_url,
    suggested_tag, NULL,
    '[[' || month
        || ',' || CASE WHEN counted = 1 THEN amount_microdollars ELSE amount_minor END
        || ',' || CASE WHEN counted = 1 THEN amount_microdollars ELSE amount_minor END
        || ',' || CASE WHEN counted = 1 THEN amount_microdollars ELSE amount_minor END
        || ',' || CASE WHEN counted = 1 THEN amount_microdollars ELSE amount_minor END
        || ']]'
FROM margins_old_revenue_facts;

DROP TABLE margins_old_revenue_facts;

CREATE INDEX ix_margins_revenue_facts_org_id_provider_customer_id_month
    ON margins_revenue_facts (org_id, provider, customer_id, month);

CREATE INDEX ix_margins_revenue_facts_org_id_provider_month
    ON margins_revenue_facts (org_id, provider, month);

CREATE INDEX ix_margins_revenue_facts_skipped
    ON margins_revenue_facts (org_id, provider, month) WHERE counted = 0;
"""

# Nothing is lost: a sync reads its pages anew.
STAGING = """
DROP TABLE margins_revenue_staging;

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
    minor_digits BIGINT NOT NULL,
    amount_microdollars BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    partial BIGINT NOT NULL,
    occurred_at {instant} NOT NULL,
    customer_name TEXT,
    customer_email TEXT,
    avatar_url TEXT,
    suggested_tag TEXT,
    parts TEXT,
    cells TEXT NOT NULL,
    CHECK (typeof(amount_minor) = 'integer'),
    CHECK (typeof(amount_microdollars) = 'integer'),
    CONSTRAINT pk_margins_revenue_staging PRIMARY KEY (org_id, provider, sync_id, object_id)
);
"""

MONTHS = """
CREATE TABLE margins_old_customer_months AS SELECT * FROM margins_customer_months;
DROP TABLE margins_customer_months;

CREATE TABLE margins_customer_months (
    org_id {key} NOT NULL,
    month INTEGER NOT NULL,
    provider {key} NOT NULL,
    customer_id {key} NOT NULL,
    invoiced BIGINT NOT NULL,
    cash BIGINT NOT NULL,
    net BIGINT NOT NULL,
    accrual BIGINT NOT NULL,
    invoice_count BIGINT NOT NULL,
    last_invoice_at {instant},
    customer_name TEXT,
    avatar_url TEXT,
    CHECK (typeof(invoiced) = 'integer'),
    CHECK (typeof(cash) = 'integer'),
    CHECK (typeof(net) = 'integer'),
    CHECK (typeof(accrual) = 'integer'),
    CONSTRAINT pk_margins_customer_months PRIMARY KEY (org_id, month, provider, customer_id)
){clustered};

INSERT INTO margins_customer_months
    (org_id, month, provider, customer_id, invoiced, cash, net, accrual, invoice_count,
    last_invoice_at, customer_name, avatar_url)
SELECT
    org_id, month, provider, customer_id, revenue_microdollars, revenue_microdollars,
    revenue_microdollars, revenue_microdollars, invoice_count, last_invoice_at, customer_name,
    avatar_url
FROM margins_old_customer_months WHERE basis = 'invoiced';

DROP TABLE margins_old_customer_months;
"""

CONNECTIONS = """
ALTER TABLE margins_connections ADD COLUMN cursor TEXT;
ALTER TABLE margins_connections ADD COLUMN gaps JSON;
ALTER TABLE margins_connections ADD COLUMN backfill_first INTEGER;
ALTER TABLE margins_connections ADD COLUMN backfill_next INTEGER
"""
