"""Dead letters, sent again."""

from __future__ import annotations

from typing import Any

import pytest

from nullspend_margins import ServiceUnavailable, ValidationFailed
from nullspend_margins.storage.database import Database
from tests.services.outbox import Listener, Outbox

DOWN = ServiceUnavailable("hooks.example.com answered with 503.")


@pytest.fixture
async def listener() -> Listener:
    return Listener(problem=DOWN)


@pytest.fixture
async def box(database: Database, listener: Listener) -> Outbox:
    """Two dead alerts of one org, one of another, and one that is waiting."""
    box = Outbox(database, listener, attempts=1)
    await box.put("evt_1", "evt_2")
    box.clock.advance(seconds=1)
    await box.put("evt_3", org_id="org_2")
    await box.deliver()
    await box.put("evt_4")
    listener.asked = 0
    return box


async def outcomes(sending: Any) -> list[tuple[str, str]]:
    return [(each.delivery.alert.alert_id, each.outcome) async for each in sending]


async def test_an_orgs_dead_alerts_are_sent_again_and_no_others(
    box: Outbox, listener: Listener
) -> None:
    listener.problem = None
    sent = await outcomes(box.service.resend("org_1"))
    assert sorted(sent) == [("evt_1", "delivered"), ("evt_2", "delivered")]
    assert sorted(listener.heard) == ["evt_1", "evt_2"]
    states = {name: state for name, (state, *_) in (await box.states()).items()}
    assert states == {
        "evt_1 listener": "delivered",
        "evt_2 listener": "delivered",
        "evt_3 listener": "dead",
        "evt_4 listener": "waiting",
    }


async def test_the_operator_sends_those_of_every_org_oldest_first(
    box: Outbox, listener: Listener
) -> None:
    listener.problem = None
    sent = await outcomes(box.service.resend_of_every_org())
    assert sent[2] == ("evt_3", "delivered")
    assert len(sent) == 3
    assert await outcomes(box.service.resend_of_every_org()) == []


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({"alert_id": "evt_2"}, ["evt_2"]),
        ({"alert_id": "evt_3"}, []),  # another org's
        ({"alert_id": "evt_4"}, []),  # not dead
        ({"notifier": "other"}, []),
    ],
)
async def test_they_can_be_narrowed_down(
    box: Outbox, listener: Listener, which: dict[str, str], expected: list[str]
) -> None:
    listener.problem = None
    assert [name for name, _ in await outcomes(box.service.resend("org_1", **which))] == expected


async def test_one_that_fails_again_starts_anew(database: Database) -> None:
    listener = Listener(problem=DOWN)
    box = Outbox(database, listener, attempts=3)
    await box.put("evt_1")
    await box.until_dead()
    [resent] = [each async for each in box.service.resend("org_1")]
    assert (resent.outcome, resent.reason) == ("failed", DOWN.message)
    assert await box.states() == {"evt_1 listener": ("waiting", 1, DOWN.message)}
    box.clock.moment = await box.next_attempt("evt_1")
    assert await box.until_dead() == 2


async def test_one_that_is_refused_again_is_dead_again_and_not_sent_for_ever(
    box: Outbox, listener: Listener
) -> None:
    listener.problem = ValidationFailed("The channel was archived.")
    sent = await outcomes(box.service.resend("org_1"))
    assert sorted(sent) == [("evt_1", "failed"), ("evt_2", "failed")]
    assert (await box.states())["evt_1 listener"] == ("dead", 1, "The channel was archived.")


async def test_one_whose_notifier_is_not_loaded_here_is_put_back_for_a_process_that_has_it(
    box: Outbox, listener: Listener
) -> None:
    elsewhere = Outbox(box.database, clock=box.clock)
    sent = await outcomes(elsewhere.service.resend("org_2"))
    assert sent == [("evt_3", "put back")]
    assert listener.asked == 0
    listener.problem = None
    await box.deliver()
    assert "evt_3" in listener.heard


async def test_two_who_send_it_again_at_once_deliver_it_once(
    box: Outbox, listener: Listener
) -> None:
    listener.problem = None
    sending = [box.service.resend("org_2"), box.service.resend("org_2")]
    found = [await anext(each, None) for each in sending]
    assert [each and each.outcome for each in found] == ["delivered", None]
    assert listener.heard == ["evt_3"]


async def test_who_comes_too_late_is_told_that_it_is_taken(box: Outbox, listener: Listener) -> None:
    listener.problem = None
    [dead] = await box.service.deliveries("org_2", dead=True)
    queue = box.service._queues["listener"]
    assert [(await queue.resend(dead)).outcome for _ in range(2)] == ["delivered", "taken"]
    assert listener.heard == ["evt_3"]
