"""Short ways to check and mend rollups, and to look at what is stored of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Connection, text

from nullspend_margins.services.rebuild import OrgReport, RebuildService
from nullspend_margins.storage.columns import metadata
from nullspend_margins.storage.comparison import ROLLUPS
from nullspend_margins.storage.database import Database
from tests.storage.builders import ORG, rows

ALL_TABLES = [rollup.table for rollup in ROLLUPS]


@asynccontextmanager
async def opened(url: str, pool_size: int = 4) -> AsyncIterator[Database]:
    """A database of one's own on ``url``, as another process would have."""
    database = Database(url, pool_size=pool_size)
    await database.start()
    try:
        yield database
    finally:
        await database.close()


async def check(database: Database, org_id: str = ORG, show: int = 20) -> OrgReport:
    return await RebuildService(database).check(org_id, show=show)


async def mend(database: Database, org_id: str = ORG, show: int = 20) -> OrgReport:
    return await RebuildService(database).mend(org_id, show=show)


async def stored(database: Database, org_id: str = ORG) -> list[list[tuple[Any, ...]]]:
    return await database.read(lambda tx: [rows(tx, table, org_id) for table in ALL_TABLES])


async def emptied(database: Database) -> None:
    """As at first: the next example begins."""

    def work(tx: Connection) -> None:
        for table in reversed(metadata.sorted_tables):
            tx.execute(table.delete())

    await database.write(work)


async def until_done_or_waiting(task: asyncio.Task[Any], database: Database) -> None:
    """Until ``task`` is over, or its transaction waits for a lock (of PostgreSQL)."""
    waiting = text(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE NOT granted AND datname = current_database()"
    )
    while not task.done() and not await database.read(lambda tx: tx.scalar(waiting)):
        pass
