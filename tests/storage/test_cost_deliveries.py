"""When sources delivered: the latest of each, whatever the order of writing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from nullspend_margins.domain.delivery import ALL_ORGS, Delivery, DeliveryRecord
from nullspend_margins.domain.period import day_number
from nullspend_margins.storage import cost_deliveries
from nullspend_margins.storage.database import Database
from tests.storage.builders import NOW, ORG

LATER = NOW + timedelta(minutes=5)
TODAY = day_number(NOW)


def delivery(source: str = "api", now: datetime = NOW, **values: Any) -> Delivery:
    return Delivery(org_id=ORG, source=source, delivered_at=now, **values)


def record(source: str = "api", **values: Any) -> DeliveryRecord:
    known: dict[str, Any] = dict.fromkeys(DeliveryRecord._fields)
    return DeliveryRecord(**{**known, "org_id": ORG, "source": source, **values})


async def test_each_column_keeps_the_latest(database: Database) -> None:
    deliveries = [
        delivery(),
        delivery(now=LATER, newest_at=NOW, newest_day=TODAY),
        delivery(newest_day=TODAY + 1),
        delivery(newest_at=NOW - timedelta(days=3), newest_day=TODAY - 3),
    ]

    def work(tx: Connection) -> list[DeliveryRecord]:
        for each in deliveries:
            cost_deliveries.record(tx, [each])
        return cost_deliveries.of_org(tx, ORG)

    expected = record(delivered_at=LATER, newest_at=NOW, newest_day=TODAY + 1)
    assert await database.write(work) == [expected]


async def test_an_org_sees_its_own_records_and_those_of_all(database: Database) -> None:
    def work(tx: Connection) -> list[DeliveryRecord]:
        other = Delivery(org_id="org_2", source="api", delivered_at=NOW)
        cost_deliveries.record(tx, [delivery("api"), delivery("gateway"), other])
        cost_deliveries.mark_answered(tx, "gateway", LATER)
        return cost_deliveries.of_org(tx, ORG)

    assert await database.write(work) == [
        record("gateway", org_id=ALL_ORGS, delivered_at=LATER),
        record("api", delivered_at=NOW),
        record("gateway", delivered_at=NOW),
    ]


async def test_a_failure_keeps_the_last_answer_and_an_answer_ends_it(database: Database) -> None:
    def work(tx: Connection) -> list[Any]:
        found = []
        for step in (
            lambda: cost_deliveries.mark_failed(tx, "new", "down"),
            lambda: cost_deliveries.mark_answered(tx, "new", NOW),
            lambda: cost_deliveries.mark_failed(tx, "new", "down again"),
            lambda: cost_deliveries.mark_answered(tx, "new", LATER),
        ):
            step()
            found += [each[2::3] for each in cost_deliveries.of_org(tx, ORG)]
        return found

    assert await database.write(work) == [
        (None, "down"), (NOW, None), (NOW, "down again"), (LATER, None),
    ]  # fmt: skip


async def test_a_silence_is_told_by_whoever_is_first(database: Database) -> None:
    def work(tx: Connection) -> list[Any]:
        cost_deliveries.record(tx, [delivery()])
        known = cost_deliveries.of_org(tx, ORG)[0]
        marks = [cost_deliveries.mark_silent(tx, known, NOW) for _ in range(2)]
        told = cost_deliveries.of_org(tx, ORG)[0]
        return [marks, told.silent_since, cost_deliveries.mark_silent(tx, told, None)]

    assert await database.write(work) == [[True, False], NOW, True]


async def test_the_watch_looks_at_old_deliveries_and_told_silences(database: Database) -> None:
    def work(tx: Connection) -> list[Any]:
        cost_deliveries.record(tx, [delivery("a"), delivery("b", LATER), delivery("c", LATER)])
        told = cost_deliveries.of_org(tx, ORG)[2]
        cost_deliveries.mark_silent(tx, told, NOW)
        cost_deliveries.mark_answered(tx, "pulled", LATER)
        return [
            [each.source for each in cost_deliveries.maybe_changed(tx, before)]
            for before in (LATER, NOW, None)
        ]

    assert await database.write(work) == [["pulled", "a", "c"], ["pulled", "c"], ["pulled", "c"]]
