"""What Alembic runs. The connection, already in a transaction, comes from ``schema.upgrade``.

A step and its version number are one transaction on both databases, so a migration that fails
leaves nothing behind.
"""

from alembic import context

from nullspend_margins.storage import tables
from nullspend_margins.storage.columns import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.cost_events.metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
