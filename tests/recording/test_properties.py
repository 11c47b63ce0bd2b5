"""Whatever happens in whatever order: what was taken is stored exactly once in the end."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from nullspend_margins.recording import Recorder
from nullspend_margins.recording.storing import Fate
from tests.recording.fakes import Computer, kill, record

PROCESSES = 2
Step = tuple[str, int]

HAPPENINGS = ("append", "append", "append", "flush", "half", "away", "back")
WITH_PROCESSES = (*HAPPENINGS, "flush", "kill", "close", "adopt")
WITH_THE_DISK = (*HAPPENINGS, "later", "full", "room", "cut")


def steps(happenings: tuple[str, ...]) -> st.SearchStrategy[list[Step]]:
    return st.lists(st.tuples(st.sampled_from(happenings), st.integers(0, 3)), max_size=40)


class Dormant(Recorder):
    """Without a flusher: the test does what it would do, at the moment it says."""

    def start(self) -> None:
        pass


@dataclass
class Story:
    """What happened so far."""

    computer: Computer
    recorders: list[Recorder] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    refused_at_once: set[int] = field(default_factory=set)
    seconds: float = 0.0
    _next: int = 0

    def __post_init__(self) -> None:
        self.recorders = [self.fresh() for _ in range(PROCESSES)]

    def fresh(self) -> Recorder:
        recorder = self.computer.recorder()
        recorder.__class__ = Dormant
        recorder._backlog.journal._monotonic = lambda: self.seconds
        return recorder

    async def tell(self, step: Step) -> None:
        name, number = step
        which = number % PROCESSES
        recorder = self.recorders[which]
        happenings: dict[str, Callable[[], object]] = {
            "append": lambda: self.append(recorder, number),
            "kill": lambda: self.replace(which, kill(recorder)),
            "away": lambda: setattr(self.computer.database, "is_away", True),
            "back": lambda: setattr(self.computer.database, "is_away", False),
            "full": lambda: self.fill(number),
            "room": lambda: setattr(self.computer.disk, "is_full", False),
            "cut": lambda: setattr(self.computer.disk, "can_cut", number > 1),
            "later": lambda: setattr(self, "seconds", self.seconds + 1),
        }
        if name in happenings:
            happenings[name]()
        elif name == "flush":
            await flush(recorder, 1 + number)
        elif name == "half":
            await flush(recorder, 2 + number, settles=False)
        elif name == "close":
            await recorder.close()
        elif name == "adopt":
            await recorder.adopt()

    def append(self, recorder: Recorder, count: int) -> None:
        for _ in range(1 + count):
            self._next += 1
            [taken] = record(recorder, self._next)
            (self.taken if taken else self.refused_at_once).add(self._next)

    def replace(self, which: int, _: None) -> None:
        self.recorders[which] = self.fresh()

    def fill(self, number: int) -> None:
        self.computer.disk.is_full = True
        self.computer.disk.at_once = 100 * number or None

    async def end_well(self) -> None:
        """Everything works again, and everybody goes home."""
        self.computer.database.is_away = self.computer.disk.is_full = False
        self.computer.disk.can_cut = True
        for recorder in self.recorders:
            while recorder.counters.queued:
                await flush(recorder, 7)
            await recorder.close()
        assert await self.fresh().adopt()


async def flush(recorder: Recorder, most: int, *, settles: bool = True) -> None:
    """One round of a flusher; without ``settles``, one that was stopped before its end."""
    batch = recorder._backlog.take(most)
    fates = await recorder._store.store([line for line, _ in batch])
    if settles:
        written = [each for each, fate in zip(batch, fates, strict=True) if fate is Fate.WRITTEN]
        recorder._backlog.settle(written, [])


def told(happened: list[Step], queue_events: int, segment_bytes: int) -> Story:
    async def tell(folder: str) -> Story:
        story = Story(
            Computer(
                Path(folder) / "journal", queue_events=queue_events, segment_bytes=segment_bytes
            )
        )
        for step in happened:
            await story.tell(step)
        await story.end_well()
        return story

    with tempfile.TemporaryDirectory() as folder:
        story = asyncio.run(tell(folder))
        assert story.computer.files() == []
        return story


@settings(max_examples=150)
@given(steps(WITH_PROCESSES), st.integers(1, 6), st.sampled_from([400, 1500, 10**6]))
def test_while_the_disk_lasts_kills_and_outages_lose_nothing(
    happened: list[Step], queue_events: int, segment_bytes: int
) -> None:
    story = told(happened, queue_events, segment_bytes)
    assert not story.refused_at_once
    assert set(story.computer.database.numbers) == story.taken
    assert sum(each.counters.dropped for each in story.recorders) == 0


@settings(max_examples=150)
@given(steps(WITH_THE_DISK), st.integers(1, 6), st.sampled_from([400, 1500, 10**6]))
def test_a_disk_that_fails_loses_only_what_was_not_taken(
    happened: list[Step], queue_events: int, segment_bytes: int
) -> None:
    story = told(happened, queue_events, segment_bytes)
    assert set(story.computer.database.numbers) == story.taken
    dropped = sum(each.counters.dropped for each in story.recorders)
    assert dropped == len(story.refused_at_once)
