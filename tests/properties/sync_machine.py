"""Syncs of one org by two processes, any way they can fall together, beside a model of the org.

After every step the database holds exactly what the model says: the numbers of the last good
sync, mappings, rejections, the connection. While nobody syncs, no lease and nothing staged.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    rule,
)

from nullspend_margins.domain.revenue import RevenueWindow
from tests.properties import turnstiles
from tests.properties.paged_provider import is_within
from tests.properties.sync_happenings import (
    ORG,
    Action,
    Happening,
    actions,
    connecting,
    failures,
    happenings,
    rejecting,
    waits,
    which,
)
from tests.properties.sync_judgement import Judgement
from tests.properties.sync_stage import (
    numbers_of,
    revenue_of,
)
from tests.properties.turnstiles import Process

FRESH = "org_fresh"
STEPS_OF_STAGING = 2
"""Before the pages are written; written, and the sync does not know it yet."""
ANOTHER_SYNCS = ("another syncs", {})
others = st.just(ANOTHER_SYNCS)
in_between = st.sampled_from(
    (others, others, waits, waits, connecting, rejecting, happenings)
).flatmap(lambda kind: kind)


class Syncs(Judgement):
    """Two processes that sync."""

    @rule(by=which, failure=st.one_of(st.none(), failures))
    def sync(self, by: int, failure: tuple[int, Exception] | None) -> None:
        """From beginning to end, unless that process is at one already."""
        process = self.stage.processes[by]
        if process.is_running:
            return
        self.begin(process, failure, stepwise=False)
        self.end(process)

    @rule(script=st.lists(actions, min_size=1, max_size=14))
    def fall_together(self, script: list[Action]) -> None:
        """Syncs go on step by step, are stopped where they are just now, begin beside others."""
        for by, action, number, failure in script:
            process = self.stage.processes[by]
            if not process.is_running:
                if action == "go on":
                    self.mend()
                    self.begin(process, failure, stepwise=True)
                    self.look(process)
            elif action == "go on":
                self.go_on(process, number)
            elif action == "stop":
                outcome = self.stage.do(turnstiles.cancelled(process))
                self.look(process)
                self.judge(process, outcome)
            elif action == "die":
                self.kill(process)
            elif action == "finish":
                self.end(process)
            if action == "lose":
                self.wait("lease")
            self.nothing_is_left_behind()

    def kill(self, process: Process) -> None:
        """Nothing is put in order: its lease lasts, and what it has staged lies there."""
        self.stage.do(turnstiles.killed(process))
        self.look(process)
        self.has_ghost = self.has_ghost or self.seen.held_until is not None

    def mend(self) -> None:
        """A key that the provider has refused is replaced."""
        if self.org.connections and self.seen.connection.status == "revoked":
            self.replace_key("k")

    def go_on(self, process: Process, steps: int) -> None:
        for _ in range(steps):
            if process.task is None or process.task.done():
                break
            self.stage.do(turnstiles.step(process))
        self.look(process)
        if process.task is not None and process.task.done():
            self.end(process)

    @rule(by=which, some=st.lists(in_between, max_size=4), staged=st.booleans())
    def meanwhile(self, by: int, some: list[Happening], staged: bool) -> None:
        """One has read everything; before it puts that in place, all sorts of things happen.

        ``staged``: its last pages are in the staging already.
        """
        process = self.stage.processes[by]
        if process.is_running:
            return
        self.connect()
        self.mend()
        self.begin_and_read(process, staged=staged)
        for each in some:
            if each == ANOTHER_SYNCS:
                self.sync(1 - by, None)
            else:
                self.happen([each])
        self.end(process)

    def begin_and_read(self, process: Process, *, staged: bool) -> None:
        self.begin(process, None, stepwise=True)
        while not (process.task.done() or (process.told and process.told.complete)):
            self.stage.do(turnstiles.step(process))
        if staged and not process.task.done():
            for _ in range(STEPS_OF_STAGING):
                self.stage.do(turnstiles.step(process))
        self.look(process)

    @rule(by=which, shift=st.integers(-4, 0))
    def read(self, by: int, shift: int) -> None:
        """The margin table, which this process may have kept from before."""
        self.look(None)
        self.see_table(self.stage.processes[by], shift)

    @invariant()
    def nothing_is_left_behind(self) -> None:
        if not any(process.is_running for process in self.stage.processes):
            seen = self.look(None)
            assert seen.held_until is None or self.has_ghost
            assert seen.staged == 0 or self.has_ghost

    def teardown(self) -> None:
        """Any interleaving ends at what the provider says."""
        for process in self.stage.processes:
            if process.is_running:
                self.end(process)
        if not self.org.connections:
            self.connect()
        if self.has_ghost:
            self.wait("lease")
        self.replace_key("k")
        self.vanish()
        first, second = (self.undisturbed(ORG) for _ in range(2))
        assert second | {"auto_matches_created": 0} == first | {"auto_matches_created": 0}
        assert second["auto_matches_created"] == 0
        services = self.stage.processes[0].services
        self.stage.do(services.connections.connect(FRESH, "stripe", {"key": "k"}))
        fresh = self.undisturbed(FRESH)
        window = RevenueWindow.ending(self.clock.now())
        same = {"org_id": ORG, "auto_matches_created": 0}
        assert fresh | same == first | same
        current = [self.account.fact(each, window) for each in self.account.paid()]
        assert self.stage.look(FRESH).numbers == numbers_of(current)
        # What is stored besides is older than what the last sync was asked for.
        ids = {fact.object_id for fact in current}
        others = [fact for fact in revenue_of(self.org) if fact.object_id not in ids]
        assert not [fact for fact in others if is_within(fact.occurred_at, window)]

    def vanish(self) -> None:
        """The oldest invoice that the last month's window had is no longer there."""
        window = RevenueWindow.ending(self.clock.now())
        for object_id in self.account.paid(window)[-1:]:
            del self.account.invoices[object_id]
