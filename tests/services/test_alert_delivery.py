"""The outbox: retries, dead letters, and notifiers that misbehave."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import Any

import pytest

from nullspend_margins import Alert, ServiceUnavailable, ValidationFailed
from nullspend_margins.domain.alert import RETRY_PAUSES
from nullspend_margins.services.notifier_call import Failure, notify
from nullspend_margins.storage import alerts
from nullspend_margins.storage.alert_outbox import UNREPORTED
from nullspend_margins.storage.database import Database
from tests.services.outbox import NOBODY_ELSE, CountingDatabase, Hanging, Listener, Outbox
from tests.world import FixedClock


class Mute(ServiceUnavailable):
    """Made without the product's ``__init__``."""

    def __init__(self) -> None:
        Exception.__init__(self)


class Worse(Mute):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


ALERT = Alert(alert_id="evt_1", org_id="org_1", type="margin.threshold_crossed", payload={})


async def test_a_failed_alert_waits_longer_each_time(database: Database) -> None:
    listener = Listener(problem=ConnectionError("refused"))
    box = Outbox(database, listener)
    await box.put("evt_1")
    for failed, pause in enumerate(RETRY_PAUSES[:4], 1):
        await box.deliver()
        assert await box.states() == {"evt_1 listener": ("waiting", failed, "ConnectionError")}
        later = await box.next_attempt("evt_1")
        assert pause * 0.9 <= later - box.clock.now() <= pause * 1.1
        box.clock.moment = later - timedelta(seconds=0.1)
        await box.deliver()
        assert listener.asked == failed  # not due yet
        box.clock.moment = later
    listener.problem = None
    await box.deliver()
    assert await box.states() == {"evt_1 listener": ("delivered", 5, None)}


