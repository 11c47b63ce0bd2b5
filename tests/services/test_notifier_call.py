"""One call of a notifier: whatever it does is an outcome."""

from __future__ import annotations

import asyncio
import logging

import pytest

from nullspend_margins import Alert, ServiceUnavailable
from nullspend_margins.services.notifier_call import Failure, notify
from nullspend_margins.storage.database import Database
from tests.services.outbox import Hanging, Listener, Outbox


class Mute(ServiceUnavailable):
    """Made without the product's ``__init__``."""

    def __init__(self) -> None:
        Exception.__init__(self)


class Worse(Mute):
    def __str__(self) -> str:
        raise RuntimeError("not even that")


ALERT = Alert(alert_id="evt_1", org_id="org_1", type="margin.threshold_crossed", payload={})


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
