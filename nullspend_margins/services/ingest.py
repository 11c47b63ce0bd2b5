"""Takes in cost events, many requests to one commit."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from nullspend_margins.domain.cost import CostEvent
from nullspend_margins.domain.delivery import Delivery
from nullspend_margins.domain.fields import string_problem
from nullspend_margins.domain.text import MAX_TEXT
from nullspend_margins.errors import (
    InternalError,
    MarginsError,
    ServiceUnavailable,
    ValidationFailed,
)
from nullspend_margins.protocols import Clock
from nullspend_margins.services.delivery_log import DeliveryLog
from nullspend_margins.storage import cost_deliveries, revisions
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.events import StoredEvent, insert_events

MAX_GROUP_EVENTS = 1_000
MAX_WAITING_EVENTS = 100_000


@dataclass(slots=True, eq=False)
class _Submission:
    org_id: str
    source: str
    events: Sequence[CostEvent]
    answer: asyncio.Future[list[StoredEvent]]


_Stored = tuple[list[list[StoredEvent]], list[Delivery]]
"""The answers to each submission, and which deliveries were written down."""


@dataclass(slots=True, eq=False)
class _Turn:
    """A transaction to come: which submissions it writes is decided when it begins."""

    group: list[_Submission] | None = None


class IngestService:
    """Group commit: while one transaction is being written, the requests that arrive meanwhile
    gather and become the next one. A caller is answered after its events are durable.

    The next transaction stands in line behind the one that is written, and takes what has
    gathered in the moment it begins, on its own thread: the event loop, busy with reading
    requests and answering them, neither keeps the database waiting nor tears groups apart.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._writing = threading.Lock()  # held until a group is written, up to its commit
        self._queue = threading.Lock()  # for the three below; never held for long
        self._deliveries = DeliveryLog()
        self._waiting: deque[_Submission] = deque()
        self._waiting_events = 0
        self._is_next_in_line = False
        self._writers: set[asyncio.Task[None]] = set()

    async def submit(
        self, org_id: str, source: str, events: Sequence[CostEvent]
    ) -> list[StoredEvent]:
        """Store ``events`` exactly once by (org, source, event id); one answer each, in order.

        Raises ``ValidationFailed`` for an org or a source that cannot be, and when a cost cell
        would overflow (nothing of this submission is stored then), and ``ServiceUnavailable``
        when the database does not answer.
        """
        for name, text in (("org_id", org_id), ("source", source)):
            if problem := string_problem(text, 1, MAX_TEXT):
                raise ValidationFailed.of((name, problem))
        if not events:
            return []
        submission = _Submission(org_id, source, events, asyncio.get_running_loop().create_future())
        with self._queue:
            if self._waiting_events + len(events) > MAX_WAITING_EVENTS:
                raise ServiceUnavailable(
                    "Too many cost events are waiting to be written; try again."
                )
            self._waiting.append(submission)
            self._waiting_events += len(events)
        self._stand_in_line()
        return await submission.answer

    async def close(self) -> None:
        """Write what is waiting."""
        while self._writers:
            await asyncio.wait(self._writers)

    def _stand_in_line(self) -> None:
        """See to it that one transaction, and only one, is there for what is waiting."""
        with self._queue:
            if self._is_next_in_line or not self._waiting:
                return
            self._is_next_in_line = True
        writer = asyncio.create_task(self._write_next(), name="margins-ingest")
        self._writers.add(writer)
        writer.add_done_callback(self._writers.discard)

    async def _write_next(self) -> None:
        turn = _Turn()
        try:
            try:
                stored = await self._database.write(lambda tx: self._store_next(tx, turn))
            except Exception as problem:
                await self._settle(self._taken(turn), problem)
            else:
                self._tell(self._taken(turn), stored)
        except BaseException:  # the loop ends: nobody may be left waiting
            self._cancel(turn)
            raise
        self._stand_in_line()  # for what was too much for this group

    def _cancel(self, turn: _Turn) -> None:
        group = self._taken(turn)
        while group:
            for submission in group:
                submission.answer.cancel()
            group = self._taken(_Turn())

    async def _settle(self, group: list[_Submission], problem: Exception) -> None:
        """Tell those whose transaction failed; or try each alone, if one is to blame.

        One submission overflows a cell, say: the others must not suffer for it.
        """
        if len(group) == 1 or isinstance(problem, ServiceUnavailable):
            for submission in group:
                _refuse(submission, problem)
            return
        for submission in group:
            try:
                stored = await self._database.write(partial(self._store, group=[submission]))
            except Exception as its_own:
                _refuse(submission, its_own)
            else:
                self._tell([submission], stored)

    def _tell(self, group: list[_Submission], stored: _Stored) -> None:
        answers, delivered = stored
        self._deliveries.note(delivered)
        for submission, answer in zip(group, answers, strict=True):
            if not submission.answer.done():
                submission.answer.set_result(answer)

    def _taken(self, turn: _Turn) -> list[_Submission]:
        """The group of ``turn``: what is waiting when this is asked for the first time."""
        with self._queue:
            if turn.group is None:
                self._is_next_in_line = False
                turn.group, size = [], 0
                while self._waiting:
                    size += len(self._waiting[0].events)
                    if turn.group and size > MAX_GROUP_EVENTS:
                        break
                    self._waiting_events -= len(self._waiting[0].events)
                    turn.group.append(self._waiting.popleft())
            return turn.group

    def _store_next(self, tx: Transaction, turn: _Turn) -> _Stored:
        # PostgreSQL would let it begin at once, with the few that have come by then.
        with self._writing:
            return self._store(tx, self._taken(turn))

    def _store(self, tx: Transaction, group: list[_Submission]) -> _Stored:
        """One insert for each org and source; orgs in order, so that writers cannot deadlock."""
        now = self._clock.now()
        answers: dict[int, list[StoredEvent]] = {}
        deliveries: list[Delivery] = []
        ordered = sorted(group, key=_owner)
        for (org_id, source), members in groupby(ordered, key=_owner):
            submissions = list(members)
            events = [event for submission in submissions for event in submission.events]
            stored = iter(insert_events(tx, org_id, source, events, now))
            for submission in submissions:
                answers[id(submission)] = [next(stored) for _ in submission.events]
            deliveries.append(Delivery.of(org_id, source, now, events))
        unwritten = self._deliveries.unwritten(deliveries)
        cost_deliveries.record(tx, unwritten)
        for org_id in sorted({submission.org_id for submission in group}):
            revisions.advance(tx, org_id)
        return [answers[id(submission)] for submission in group], unwritten


def _owner(submission: _Submission) -> tuple[str, str]:
    return submission.org_id, submission.source


def _refuse(submission: _Submission, problem: Exception) -> None:
    if submission.answer.done():
        return
    if not isinstance(problem, MarginsError):  # a driver's is for the log, not for the sender
        told = InternalError("These cost events could not be stored.")
        told.__cause__ = problem
        problem = told
    submission.answer.set_exception(problem)
