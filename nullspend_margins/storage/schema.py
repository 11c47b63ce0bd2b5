"""Which version of the schema a database has, and how it gets to ours."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from nullspend_margins.errors import ConfigurationError
from nullspend_margins.storage.columns import VERSION_TABLE

SCHEMA_VERSION = "0007"
"""The newest step in ``migrations/versions``. Known here so that an up-to-date database can be
opened without loading Alembic."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_alembic_is_single = threading.Lock()


def current_version(connection: Connection) -> str | None:
    """The step the database is at; ``None`` when it has no tables of ours."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    statement = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a constant
    found: str | None = connection.scalar(statement)
    return found


def require_current(connection: Connection) -> None:
    """Raise ``ConfigurationError`` unless the database is at our version."""
    version = current_version(connection)
    if version == SCHEMA_VERSION:
        return
    if version is None or version < SCHEMA_VERSION:
        at = "has no tables yet" if version is None else f"is at schema version {version}"
        raise ConfigurationError(
            f"The database {at}, this program needs {SCHEMA_VERSION}: "
            "run `nullspend-margins migrate --config FILE`."
        )
    raise _too_new(version)


def upgrade(connection: Connection) -> None:
    """Bring the database to our version, inside the caller's transaction and lock.

    Raises ``ConfigurationError`` when a newer version of the product has migrated it.
    """
    version = current_version(connection)
    if version == SCHEMA_VERSION:
        return
    if version is not None and version > SCHEMA_VERSION:
        raise _too_new(version)
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    # Alembic's `op` and `context` are one a process.
    with _alembic_is_single:
        command.upgrade(config, SCHEMA_VERSION)


def _too_new(version: str) -> ConfigurationError:
    return ConfigurationError(
        f"The database is at schema version {version}, made by a newer release of "
        f"nullspend-margins; this one knows {SCHEMA_VERSION}. Upgrade the program."
    )
