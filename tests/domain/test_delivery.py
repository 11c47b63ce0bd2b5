"""Which deliveries are worth a write, and what records say of a source."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from nullspend_margins import CostEvent, CostFact
from nullspend_margins.domain.delivery import ALL_ORGS, Delivery, DeliveryRecord, source_states
from nullspend_margins.domain.period import day_number
from nullspend_margins.domain.silence import Silence
from nullspend_margins.services.delivery_log import _MOST, DeliveryLog

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = day_number(NOW)


def delivery(seconds: int = 0, newest: int | None = None, day: int | None = None) -> Delivery:
    return Delivery(
        org_id="org_1",
        source="api",
        delivered_at=NOW + timedelta(seconds=seconds),
        newest_at=None if newest is None else NOW + timedelta(seconds=newest),
        newest_day=day,
    )


def record(org_id: str = "org_1", **values: Any) -> DeliveryRecord:
    known: dict[str, Any] = dict.fromkeys(DeliveryRecord._fields)
    return DeliveryRecord(**{**known, "org_id": org_id, "source": "gateway", **values})


def test_the_newest_cost_is_the_latest_event_or_the_last_day_of_a_fact() -> None:
    common: dict[str, Any] = {"provider": "p", "model": "m", "cost_nanodollars": 1}
    events = [
        CostEvent(event_id=str(hours), occurred_at=NOW - timedelta(hours=hours), **common)
        for hours in (30, 5, 48)
    ]
    facts = [CostFact(key=str(day), day=date(2026, 11, day), **common) for day in (18, 21, 19)]
    both = Delivery.of("org_1", "api", NOW, events, facts)
    assert (both.newest_at, both.newest_day) == (NOW - timedelta(hours=5), TODAY + 1)
    assert Delivery.of("org_1", "api", NOW, events).newest_day == TODAY
    nothing = Delivery.of("org_1", "api", NOW)
    assert (nothing.newest_at, nothing.newest_day) == (None, None)


@pytest.mark.parametrize(
    ("later", "is_worth_it"),
    [
        (delivery(59, newest=0, day=5), False),
        (delivery(60, newest=0, day=5), True),
        (delivery(1, newest=59, day=5), False),
        (delivery(1, newest=60, day=5), True),
        (delivery(1, newest=-9_999, day=4), False),
        (delivery(1, day=6), True),
        (delivery(1), False),
    ],
)
def test_a_minute_more_is_worth_a_write(later: Delivery, is_worth_it: bool) -> None:
    assert later.says_more_than(delivery(0, newest=0, day=5)) is is_worth_it


def test_old_costs_among_new_ones_cause_no_further_writes() -> None:
    log = DeliveryLog()
    for seconds, newest in ((0, 0), (60, -9_000)):
        [written] = log.unwritten([delivery(seconds, newest=newest)])
        log.note([written])
    assert log.unwritten([delivery(61, newest=1)]) == []


def test_what_was_not_committed_is_written_again() -> None:
    log = DeliveryLog()
    assert log.unwritten([delivery()]) == [delivery()]
    assert log.unwritten([delivery(1)]) == [delivery(1)]


def test_the_log_forgets_rather_than_grows() -> None:
    log = DeliveryLog()
    for number in range(_MOST + 1):
        log.note([Delivery(org_id=str(number), source="api", delivered_at=NOW)])
    assert len(log._written) == 1


def test_a_source_is_what_its_records_and_the_loaded_plugins_say() -> None:
    def kinds(records: list[DeliveryRecord], **loaded: Any) -> list[tuple[str, str, Any]]:
        found = source_states(records, loaded, NOW)
        return [(each.name, each.kind, each.delivered_at) for each in found]

    own, earlier = record(delivered_at=NOW), NOW - timedelta(hours=1)
    shared = record(ALL_ORGS, delivered_at=earlier)
    assert kinds([own]) == [("gateway", "pushed", NOW)]
    assert kinds([own, shared]) == [("gateway", "pulled", NOW)]
    assert kinds([shared]) == []
    assert kinds([shared], gateway="pulled") == [("gateway", "pulled", earlier)]
    assert kinds([], gateway="pulled") == [("gateway", "pulled", None)]
    assert kinds([], warehouse="aggregating") == [("warehouse", "aggregating", NOW)]


def test_silence_begins_after_the_last_delivery_and_never_without_one() -> None:
    [state] = source_states([record(delivered_at=NOW)], {}, NOW)
    hour = timedelta(hours=1)
    assert not state.is_stale(NOW + hour, hour)
    assert state.is_stale(NOW + hour + timedelta(microseconds=1), hour)
    assert not state.is_stale(NOW + 99 * hour, None)
    assert state.silent_for(NOW - hour) == timedelta()
    [never] = source_states([record()], {}, NOW)
    assert (never.silent_for(NOW), never.is_stale(NOW, hour)) == (None, False)


def test_two_silences_of_a_source_are_two_occasions() -> None:
    def silence(last: datetime) -> Silence:
        return Silence(
            source="api",
            kind="pushed",
            last_delivered_at=last,
            silent_for=timedelta(hours=2),
            stale_after=timedelta(hours=1),
            last_error=None,
        )

    assert silence(NOW).occasion == "since 2026-11-20T12:00:00.000000+00:00"
    assert silence(NOW).occasion != silence(NOW + timedelta(microseconds=1)).occasion
