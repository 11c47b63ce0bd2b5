"""Databases as earlier releases left them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine

import nullspend_margins.storage
from nullspend_margins.storage import schema
from tests.postgres import PostgresForTests


def bring_to(url: str, version: str, fill: Callable[[Connection], object]) -> None:
    """Make the tables of one step of the migrations, and ``fill`` them."""
    config = Config()
    home = Path(nullspend_margins.storage.__file__).parent / "migrations"
    config.set_main_option("script_location", str(home))
    config.set_main_option("path_separator", "os")
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        with schema._alembic_is_single:
            command.upgrade(config, version)
        fill(connection)
    engine.dispose()


@contextmanager
def empty_database(kind: str, folder: Path, server: PostgresForTests) -> Iterator[str]:
    """One with no tables, of ``kind`` sqlite or postgresql."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'earlier.db'}"
        return
    with server.database(migrated=False) as url:
        yield url
