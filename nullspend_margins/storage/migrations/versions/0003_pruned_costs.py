"""What pruned events had cost is kept, so that rollups can be rebuilt without them."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TYPES = {
    "sqlite": {"key": "TEXT", "clustered": " WITHOUT ROWID"},
    "postgresql": {"key": 'TEXT COLLATE "C"', "clustered": ""},
}


def upgrade() -> None:
    """Create the table."""
    dialect = op.get_bind().dialect.name
    lines = SCHEMA.format(**TYPES[dialect]).strip().splitlines()
    if dialect != "sqlite":
        lines = [line for line in lines if "typeof(" not in line]
    op.execute("\n".join(lines))


SCHEMA = """
CREATE TABLE margins_pruned_costs (
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
    CONSTRAINT pk_margins_pruned_costs
        PRIMARY KEY (org_id, day, tag_value, source, provider, model)
){clustered}
"""