async def test_after_its_last_attempt_it_is_dead_and_the_log_says_once_how_to_go_on(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Listener(problem=ServiceUnavailable("hooks.example.com answered with 503."))
    box = Outbox(database, listener, attempts=3)
    await box.put("evt_1")
    assert await box.until_dead() == 3
    box.clock.advance(days=9)
    await box.deliver()
    assert listener.asked == 3
    reason = "hooks.example.com answered with 503."
    assert await box.states() == {"evt_1 listener": ("dead", 3, reason)}
    (error,) = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert f"alert evt_1 given up for listener at attempt 3: {reason} It is kept" in error
    command = "nullspend-margins alerts resend evt_1 --org org_1 --notifier listener --config FILE"
    assert error.endswith(command)


async def test_the_defaults_try_ten_times_in_three_days(database: Database) -> None:
    box = Outbox(database, Listener(problem=ConnectionError()))
    await box.put("evt_1")
    began = box.clock.now()
    assert await box.until_dead() == 10
    assert timedelta(days=2.8) < box.clock.now() - began < timedelta(days=3.5)


async def test_what_a_notifier_refuses_for_good_is_dead_at_once(database: Database) -> None:
    refuses = Listener(problem=ValidationFailed("The channel was archived."))
    box = Outbox(database, refuses)
    await box.put("evt_1")
    await box.deliver()
    assert await box.states() == {"evt_1 listener": ("dead", 1, "The channel was archived.")}


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (RuntimeError("POST https://hooks.example.com/T0K3N failed"), "RuntimeError"),
        (asyncio.CancelledError(), "CancelledError"),
        (TimeoutError("of its own"), "TimeoutError"),
        (GeneratorExit(), "GeneratorExit"),
        (SystemExit(3), "SystemExit"),
        (ServiceUnavailable(ValueError("no text")), "no text"),  # type: ignore[arg-type]
        (Mute(), "Mute"),
        (Worse(), "Worse"),
        (ServiceUnavailable("two\nlines\x00and\tmore"), "two lines and more"),
        (ServiceUnavailable("x" * 900), "x" * 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_whatever_a_notifier_raises_is_a_failure_of_its_own(
    database: Database,
    caplog: pytest.LogCaptureFixture,
    problem: BaseException,
    reason: str,
) -> None:
    caplog.set_level(logging.DEBUG, "nullspend_margins")
    good = Listener("good")
    box = Outbox(database, Listener(problem=problem), good)
    await box.put("evt_1")
    await box.put("evt_2", to="good")
    await box.deliver()
    assert await box.states() == {
        "evt_1 listener": ("waiting", 1, reason),
        "evt_2 good": ("delivered", 1, None),
    }
    assert "T0K3N" not in caplog.text


@pytest.mark.parametrize("obeys", [True, False], ids=["stops", "ignores being cancelled"])
async def test_a_notifier_that_hangs_is_cut_off_and_holds_up_nobody(
    database: Database, obeys: bool
) -> None:
    hanging, good = Hanging(obeys=obeys), Listener("good")
    box = Outbox(database, hanging, good, notify_seconds=0.05)
    await box.put("evt_1", to="hanging")
    await box.put("evt_2", to="good")
    await box.deliver()
    assert hanging.was_cancelled
    assert await box.states() == {
        "evt_1 hanging": ("waiting", 1, "it took longer than 0.05 seconds"),
        "evt_2 good": ("delivered", 1, None),
    }
    hanging.released.set()


async def test_other_notifiers_go_on_while_one_hangs(database: Database) -> None:
    hanging, good = Hanging(), Listener("good")
    box = Outbox(database, hanging, good)
    await box.put("evt_1", to="hanging")
    delivering = asyncio.create_task(box.deliver())
    await hanging.entered.wait()
    for number in range(2, 5):
        await box.put(f"evt_{number}", to="good")
        [queue] = await box.service.due()
        await queue.deliver_due()
    assert good.heard == ["evt_2", "evt_3", "evt_4"]
    hanging.released.set()
    await delivering


def test_a_person_who_interrupts_is_no_failure_of_the_notifier() -> None:
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(notify(Listener(problem=KeyboardInterrupt()), ALERT, 15))


async def test_one_that_returns_just_before_it_is_cancelled_has_delivered() -> None:
    class Late(Hanging):
        async def notify(self, alert: Alert) -> None:
            try:
                await super().notify(alert)
            except asyncio.CancelledError:
                return  # it was through already

    assert await notify(Late(), ALERT, 0.01) is None
    assert await notify(Listener(), ALERT, 15) is None
    assert await notify(Hanging(), ALERT, 0.01) == Failure(
        "it took longer than 0.01 seconds", is_late=True
    )


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


async def test_one_notifiers_database_trouble_does_not_stop_another(database_url: str) -> None:
    database = CountingDatabase(database_url, fails=lambda number: number == 3)
    await database.start()
    listeners = [Listener("first"), Listener("second")]
    box = Outbox(database, *listeners)
    await box.put("evt_1", to="first")
    await box.put("evt_2", to="second")
    with pytest.raises(ServiceUnavailable):
        await box.deliver()
    assert sorted([*listeners[0].heard, *listeners[1].heard]) in (["evt_1"], ["evt_2"])
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
    database: Database,
) -> None:
    deadline = time.monotonic() + 0.5

    class Slow(Listener):
        async def notify(self, alert: Alert) -> None:
            await super().notify(alert)
            await asyncio.sleep(deadline - time.monotonic())

    slow = Slow()
    box = Outbox(database, slow, notify_seconds=15)
    await box.put("evt_1", "evt_2")
    await box.service.deliver_due(deadline)
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


async def test_an_org_that_a_notifier_does_not_take_any_more_is_not_told_to_it(
    database: Database,
) -> None:
    listener = Listener()
    listener.orgs = {"org_2"}  # type: ignore[attr-defined]
    box = Outbox(database, listener)
    await box.put("evt_1")  # from before the notifier was limited
    await box.put("evt_2", org_id="org_2")
    await box.deliver()
    assert listener.heard == ["evt_2"]
    assert (await box.states())["evt_1 listener"] == (
        "dead", 1, "it does not take this org's alerts any more",
    )  # fmt: skip


async def test_where_nothing_is_due_nothing_is_written(database_url: str) -> None:
    database = CountingDatabase(database_url)
    await database.start()
    box = Outbox(database, Listener(), Listener("other"))
    await box.put("evt_1")
    await box.deliver()
    writes, reads = database.writes, database.reads
    for _ in range(5):
        await box.deliver()
    assert (database.writes - writes, database.reads - reads) == (0, 5)
    await database.close()


async def test_what_waits_for_a_notifier_that_is_gone_is_told_once_and_listed_as_dead(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    box = Outbox(database, Listener())
    await box.put("evt_1", "evt_2", to="gone")
    box.clock.advance(hours=2)
    for _ in range(3):
        await box.deliver()
    (warning,) = [each for each in caplog.messages if "gone" in each]
    assert warning.startswith("2 alert(s) wait for the notifier gone, which is not loaded here")
    dead = ("dead", 0, "no such notifier is loaded here")
    assert await box.states() == {"evt_1 gone": dead, "evt_2 gone": dead}


async def test_who_took_a_notifier_away_long_ago_is_not_told_at_every_start(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    box = Outbox(database, Listener())
    await box.put("evt_1", to="gone")
    box.clock.advance(days=4)
    await box.deliver()
    assert caplog.messages == []


async def test_one_that_is_loaded_again_gets_what_waited(database: Database) -> None:
    box = Outbox(database)
    await box.put("evt_1")
    box.clock.advance(days=1)
    await box.deliver()
    listener = Listener()
    await Outbox(database, listener, clock=box.clock).deliver()
    assert listener.heard == ["evt_1"]


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


async def test_a_deadline_cuts_an_attempt_off_and_does_not_count_it(database: Database) -> None:
    hanging = Hanging()
    box = Outbox(database, hanging)
    await box.put("evt_1", to="hanging")
    began = await box.next_attempt("evt_1")
    async with asyncio.timeout(10):  # less than a notifier has
        await box.service.deliver_due(time.monotonic() + 0.5)
    assert hanging.was_cancelled
    assert await box.states() == {"evt_1 hanging": ("waiting", 0, None)}
    assert await box.next_attempt("evt_1") == began


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        (600.0, timedelta(minutes=10)),
        (1e300, timedelta(days=1)),
        (float("nan"), timedelta(0)),
        (-5.0, timedelta(0)),
        ("soon", timedelta(0)),
    ],
)
async def test_a_receiver_that_asks_to_wait_is_left_alone_by_every_alert(
    database: Database, asked: float, waits: timedelta
) -> None:
    busy = Listener(problem=ServiceUnavailable("429", retry_after_seconds=asked))
    box = Outbox(database, busy, Listener("other"))
    await box.put("evt_1", "evt_2", "evt_3")
    await box.put("evt_4", to="other")
    began = box.clock.now()
    await box.deliver()
    assert busy.asked == (1 if waits else 3)
    moments = [await box.next_attempt(f"evt_{number}") for number in (1, 2, 3)]
    assert all(waits <= each - began < waits + timedelta(seconds=6) for each in moments)
    assert sum(made for _, made, _ in (await box.states()).values()) == busy.asked + 1
    busy.problem = None
    box.clock.moment = max(moments)
    await box.deliver()
    assert sorted(busy.heard) == ["evt_1", "evt_2", "evt_3"]


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


async def test_who_disconnects_meanwhile_hears_of_no_next_attempt(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Listener):
        async def notify(self, alert: Alert) -> None:
            await database.write(lambda tx: alerts.delete_provider(tx, "org_1", "stripe"))
            await super().notify(alert)

    for attempts in (1, 3):
        box = Outbox(database, Failing(problem=ConnectionError()), attempts=attempts)
        await box.put("evt_1")
        await box.deliver()
        assert await box.states() == {}
    assert caplog.messages == []
