"""The loop that delivers alerts while the product runs."""

from __future__ import annotations

import asyncio

import pytest

from nullspend_margins import Margins, ServiceUnavailable
from nullspend_margins.services.alert_loop import AlertLoop
from nullspend_margins.storage.database import Database
from tests.services.outbox import Hanging, Listener, Outbox
from tests.world import config


class Ticks:
    """A pause that ends when the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._waiting = asyncio.Event()
        self._over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self._waiting.set()
        await self._over.wait()
        self._over.clear()

    async def next(self) -> None:
        """End the pause; returns when the loop has looked and pauses again."""
        await self._waiting.wait()
        self._waiting.clear()
        self._over.set()
        await self._waiting.wait()


async def settled(loop: AlertLoop, *but: str) -> None:
    """Until the loop's deliveries are through, ``but`` those by these notifiers."""
    running = {"margins-alerts", *(f"margins-alerts-{name}" for name in but)}
    tasks = {task for task in loop._tasks if task.get_name() not in running}
    if tasks:
        await asyncio.wait(tasks)


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


async def test_what_is_due_goes_out_at_the_next_look_and_its_retries_too(
    database: Database, ticks: Ticks
) -> None:
    listener = Listener(problem=ConnectionError())
    box = Outbox(database, listener)
    loop = AlertLoop(box.service, 30, ticks)
    loop.start()
    await box.put("evt_1")
    await ticks.next()
    await settled(loop)
    assert listener.asked == 1
    listener.problem = None
    await ticks.next()
    await settled(loop)
    assert listener.asked == 1  # not due yet
    box.clock.advance(seconds=30)
    await ticks.next()
    await settled(loop)
    assert listener.heard == ["evt_1"]
    assert all(27 <= seconds <= 33 for seconds in ticks.asked)
    assert len(set(ticks.asked)) == len(ticks.asked)  # workers do not march in step
    await loop.close()


async def test_a_notifier_that_hangs_keeps_no_other_waiting_and_is_not_begun_twice(
    database: Database, ticks: Ticks
) -> None:
    listener, hanging = Listener(), Hanging()
    box = Outbox(database, hanging, listener)
    loop = AlertLoop(box.service, 30, ticks)
    loop.start()
    await box.put("evt_1", "evt_2", to="hanging")
    await ticks.next()
    await hanging.entered.wait()
    await box.put("evt_3")
    await ticks.next()
    await settled(loop, "hanging")
    assert listener.heard == ["evt_3"]
    running = [task.get_name() for task in loop._tasks]
    assert running.count("margins-alerts-hanging") == 1
    hanging.released.set()
    await settled(loop)
    states = await box.states()
    assert states["evt_2 hanging"][0] == "delivered"
    await loop.close()


async def test_closing_stops_the_loop_and_what_is_on_its_way(
    database: Database, ticks: Ticks
) -> None:
    hanging = Hanging()
    box = Outbox(database, hanging)
    loop = AlertLoop(box.service, 30, ticks)
    loop.start()
    await box.put("evt_1", to="hanging")
    await ticks.next()
    await hanging.entered.wait()
    await loop.close()
    assert hanging.was_cancelled
    assert loop._tasks == set()
    await loop.close()  # twice is fine


async def test_without_a_poll_there_is_no_loop(database: Database, ticks: Ticks) -> None:
    loop = AlertLoop(Outbox(database).service, 0, ticks)
    loop.start()
    assert loop._tasks == set()
    await loop.close()


class Failing:
    """A service whose database is away, or which has a defect."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        self.looks = 0

    async def due(self) -> list[object]:
        self.looks += 1
        if self.problem is not None:
            raise self.problem
        return []


async def test_an_outage_of_the_database_is_one_line_and_the_loop_goes_on(
    ticks: Ticks, caplog: pytest.LogCaptureFixture
) -> None:
    service = Failing()
    loop = AlertLoop(service, 30, ticks)  # type: ignore[arg-type]
    loop.start()
    for problem in (ServiceUnavailable("away"), None, ServiceUnavailable("away again")):
        service.problem = problem
        for _ in range(3):
            await ticks.next()
    assert service.looks == 9
    assert caplog.messages == ["alerts wait: away", "alerts wait: away again"]
    await loop.close()


async def test_a_defect_is_logged_and_the_loop_goes_on(
    ticks: Ticks, caplog: pytest.LogCaptureFixture
) -> None:
    service = Failing()
    service.problem = LookupError("a defect")
    loop = AlertLoop(service, 30, ticks)  # type: ignore[arg-type]
    loop.start()
    await ticks.next()
    service.problem = None
    await ticks.next()
    assert service.looks == 2
    assert "a defect" in caplog.text
    await loop.close()


async def test_an_outage_while_it_delivers_is_survived(
    database: Database, ticks: Ticks, caplog: pytest.LogCaptureFixture
) -> None:
    box = Outbox(database, Listener())
    loop = AlertLoop(box.service, 30, ticks)
    await box.put("evt_1")
    [queue] = await box.service.due()

    async def away(deadline: float = 0) -> None:
        raise ServiceUnavailable("away")

    queue.deliver_due = away  # type: ignore[method-assign]
    loop.start()
    await ticks.next()
    await settled(loop)
    assert caplog.messages == ["alerts wait: away"]
    del queue.deliver_due
    await ticks.next()
    await settled(loop)
    assert (await box.states())["evt_1 listener"][0] == "delivered"
    await loop.close()


def names() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


@pytest.mark.parametrize(("seconds", "runs"), [(30, True), (0, False)])
async def test_it_runs_from_the_products_start_to_its_end(
    sqlite_url: str, seconds: int, runs: bool
) -> None:
    margins = Margins(config(sqlite_url, "http://127.0.0.1:1", alerts={"poll_seconds": seconds}))
    assert "margins-alerts" not in names()
    async with margins.lifespan():
        assert ("margins-alerts" in names()) is runs
    assert "margins-alerts" not in names()


async def test_it_runs_from_the_first_request_where_there_is_no_lifespan(sqlite_url: str) -> None:
    margins = Margins(config(sqlite_url, "http://127.0.0.1:1"))
    await margins.services()
    assert "margins-alerts" in names()
    await margins.close()
    assert "margins-alerts" not in names()


async def test_a_database_that_is_away_is_told_once_however_often_it_is_asked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    database = Database("postgresql://me@127.0.0.1:1/margins")
    for _ in range(3):
        with pytest.raises(ServiceUnavailable):
            await database.start()
    assert len(caplog.messages) == 1
    await database.close()
