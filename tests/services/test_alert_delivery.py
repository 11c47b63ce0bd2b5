"""The outbox: retries, dead letters, and notifiers that misbehave."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from nullspend_margins import Alert, ServiceUnavailable, ValidationFailed
from nullspend_margins.domain.alert import RETRY_PAUSES
from nullspend_margins.storage import alerts
from nullspend_margins.storage.database import Database
from tests.services.outbox import CountingDatabase, Hanging, Listener, Outbox


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


async def test_who_is_left_alone_is_so_by_what_becomes_due_meanwhile(database: Database) -> None:
    listener = Listener(problem=ConnectionError())
    box = Outbox(database, listener)
    await box.put("evt_1")
    await box.deliver()
    listener.problem = ServiceUnavailable("429", retry_after_seconds=600)
    await box.put("evt_2")
    await box.deliver()
    await box.put("evt_3")  # raised after the receiver has asked
    box.clock.moment += timedelta(minutes=1)  # the second attempt of the first would be due
    await box.deliver()
    assert listener.asked == 2
    listener.problem = None
    box.clock.moment += timedelta(minutes=10)
    await box.deliver()
    assert sorted(listener.heard) == ["evt_1", "evt_2", "evt_3"]


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
