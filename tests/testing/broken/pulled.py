"""A pulled cost source that keeps every rule, and those that each break one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import uuid4

from nullspend_margins import (
    CostBatch,
    CostEvent,
    CostFact,
    ServiceUnavailable,
)
from nullspend_margins.testing import (
    PulledCostSourceSuite,
)
from tests.testing.support import network


def event(number: int) -> CostEvent:
    return CostEvent(
        event_id=f"e{number}",
        provider="acme",
        model="m",
        cost_nanodollars=100 * number,
        occurred_at=datetime(2026, 4, number, tzinfo=UTC),
        tag_value="c",
    )


class Export:
    name = "export"
    is_garbled = False
    other_json: Any = ...

    def __init__(self, *, good_batches: int = 99) -> None:
        self.rows: list[tuple[str, list[CostEvent], list[CostFact]]] = [
            ("org_1", [event(1), event(2)], []),
            ("org_2", [event(1)], []),
            ("org_1", [event(3)], [self.fact(5)]),
            ("org_1", [], [self.fact(-7)]),
        ]
        self.good_batches = good_batches

    @staticmethod
    def fact(cost: int) -> CostFact:
        day = date(2026, 4, 1)
        return CostFact(key="bill", provider="a", model="m", cost_nanodollars=cost, day=day)

    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        for number in range(int(cursor or 0), len(self.rows)):
            await network()
            if number >= self.good_batches:
                raise ServiceUnavailable("Acme's export does not answer.")
            org_id, events, facts = self.rows[number]
            yield CostBatch(org_id=org_id, events=events, facts=facts, cursor=str(number + 1))


class ExportRules(PulledCostSourceSuite):
    plugin: ClassVar[type[Export]] = Export
    nanodollars: Mapping[str, int] = {"org_1": 100 + 200 + 300 - 7, "org_2": 100}

    def make(self) -> Export:
        return self.plugin()

    def make_unreachable(self) -> Export:
        return self.plugin(good_batches=0)

    def make_garbled(self, status: int) -> Export:
        garbled = self.make_unreachable()
        garbled.is_garbled = True
        return garbled

    def make_answering(self, body: object) -> Export:
        answering = self.make_garbled(200)
        answering.other_json = body
        return answering

    def make_failing_half_way(self) -> Export:
        return self.plugin(good_batches=2)

    def add_costs(self, source: Any) -> None:
        source.rows.append(("org_1", [event(9)], []))


class Changed(Export):
    """An export whose batches go through ``change``."""

    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        async for batch in super().pull(cursor):
            yield self.change(batch)

    def change(self, batch: CostBatch) -> CostBatch:
        return batch


class HasRowsInIt(Changed):
    def change(self, batch: CostBatch) -> CostBatch:
        row: Any = SimpleNamespace(event_id=f"row {batch.cursor}", cost_nanodollars=0)
        return replace(batch, events=[*batch.events, row])


class YieldsAllAtOnce(Export):
    def __init__(self, *, good_batches: int = 99) -> None:
        super().__init__(good_batches=good_batches)
        free = [replace(event(1), event_id=f"f{n}", cost_nanodollars=0) for n in range(1001)]
        self.rows.insert(1, ("org_1", free, []))


class CountsInNumbers(Changed):
    def change(self, batch: CostBatch) -> CostBatch:
        return replace(batch, cursor=int(batch.cursor))  # type: ignore[arg-type]


class NamesTheModel(Changed):
    def change(self, batch: CostBatch) -> CostBatch:
        early = [each for each in batch.events if each.occurred_at.day < 9]
        late = [each for each in batch.events if each not in early]
        return replace(batch, events=[*late, *(replace(each, event_id="m") for each in early)])


class StampsNow(Export):
    def __init__(self, *, good_batches: int = 99) -> None:
        super().__init__(good_batches=good_batches)
        self.stamps = count()

    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        stamp = str(next(self.stamps))
        async for batch in super().pull(cursor):
            events = [replace(each, session_id=stamp) for each in batch.events]
            yield replace(batch, events=events)


class MakesIds(Changed):
    """The mistake one meets; it breaks more than one rule."""

    def change(self, batch: CostBatch) -> CostBatch:
        events = [replace(each, event_id=uuid4().hex) for each in batch.events]
        return replace(batch, events=events)


class PointsOneTooFar(Export):
    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        further = str(min(int(cursor) + 1, len(self.rows))) if cursor else None
        async for batch in super().pull(further if cursor == "1" else cursor):
            yield batch


class BeginsAgain(Export):
    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        async for batch in super().pull(None):
            yield batch


class IsDone(Changed):
    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        if cursor != "done":
            async for batch in super().pull(cursor):
                yield batch

    def change(self, batch: CostBatch) -> CostBatch:
        return replace(batch, cursor="done") if batch.cursor == str(len(self.rows)) else batch


class LeavesATask(Export):
    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        ahead = asyncio.create_task(asyncio.Event().wait())
        async for batch in super().pull(cursor):
            yield batch
        ahead.cancel()


class CountsMicrodollars(Changed):
    def change(self, batch: CostBatch) -> CostBatch:
        events: list[CostEvent] = [
            replace(each, cost_nanodollars=each.cost_nanodollars * 1000) for each in batch.events
        ]
        return replace(batch, events=events)


class IsEmptyWhenDown(Export):
    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        if self.good_batches or self.is_garbled:
            async for batch in super().pull(cursor):
                yield batch


class EndsHalfWay(Export):
    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        came = False
        try:
            async for batch in super().pull(cursor):
                yield batch
                came = True
        except ServiceUnavailable:
            if not came:
                raise


class DecodesBlindly(Export):
    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        if self.is_garbled and self.other_json is ...:
            json.loads("<!doctype html>")
        async for batch in super().pull(cursor):
            yield batch


class ReadsFieldsBlindly(Export):
    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        if self.other_json is not ...:
            self.rows = [(row["org"], [], []) for row in self.other_json]
            self.good_batches = 99
        async for batch in super().pull(cursor):
            yield batch


class QuotesTheUrl(Export):
    async def pull(self, cursor: str | None) -> AsyncIterator[CostBatch]:
        try:
            async for batch in super().pull(cursor):
                yield batch
        except ServiceUnavailable:
            url = "https://reader:hush@acme.example/export"
            raise ServiceUnavailable(f"{url} does not answer.") from None


PULLED: dict[str, type] = {
    "test_a_batch_is_of_one_org_and_holds_events_and_facts": HasRowsInIt,
    "test_a_batch_holds_at_most_1000": YieldsAllAtOnce,
    "test_a_cursor_is_a_short_string": CountsInNumbers,
    "test_an_event_id_names_one_event": NamesTheModel,
    "test_two_pulls_give_the_same": StampsNow,
    "test_a_pull_goes_on_from_any_cursor": PointsOneTooFar,
    "test_nothing_comes_again_after_the_last_cursor": BeginsAgain,
    "test_new_costs_come_after_the_last_cursor": IsDone,
    "test_a_pull_may_end_early": LeavesATask,
    "test_the_costs_add_up_to_the_samples": CountsMicrodollars,
    "test_an_unreachable_source_is_not_an_empty_one": IsEmptyWhenDown,
    "test_a_failure_half_way_is_raised": EndsHalfWay,
    "test_an_answer_that_is_none_is_a_failure": DecodesBlindly,
    "test_json_of_another_form_is_a_failure": ReadsFieldsBlindly,
    "test_a_failure_keeps_secrets_and_urls_to_itself": QuotesTheUrl,
}
