"""``migrate``: the database's schema."""

from __future__ import annotations

import asyncio

from nullspend_margins.cli.options import ConfigFile
from nullspend_margins.cli.output import log_to_stderr, say


def migrate(config: ConfigFile) -> None:
    """Bring the database to the current schema. Safe to repeat, and to run twice at once."""
    from nullspend_margins.config import load_config
    from nullspend_margins.storage.migrate import migrate as migrate_database

    log_to_stderr()
    settings = load_config(config, keep_secrets=False)
    asyncio.run(migrate_database(settings.database.url))
    say("The database has the current schema.")
