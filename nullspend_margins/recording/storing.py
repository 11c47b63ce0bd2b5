"""From lines to stored events: read, grouped, submitted; one bad event stops no other."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from nullspend_margins.domain.cost import CostEvent
from nullspend_margins.errors import MarginsError, ServiceUnavailable, ValidationFailed

BATCH_LINES = 500

_MOST_FAILURES = 3
_FAILURES_OF_AN_OUTAGE = 10

_KIND = re.compile(rb"[A-Za-z_]{1,100}")

_log = logging.getLogger("nullspend_margins.recording")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A line read: whose event it is, by which source, and the event."""

    org_id: str
    source: str
    event: CostEvent


Read = Callable[[bytes], Recorded | None]
"""Turns the body of a line into an event; ``None`` when there is nothing to store."""
Submit = Callable[[str, str, Sequence[CostEvent]], Awaitable[object]]
"""Stores events of an org and a source, exactly once by their ids."""
Check = Callable[[CostEvent], str | None]
"""What is wrong with an event that can be read."""


class Fate(Enum):
    """What became of a line."""

    WRITTEN = auto()
    REFUSED = auto()
    WAITS = auto()
    UNKNOWN = auto()
    """Of a kind that nobody here reads."""


class LineStore:
    """Stores what lines hold, from any event loop."""

    def __init__(self, readers: Mapping[bytes, Read], submit: Submit, check: Check) -> None:
        self._readers = readers
        self._submit = submit
        self._check = check
        self._failures: Counter[bytes] = Counter()

    @property
    def kinds(self) -> int:
        """How many kinds of lines can be read."""
        return len(self._readers)

    async def store(self, lines: Sequence[bytes]) -> list[Fate]:
        """Submit what ``lines`` hold; the fate of each, in order. Never raises but to cancel."""
        found = await asyncio.to_thread(lambda: [self._read(line) for line in lines])
        round_ = _Round(self._submit, found, is_shuffled=bool(self._failures))
        await round_.run()
        return [
            self._judge(line, fate, any_written=round_.any_written)
            for line, fate in zip(lines, round_.fates, strict=True)
        ]

    def _read(self, line: bytes) -> Recorded | Fate:
        kind, _, body = line.rstrip(b"\n").partition(b" ")
        read = self._readers.get(kind)
        if read is None:
            return self._unread(kind)
        try:
            recorded = read(body)
        except Exception as problem:
            # What is wrong names a field, not a value; the line itself is not for the log.
            _log.error("a recorded %s cannot be read: %s", kind.decode(), _reason(problem))
            return Fate.REFUSED
        if recorded is None:
            return Fate.WRITTEN
        problem_of_event = self._check(recorded.event)
        if problem_of_event is not None:
            _tell_refused(recorded, problem_of_event)
            return Fate.REFUSED
        return recorded

    def _unread(self, kind: bytes) -> Fate:
        if is_kind(kind):
            return Fate.UNKNOWN
        _log.error("a recorded line is damaged, as a power failure leaves it")
        return Fate.REFUSED

    def _judge(self, line: bytes, fate: Fate | Exception, *, any_written: bool) -> Fate:
        """An event that fails again and again while others are stored is the reason itself."""
        if not isinstance(fate, Exception):
            if fate is not Fate.WAITS:
                self._failures.pop(line, None)
            return fate
        self._failures[line] += any_written
        if self._failures[line] < _MOST_FAILURES:
            return Fate.WAITS
        self._failures.pop(line)
        _log.error("a recorded cost event is refused after %d tries", _MOST_FAILURES, exc_info=fate)
        return Fate.REFUSED


class _Round:
    """One try for each line."""

    def __init__(
        self, submit: Submit, found: Sequence[Recorded | Fate], *, is_shuffled: bool
    ) -> None:
        self._submit = submit
        self._failed = 0
        self.any_written = False
        self.fates: list[Fate | Exception] = [
            Fate.WAITS if isinstance(each, Recorded) else each for each in found
        ]
        groups: dict[tuple[str, str], list[tuple[int, Recorded]]] = defaultdict(list)
        for index, each in enumerate(found):
            if isinstance(each, Recorded):
                groups[each.org_id, each.source].append((index, each))
        if is_shuffled:  # else those that fail would always be the first, and the last ones tried
            for group in groups.values():
                random.shuffle(group)
        self._groups = groups

    async def run(self) -> None:
        await asyncio.gather(*(self._try(group) for group in self._groups.values()))

    async def _try(self, group: Sequence[tuple[int, Recorded]]) -> None:
        if self._failed >= _FAILURES_OF_AN_OUTAGE and not self.any_written:
            return  # it is not these events
        first = group[0][1]
        try:
            await self._submit(first.org_id, first.source, [each.event for _, each in group])
        except ServiceUnavailable:
            return
        except Exception as problem:
            if len(group) > 1:  # which one is it?
                middle = len(group) // 2
                await self._try(group[:middle])
                await self._try(group[middle:])
            else:
                self._fail(*group[0], problem)
            return
        self.any_written = True
        for index, _ in group:
            self.fates[index] = Fate.WRITTEN

    def _fail(self, index: int, recorded: Recorded, problem: Exception) -> None:
        if isinstance(problem, ValidationFailed):
            _tell_refused(recorded, problem.message)
            self.fates[index] = Fate.REFUSED
        else:
            self._failed += 1
            self.fates[index] = problem


def is_kind(kind: bytes) -> bool:
    """Whether a line may begin with it."""
    return _KIND.fullmatch(kind) is not None


def _reason(problem: Exception) -> str:
    return problem.message if isinstance(problem, MarginsError) else type(problem).__name__


def _tell_refused(recorded: Recorded, reason: str) -> None:
    _log.error(
        "a recorded cost event is refused: %r of org %s, source %s: %s",
        recorded.event.event_id,
        recorded.org_id,
        recorded.source,
        reason,
    )
