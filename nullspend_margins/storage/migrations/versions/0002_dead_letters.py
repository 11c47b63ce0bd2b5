"""Alerts that nobody could be told of are given up, and kept to be sent again."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = {"sqlite": "VARCHAR(32)", "postgresql": "TIMESTAMPTZ"}


def upgrade() -> None:
    """Deliveries know when they were given up; those are not due any more."""
    instant = INSTANT[op.get_bind().dialect.name]
    op.execute(f"ALTER TABLE margins_alert_deliveries ADD COLUMN given_up_at {instant}")
    op.execute("DROP INDEX ix_margins_alert_deliveries_due")
    op.execute(
        "CREATE INDEX ix_margins_alert_deliveries_due "
        "ON margins_alert_deliveries (notifier, next_attempt_at) "
        "WHERE delivered_at IS NULL AND given_up_at IS NULL"
    )
