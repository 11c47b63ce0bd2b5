"""Claims and deadlines: one process at a time, within the time there is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nullspend_margins import Alert, ServiceUnavailable
from nullspend_margins.domain.alert import RETRY_PAUSES
from nullspend_margins.services import notifier_queue
from nullspend_margins.storage.alert_outbox import UNREPORTED
from nullspend_margins.storage.database import Database
from tests.services.outbox import NOBODY_ELSE, CountingDatabase, Hanging, Listener, Outbox
from tests.world import FixedClock


class StandingTime:
    """``time`` as queues see it: it passes when told, however long the database takes."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> StandingTime:
    time = StandingTime()
    monkeypatch.setattr(notifier_queue, "time", time)
    return time


async def test_a_delivery_that_is_stopped_is_tried_again_when_its_claim_lapses(
    database: Database,
) -> None:
    hanging = Hanging()
    box = Outbox(database, hanging)
    await box.put("evt_1", to="hanging")
    delivering = asyncio.create_task(box.deliver())
    await hanging.entered.wait()
    delivering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivering
    assert hanging.was_cancelled
    hanging.released.set()
    assert await box.service.due() == []
    box.clock.moment += NOBODY_ELSE
    await box.deliver()
    assert await box.states() == {"evt_1 hanging": ("delivered", 2, None)}


async def test_an_alert_whose_delivery_could_not_be_written_down_comes_again(
    database_url: str,
) -> None:
    database = CountingDatabase(database_url, fails=lambda number: number == 3)
    await database.start()
    listener = Listener()
    box = Outbox(database, listener)
    await box.put("evt_1")
    with pytest.raises(ServiceUnavailable):
        await box.deliver()
    assert listener.heard == ["evt_1"]
    box.clock.moment += NOBODY_ELSE
    await box.deliver()
    assert listener.heard == ["evt_1", "evt_1"]
    await database.close()


async def test_two_processes_deliver_each_alert_once(database_url: str) -> None:
    clock, listener = FixedClock(), Listener()
    databases = [Database(database_url), Database(database_url)]
    for each in databases:
        await each.start()
    boxes = [Outbox(each, listener, clock=clock) for each in databases]
    ids = [f"evt_{number}" for number in range(20)]
    await boxes[0].put(*ids)
    await asyncio.gather(*(box.deliver() for box in boxes))
    assert sorted(listener.heard) == sorted(ids)
    for each in databases:
        await each.close()


async def test_delivering_waits_for_what_is_on_its_way_already(database: Database) -> None:
    hanging = Hanging()
    box = Outbox(database, hanging)
    await box.put("evt_1", to="hanging")
    first = asyncio.create_task(box.deliver())
    await hanging.entered.wait()
    second = asyncio.create_task(box.deliver())
    for _ in range(3):  # as long as the second one's look takes
        assert await box.service.due() == []
    assert not second.done()
    hanging.released.set()
    await asyncio.gather(first, second)
    assert await box.states() == {"evt_1 hanging": ("delivered", 1, None)}


async def test_past_its_deadline_nothing_new_is_begun(database: Database) -> None:
    listener = Listener()
    box = Outbox(database, listener)
    await box.put("evt_1")
    await box.service.deliver_due(deadline=0)
    assert listener.asked == 0
    await box.deliver()
    assert listener.asked == 1  # and it was not claimed meanwhile


async def test_a_deadline_that_passes_on_the_way_leaves_the_rest_unclaimed(
    database: Database, standing: StandingTime
) -> None:
    class Slow(Listener):
        async def notify(self, alert: Alert) -> None:
            await super().notify(alert)
            standing.now = 10.0

    slow = Slow()
    box = Outbox(database, slow, notify_seconds=15)
    await box.put("evt_1", "evt_2")
    await box.service.deliver_due(deadline=10)
    assert slow.asked == 1
    assert [each.name for each in await box.service.due()] == ["listener"]


async def test_nobody_waits_for_a_busy_notifier_beyond_the_deadline(database: Database) -> None:
    hanging = Hanging()
    box = Outbox(database, hanging)
    await box.put("evt_1", to="hanging")
    delivering = asyncio.create_task(box.deliver())
    await hanging.entered.wait()
    await box.service.deliver_due(deadline=0)
    assert not delivering.done()
    hanging.released.set()
    await delivering


async def test_an_alert_that_ends_each_process_that_tries_it_is_given_up(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    class Deadly(Hanging):
        tried = 0

        async def notify(self, alert: Alert) -> None:
            self.tried += 1
            await super().notify(alert)

    deadly = Deadly()
    clock = FixedClock()
    for attempt in range(1, 4):
        box = Outbox(database, deadly, attempts=3, clock=clock)
        if attempt == 1:
            await box.put("evt_1", to="hanging")
        process = asyncio.create_task(box.deliver())
        await deadly.entered.wait()
        process.cancel()
        await asyncio.wait({process})
        deadly.entered.clear()
        assert await box.states() == {"evt_1 hanging": ("waiting", attempt, UNREPORTED)}
        assert await box.next_attempt("evt_1") - clock.now() >= RETRY_PAUSES[attempt - 1] * 0.9
        clock.moment = await box.next_attempt("evt_1")
    await Outbox(database, deadly, attempts=3, clock=clock).deliver()
    assert deadly.tried == 3
    assert await box.states() == {"evt_1 hanging": ("dead", 3, UNREPORTED)}
    assert "given up for hanging at attempt 3" in caplog.text


@pytest.mark.usefixtures("standing")
async def test_a_deadline_cuts_an_attempt_off_and_does_not_count_it(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = Hanging()
    box = Outbox(database, hanging)
    await box.put("evt_1", to="hanging")
    began = await box.next_attempt("evt_1")
    await box.service.deliver_due(deadline=0.1)
    assert hanging.was_cancelled
    assert await box.states() == {"evt_1 hanging": ("waiting", 0, None)}
    assert await box.next_attempt("evt_1") == began
    [line] = caplog.messages
    assert line.startswith("alert evt_1 not delivered by hanging: cut off after 0.1 s")


async def test_a_claim_begins_when_the_database_gives_it(database_url: str) -> None:
    clock = FixedClock()

    class Slow(Database):
        async def write(self, work: Any) -> Any:
            clock.advance(minutes=2)  # somebody else writes
            return await super().write(work)

    database = Slow(database_url)
    await database.start()
    hanging = Hanging()
    box = Outbox(database, hanging, clock=clock)
    await box.put("evt_1", to="hanging")
    delivering = asyncio.create_task(box.deliver())
    await hanging.entered.wait()
    assert await box.service.due() == []
    hanging.released.set()
    await delivering
    await database.close()
