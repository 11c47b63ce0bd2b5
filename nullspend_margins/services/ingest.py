"""Takes in cost events, many requests to one commit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from nullspend_margins.domain.cost import CostEvent
from nullspend_margins.domain.delivery import Delivery
from nullspend_margins.errors import InternalError, MarginsError, ServiceUnavailable
from nullspend_margins.protocols import Clock
from nullspend_margins.services.delivery_log import DeliveryLog
from nullspend_margins.storage import cost_deliveries, costs, revisions
from nullspend_margins.storage.costs import StoredEvent
from nullspend_margins.storage.database import Database, Transaction

MAX_GROUP_EVENTS = 1_000
MAX_WAITING_EVENTS = 100_000


@dataclass(slots=True, eq=False)
class _Submission:
    org_id: str
    source: str
    events: Sequence[CostEvent]
    answer: asyncio.Future[list[StoredEvent]]


class IngestService:
    """Group commit: while one transaction is being written, the requests that arrive meanwhile
    gather and become the next one. A caller is answered after its events are durable.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._deliveries = DeliveryLog()
        self._waiting: deque[_Submission] = deque()
        self._waiting_events = 0
        self._writer: asyncio.Task[None] | None = None

    async def submit(
        self, org_id: str, source: str, events: Sequence[CostEvent]
    ) -> list[StoredEvent]:
        """Store ``events`` exactly once by (org, source, event id); one answer each, in order.

        Raises ``ValidationFailed`` when a cost cell would overflow (nothing of this submission
        is stored then) and ``ServiceUnavailable`` when the database does not answer.
        """
        if not events:
            return []
        if self._waiting_events + len(events) > MAX_WAITING_EVENTS:
            raise ServiceUnavailable("Too many cost events are waiting to be written; try again.")
        submission = _Submission(org_id, source, events, asyncio.get_running_loop().create_future())
        self._waiting.append(submission)
        self._waiting_events += len(events)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all(), name="margins-ingest")
        return await submission.answer

    async def close(self) -> None:
        """Write what is waiting."""
        while self._writer is not None and not self._writer.done():
            await asyncio.wait([self._writer])

    async def _write_all(self) -> None:
        while self._waiting:
            group = self._next_group()
            try:
                await self._write(group)
            except BaseException as problem:
                for submission in group:
                    _refuse(submission, problem)
                if not isinstance(problem, Exception):
                    self._refuse_waiting(problem)
                    raise

    def _refuse_waiting(self, problem: BaseException) -> None:
        while self._waiting:
            _refuse(self._waiting.popleft(), problem)
        self._waiting_events = 0

    def _next_group(self) -> list[_Submission]:
        group = [self._waiting.popleft()]
        size = len(group[0].events)
        while self._waiting and size + len(self._waiting[0].events) <= MAX_GROUP_EVENTS:
            group.append(self._waiting.popleft())
            size += len(group[-1].events)
        self._waiting_events -= size
        return group

    async def _write(self, group: list[_Submission]) -> None:
        try:
            answers, delivered = await self._database.write(lambda tx: self._store(tx, group))
        except ServiceUnavailable:
            raise
        except Exception as problem:
            if len(group) == 1 and isinstance(problem, MarginsError):
                raise
            if len(group) == 1:  # a driver's error is for the log, not for the sender
                raise InternalError("These cost events could not be stored.") from problem
            # One submission overflows a cell, say: the others must not suffer for it.
            for submission in group:
                try:
                    await self._write([submission])
                except Exception as problem:
                    _refuse(submission, problem)
            return
        self._deliveries.note(delivered)
        for submission, answer in zip(group, answers, strict=True):
            if not submission.answer.done():
                submission.answer.set_result(answer)

    def _store(
        self, tx: Transaction, group: list[_Submission]
    ) -> tuple[list[list[StoredEvent]], list[Delivery]]:
        """One insert for each org and source; orgs in order, so that writers cannot deadlock.

        Returns the answers, and which deliveries were written down.
        """
        now = self._clock.now()
        answers: dict[int, list[StoredEvent]] = {}
        deliveries: list[Delivery] = []
        ordered = sorted(group, key=_owner)
        for (org_id, source), members in groupby(ordered, key=_owner):
            submissions = list(members)
            events = [event for submission in submissions for event in submission.events]
            stored = iter(costs.insert_events(tx, org_id, source, events, now))
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


def _refuse(submission: _Submission, problem: BaseException) -> None:
    if submission.answer.done():
        return
    if isinstance(problem, Exception):
        submission.answer.set_exception(problem)
    else:
        submission.answer.cancel()
