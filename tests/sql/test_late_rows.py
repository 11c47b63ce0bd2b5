"""Whatever comes late, in whatever pages, however often a pull is cut off: all counts once."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nullspend_margins import CostBatch
from nullspend_margins.testing import FixedClock
from tests.properties.profile import examples
from tests.sql.support import HostTable, at

OVERLAP = 30
"""Minutes."""
ORGS = ("org_1", "org_2", "org_3")


@dataclass
class Story:
    """A host that begins rows and commits them later, and a product that pulls now and then."""

    table: HostTable
    clock: FixedClock
    source: Any
    cursor: str | None = None
    begun: dict[int, tuple[datetime, tuple[object, ...]]] = field(default_factory=dict)
    spent: Counter[str] = field(default_factory=Counter)
    stored: dict[tuple[str, str], int] = field(default_factory=dict)
    last_id: int = 0

    def begin(self, org: int, cost: int, minutes: int = 0) -> None:
        """A row gets its id and its time, and is not to be seen yet; then some time goes by."""
        self.last_id += 1
        now = self.clock.now()
        row = (self.last_id, ORGS[org], "acme", "o3", cost, now.isoformat(sep=" "))
        self.begun[self.last_id] = (now, row)
        self.spent[ORGS[org]] += cost
        self.wait(minutes)

    def commit(self, which: int) -> None:
        """One of those that were begun."""
        if self.begun:
            _, row = self.begun.pop(sorted(self.begun)[which % len(self.begun)])
            self.table.insert(row)

    def wait(self, minutes: int) -> None:
        """Time goes by; nobody keeps a transaction open for longer than the overlap."""
        later = self.clock.now() + timedelta(minutes=minutes)
        for row_id, (when, _) in sorted(self.begun.items()):
            if later - when > timedelta(minutes=OVERLAP):
                self.table.insert(self.begun.pop(row_id)[1])
        self.clock.moment = later

    async def pull(self, most_batches: int, meanwhile: Iterator[tuple[Any, ...]]) -> int:
        """Cut off after so many batches; between them the host goes on."""
        batches, seen = self.source.pull(self.cursor), 0
        async for batch in batches:
            self.store(batch)
            seen += 1
            if seen == most_batches:
                break
            if (step := next(meanwhile, None)) is not None:
                self.do(*step)
        await batches.aclose()
        return seen

    def store(self, batch: CostBatch) -> None:
        """As the product does: events by their first delivery, facts by their last."""
        for event in batch.events:
            self.stored.setdefault((batch.org_id, event.event_id), event.cost_nanodollars)
        for fact in batch.facts:
            self.stored[batch.org_id, fact.key] = fact.cost_nanodollars
        self.cursor = batch.cursor

    def do(self, what: str, *arguments: int) -> None:
        {"begin": self.begin, "commit": self.commit, "wait": self.wait}[what](*arguments)

    def sums(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (org_id, _), cost in self.stored.items():
            found[org_id] += cost
        return found


BEGIN = st.tuples(st.just("begin"), st.integers(0, 2), st.integers(1, 10**6), st.integers(0, 9))
COMMIT = st.tuples(st.just("commit"), st.integers(0, 3))
HOST = st.one_of(BEGIN, BEGIN, COMMIT, st.tuples(st.just("wait"), st.integers(0, 2 * OVERLAP)))
PULL = st.tuples(st.just("pull"), st.sampled_from([1, 2, 3, 10**6]), st.lists(HOST, max_size=3))
STEPS = st.lists(st.one_of(HOST, HOST, PULL), min_size=20, max_size=60)


async def tell(story: Story, steps: Sequence[tuple[Any, ...]]) -> None:
    for what, *rest in steps:
        if what == "pull":
            await story.pull(rest[0], iter(rest[1]))
        else:
            story.do(what, *rest)
    while story.begun:
        story.commit(0)
    for _ in range(2):  # the first may go on where one was cut off
        await story.pull(10**6, iter(()))
    assert story.sums() == +story.spent


def story(table: HostTable, page_rows: int, **changes: Any) -> Story:
    clock = FixedClock(at("2026-04-30 23:00:00"))
    made = table.source(
        clock=clock,
        unit="nanodollars",
        page_rows=page_rows,
        overlap_minutes=OVERLAP,
        **changes,
    )
    return Story(table, clock, made)


WAYS = pytest.mark.parametrize(
    "changes",
    [{}, {"cursor": "id"}, {"corrections": True}],
    ids=["by-time", "by-id", "as-facts"],
)


@WAYS
@examples(40)
@given(steps=STEPS, page_rows=st.sampled_from([1, 2, 3, 7, 1000]))
def test_every_row_counts_once_on_sqlite(
    changes: dict[str, Any], steps: Sequence[tuple[Any, ...]], page_rows: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = HostTable(f"sqlite:///{Path(folder)}/host.db")
        asyncio.run(tell(story(table, page_rows, **changes), steps))


@WAYS
@examples(10)
@given(steps=STEPS, page_rows=st.sampled_from([1, 2, 7]))
def test_every_row_counts_once_on_postgresql(
    postgres_url: str,
    changes: dict[str, Any],
    steps: Sequence[tuple[Any, ...]],
    page_rows: int,
) -> None:
    drop = "DROP TABLE IF EXISTS usage_log; "
    table = HostTable(
        postgres_url,
        drop + "CREATE TABLE usage_log (id BIGINT PRIMARY KEY, org TEXT, customer TEXT, "
        "model TEXT, cost BIGINT, at TIMESTAMP)",
    )
    asyncio.run(tell(story(table, page_rows, **changes), steps))


@WAYS
def test_what_is_read_again_is_what_may_have_come_late(
    table: HostTable, changes: dict[str, Any]
) -> None:
    """Not the whole table: what was spent, or begun, in about the last half hour."""
    here = story(table, 1000, **changes)

    async def day() -> int:
        for number in range(24 * 12):
            here.begin(0, 1)
            here.commit(0)
            here.wait(5)
            if number % 6 == 5:
                await here.pull(10**6, iter(()))
        again: list[CostBatch] = [batch async for batch in here.source.pull(here.cursor)]
        return sum(len(each.events) + len(each.facts) for each in again)

    assert asyncio.run(day()) <= 3 * OVERLAP / 5
    assert len(here.stored) == 24 * 12
