"""``Margins.record``: what a host sees of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from nullspend_margins import CostEvent, Margins
from tests.world import NOW, ORG, FixedClock, config


def event(number: int, **changes: object) -> CostEvent:
    values = {
        "event_id": f"e{number}",
        "provider": "openai",
        "model": "gpt-4o",
        "cost_nanodollars": 1_000_000 + number,
        "occurred_at": NOW,
        "tag_value": "acme",
        **changes,
    }
    return CostEvent(**values)  # type: ignore[arg-type]


async def test_recorded_events_are_stored_by_the_time_the_product_is_closed(
    database_url: str,
) -> None:
    margins = Margins(config(database_url, "http://127.0.0.1:9"), clock=FixedClock())
    assert margins.record(ORG, [event(1), event(2), event(1)]) == 3
    await margins.close()
    assert margins.recording.queued == 0
    assert margins.recording.written == 3
    assert await margins.ingest(ORG, [event(1), event(2), event(3)]) == 1
    await margins.close()


async def test_nothing_is_left_of_a_journal_whose_events_are_all_stored(
    sqlite_url: str, tmp_path: Path
) -> None:
    margins = Margins(config(sqlite_url, "http://127.0.0.1:9"), clock=FixedClock())
    async with margins.lifespan():
        margins.record(ORG, [event(1)])
        folder = tmp_path / "margins.journal"
        assert len(await asyncio.to_thread(lambda: list(folder.iterdir()))) == 2
    assert list(folder.iterdir()) == []
