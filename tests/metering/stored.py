"""What metering left in the database."""

from __future__ import annotations

import asyncio
from typing import Any

import sqlalchemy as sa

from nullspend_margins import Margins
from nullspend_margins.storage import tables

PATIENCE_SECONDS = 30


async def events_of(margins: Margins, count: int) -> list[dict[str, Any]]:
    """The ``count`` events that were recorded, once they are stored, in the order of time."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while margins.recording.queued or margins.recording.written < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    runtime = await margins._runtime()
    query = sa.select(tables.cost_events).order_by(tables.cost_events.c.occurred_at)
    rows = await runtime.database.read(lambda tx: tx.execute(query).mappings().all())
    found = [dict(row) for row in rows]
    assert len(found) == count
    return found
