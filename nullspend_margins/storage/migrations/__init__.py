"""Alembic's scripts. They ship in the wheel: a database is migrated where the product runs."""
