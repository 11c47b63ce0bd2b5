"""How far the newest sync of each connection is, and what came of it."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TYPES = {
    "sqlite": {"key": "TEXT", "instant": "VARCHAR(32)", "clustered": " WITHOUT ROWID"},
    "postgresql": {"key": 'TEXT COLLATE "C"', "instant": "TIMESTAMPTZ", "clustered": ""},
}


def upgrade() -> None:
    """Make the table. What syncs did before is not known: it fills with the next ones."""
    op.execute(SYNCS.format(**TYPES[op.get_bind().dialect.name]).strip())


SYNCS = """
CREATE TABLE margins_syncs (
    org_id {key} NOT NULL,
    provider {key} NOT NULL,
    fence BIGINT NOT NULL,
    started_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    stage {key} NOT NULL,
    invoices_fetched BIGINT NOT NULL,
    month INTEGER,
    ended_at {instant},
    report JSON,
    error JSON,
    CONSTRAINT pk_margins_syncs PRIMARY KEY (org_id, provider)
){clustered}
"""
