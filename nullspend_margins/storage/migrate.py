"""Brings a database to the current schema: ``nullspend-margins migrate``."""

from __future__ import annotations

from nullspend_margins.storage.database import Database


async def migrate(url: str) -> None:
    """Create or upgrade the tables of the database at ``url``. Safe to run twice, or at once.

    SQLite: the file is made when it is missing. PostgreSQL: under an advisory lock; needs the
    right to create tables. Raises ``ConfigurationError`` and ``ServiceUnavailable``.
    """
    database = Database(url, pool_size=1)
    try:
        await database.migrate()
    finally:
        await database.close()
