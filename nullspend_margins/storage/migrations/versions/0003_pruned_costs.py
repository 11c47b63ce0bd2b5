"""What pruned events had cost is kept, so that rollups can be rebuilt without them."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# What differs between the databases is in braces, or a check that SQLite alone needs. There a
# sum that leaves 64 bits on its way fails, so everything is added up in two halves of 32 bits;
# PostgreSQL adds into `numeric`.
TYPES = {
    "sqlite": {
        "key": "TEXT",
        "clustered": " WITHOUT ROWID",
        "day": "CAST(julianday(substr(occurred_at, 1, 10)) - 2440587.5 AS INTEGER)",
        "fits": "{name}_high + ({name}_low >> 32) BETWEEN 0 AND 2147483647",
        "whole": "(({name}_high + ({name}_low >> 32)) << 32) | ({name}_low & 4294967295)",
    },
    "postgresql": {
        "key": 'TEXT COLLATE "C"',
        "clustered": "",
        "day": "(occurred_at AT TIME ZONE 'UTC')::date - DATE '1970-01-01'",
        "fits": "{name}_high * 4294967296 + {name}_low BETWEEN 0 AND 9223372036854775807",
        "whole": "{name}_high * 4294967296 + {name}_low",
    },
}


def upgrade() -> None:
    """Create the table, and fill it with what events pruned before it was there had cost."""
    dialect = op.get_bind().dialect.name
    words = TYPES[dialect]
    lines = SCHEMA.format(**words).strip().splitlines()
    if dialect != "sqlite":
        lines = [line for line in lines if "typeof(" not in line]
    op.execute("\n".join(lines))
    op.execute(
        FILLING.format(
            day=words["day"],
            cost=words["whole"].format(name="cost"),
            requests=words["whole"].format(name="requests"),
            cost_fits=words["fits"].format(name="cost"),
            requests_fit=words["fits"].format(name="requests"),
        )
    )


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

# A cell of the rollup, less its events, less its facts. Pruned events were one request or more
# and cost nothing or more: what differs in another way was not made by pruning, and stays for
# `rebuild --check` to find.
FILLING = """
INSERT INTO margins_pruned_costs
    (org_id, day, tag_value, source, provider, model, cost_nanodollars, request_count)
SELECT org_id, day, tag_value, source, provider, model, {cost}, {requests}
FROM (
    SELECT
        org_id, day, tag_value, source, provider, model,
        sum(sign * (cost_nanodollars >> 32)) AS cost_high,
        sum(sign * (cost_nanodollars & 4294967295)) AS cost_low,
        sum(sign * (request_count >> 32)) AS requests_high,
        sum(sign * (request_count & 4294967295)) AS requests_low
    FROM (
        SELECT org_id, day, tag_value, source, provider, model,
            cost_nanodollars, request_count, 1 AS sign
        FROM margins_cost_model_days
        UNION ALL
        SELECT org_id, {day}, tag_value, source, provider, model, cost_nanodollars, 1, -1
        FROM margins_cost_events
        UNION ALL
        SELECT org_id, day, tag_value, source, provider, model,
            cost_nanodollars, request_count, -1
        FROM margins_cost_facts
    ) AS parts
    GROUP BY org_id, day, tag_value, source, provider, model
) AS sums
WHERE ({requests}) > 0 AND {cost_fits} AND {requests_fit}
"""
