"""What must be true of an org after whatever a sync has done."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec

from nullspend_margins import CredentialRefused, Period
from nullspend_margins.errors import (
    Conflict,
    ConnectionRevoked,
    MarginsError,
    NotFound,
    SyncInProgress,
)
from nullspend_margins.services.sync_report import SyncReport
from nullspend_margins.web.wire.base import encode
from nullspend_margins.web.wire.margins import table_of
from tests.properties import answers, arithmetic, turnstiles, writes
from tests.properties.arithmetic import Thresholds
from tests.properties.paged_provider import is_within
from tests.properties.sync_happenings import (
    FAILURES,
    ORG,
    Happenings,
)
from tests.properties.sync_stage import (
    Seen,
    Stage,
    expected_report,
    numbers_of,
    reported,
    revenue_of,
)
from tests.properties.turnstiles import Process


class Judgement(Happenings):
    """The syncs of two processes. Each of their steps is compared with the model."""

    def __init__(self, on: Stage) -> None:
        for process in on.processes:
            if process.is_running:  # of a run that failed
                on.do(turnstiles.ended(process))
        super().__init__(on)
        self.looked_after = self.connected_before = 0
        self.cursor: str | None = None
        self.has_ghost = False
        """A process was killed in the middle of a sync, and its lease may last."""
        self.began: dict[Process, int] = {}
        self.overlapped: set[Process] = set()
        self.fences: dict[Process, int] = {}
        self.expected: dict[Process, dict[str, object]] = {}

    def begin(
        self, process: Process, failure: tuple[int, Exception] | None, *, stepwise: bool
    ) -> None:
        self.began[process] = self.stage.provider.connects
        running = {other for other in self.stage.processes if other.is_running}
        self.overlapped.discard(process)
        if running or self.has_ghost:
            self.overlapped |= {process, *running}
        self.fences.pop(process, None)
        self.expected.pop(process, None)
        process.failure = failure
        self.stage.do(turnstiles.start(process, ORG, stepwise=stepwise))

    def end(self, process: Process) -> None:
        outcome = self.stage.do(turnstiles.ended(process))
        self.look(process)
        self.judge(process, outcome)

    def look(self, by: Process | None) -> Seen:
        """Compare everything with the model; what has changed, ``by`` has done."""
        if self.looked_after == self.stage.done:
            return self.seen
        connects = self.stage.provider.connects
        before, seen = self.seen, self.stage.look(ORG)
        self.seen = seen
        if seen.fence != before.fence:
            assert by is not None
            assert before.held_until is None or before.held_until <= self.clock.now()
            self.fences.setdefault(by, seen.fence)
            self.has_ghost = False
        if connects != self.connected_before:
            self.cursor = None
        if _synced_at(seen) != _synced_at(before):
            assert by is not None
            self.commit(by, seen)
        assert self.cursor == (seen.connection and seen.connection.cursor)
        assert seen.staged_by <= 1, "a sync that was overtaken goes on staging"
        self.show_connection(seen)
        assert seen.numbers == numbers_of(revenue_of(self.org))
        assert seen.mappings == set(self.org.mappings)
        assert seen.rejected == self.org.rejected
        if seen.connection != before.connection or connects != self.connected_before:
            self.connected_before = connects
            for process in self.stage.processes:
                self.see_table(process)
        self.looked_after = self.stage.done
        return seen

    def commit(self, by: Process, seen: Seen) -> None:
        """A sync has come to its one transaction: what it was told is what there is."""
        told = by.told
        assert told is not None
        assert told.complete
        assert told.connects == self.stage.provider.connects
        assert told.window.cursor == self.cursor
        self.cursor = told.cursor or self.cursor
        if told.facts:
            assert by.progress[-1].invoices_fetched == told.fetched
        assert self.fences[by] == seen.fence
        assert str(told.window.last) == arithmetic.shown(arithmetic.month_of(told.began))
        assert str(told.window.first) == arithmetic.shown(
            arithmetic.shifted(arithmetic.month_of(told.began), -3)
        )
        facts = list(told.facts.values())
        self.org, made = writes.synced(self.org, "stripe", facts, told.began)
        known = {each.id for each in self.org.mappings}
        new = [each for each in seen.mappings if each.id not in known]
        assert {replace(each, id="") for each in new} == set(made)
        kept = [each for each in self.org.mappings if each.id]
        self.org = replace(self.org, mappings=[*kept, *new])
        asked = [fact for fact in facts if is_within(fact.occurred_at, told.window)]
        self.expected[by] = expected_report(ORG, asked, len(made))
        assert seen.connection is not None
        assert seen.connection.last_error is None
        assert seen.connection.status == "active"
        skipped = self.expected[by]["skipped_currencies"] or None
        assert seen.connection.skipped_currencies == skipped
        self.stage.provider.commits += 1

    def show_connection(self, seen: Seen) -> None:
        if seen.connection is None:
            assert not self.org.connections
            return
        shown = {
            "lastSyncAt": seen.connection.last_sync_at
            and arithmetic.timestamp(seen.connection.last_sync_at),
            "syncStatus": seen.connection.status,
            "skippedCurrencies": seen.connection.skipped_currencies,
        }
        self.org = replace(self.org, connections={"stripe": shown})

    def judge(self, process: Process, outcome: SyncReport | BaseException) -> None:
        """A sync that nothing came in the way of does what it was asked, or says why not."""
        if isinstance(outcome, SyncReport):
            assert reported(outcome) == self.expected[process]
            return
        if isinstance(outcome, asyncio.CancelledError):
            return
        assert isinstance(outcome, MarginsError)
        assert process not in self.expected, "told that it failed, and it did not"
        overtaken = self.fences.get(process) != self.seen.fence
        same = self.stage.provider.connects == self.began[process]
        if process.raised is not None:
            assert type(outcome) is FAILURES[type(process.raised)]
            assert process.told is not None
            if same and not overtaken and process.told.commits == self.stage.provider.commits:
                self.recorded(process)
            return
        revoked = self.seen.connection is None or self.seen.connection.status == "revoked"
        if isinstance(outcome, SyncInProgress):
            assert process in self.overlapped
            assert process not in self.fences
        else:
            assert isinstance(outcome, NotFound | ConnectionRevoked | Conflict)
            assert overtaken or revoked or not same

    def recorded(self, process: Process) -> None:
        """The failure stands with the connection."""
        connection = self.seen.connection
        assert connection is not None
        assert connection.last_error
        refused = isinstance(process.raised, CredentialRefused)
        assert connection.status == ("revoked" if refused else "active")

    def see_table(self, process: Process, shift: int = 0) -> None:
        period = Period.containing(self.clock.now()).shift(shift)
        table = self.stage.do(process.services.margins.table(ORG, period))
        shown = msgspec.json.decode(encode(table_of(table)))
        assert shown == answers.table(self.org, str(period), Thresholds())

    def undisturbed(self, org_id: str) -> dict[str, object]:
        process = self.stage.processes[0]
        self.stage.do(turnstiles.start(process, org_id, stepwise=False))
        if org_id == ORG:
            self.began[process] = self.stage.provider.connects
            self.expected.pop(process, None)
            self.fences.pop(process, None)
        outcome = self.stage.do(turnstiles.ended(process))
        assert isinstance(outcome, SyncReport), outcome
        if org_id == ORG:
            self.look(process)
            self.judge(process, outcome)
            assert {*process.told.facts} == set(self.account.paid())
        return reported(outcome)


def _synced_at(seen: Seen) -> object:
    connection = seen.connection
    return connection and (connection.id, connection.last_sync_at)
