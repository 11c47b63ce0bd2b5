"""The rules of a cost source that is pulled."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import permutations
from types import MappingProxyType

from nullspend_margins.domain.cost import CostEvent, CostFact
from nullspend_margins.domain.text import text_problem
from nullspend_margins.errors import ServiceUnavailable, ValidationFailed
from nullspend_margins.plugins.contracts import article
from nullspend_margins.protocols import MAX_CURSOR, CostBatch, PulledCostSource
from nullspend_margins.testing.bad_days import BadDayRules
from nullspend_margins.testing.contents import Contents, shown
from nullspend_margins.testing.outcomes import (
    close,
    outcome,
    read_all,
    read_until_it_fails,
    require_error,
    shortened,
)
from nullspend_margins.testing.rules import RuleBroken, rule
from nullspend_margins.testing.suite import Question
from nullspend_margins.testing.units import unit_guess

MAX_BATCH = 1_000


class PulledCostSourceSuite(BadDayRules[PulledCostSource]):
    """State ``nanodollars``: what the sample holds. Two batches or more make it a good one."""

    nanodollars: Mapping[str, int]
    """Org id to the sum of the sample's costs, in nanodollars."""

    overlaps: bool = False
    """``True`` for a source that reads some of the past again on purpose."""

    _kind = "cost source"
    _unavailable = ServiceUnavailable
    _facts = MappingProxyType(
        {"nanodollars": 'the sample\'s costs by org, for example {"org_1": 5_000_000}'}
    )

    def make_failing_half_way(self) -> PulledCostSource:
        """One whose service goes away after the first batches."""
        self._skip("make_failing_half_way", "an object whose service goes away after a batch")

    def add_costs(self, source: PulledCostSource) -> None:  # noqa: ARG002 - for subclasses
        """Put at least one new cost into what ``source`` reads."""
        self._skip("add_costs", "a way to put new costs into the sample")

    def _half_way(self) -> Callable[[], PulledCostSource] | None:
        default = PulledCostSourceSuite.make_failing_half_way
        return None if type(self).make_failing_half_way is default else self.make_failing_half_way

    def _is_answer(self, question: Question[PulledCostSource], status: int, found: object) -> bool:  # noqa: ARG002 - the same for all
        """What a `CostEvent` refuses stops the source, and says which field."""
        return isinstance(found, ValidationFailed)

    def _questions(self) -> Sequence[Question[PulledCostSource]]:
        return [Question("pull(None)", partial(_contents, None))]

    @rule
    async def test_a_batch_is_of_one_org_and_holds_events_and_facts(self) -> None:
        """A batch is a `CostBatch` of a good org id, with `CostEvent` and `CostFact` alone.

        Why: batches go into the database as they are.
        To do: make `CostBatch(org_id=..., events=[...], facts=[...], cursor=...)`; begin a new
        batch where the org changes.
        """
        for batch in await self._pull():
            if not isinstance(batch, CostBatch):
                raise RuleBroken(f"pull yielded {shortened(batch)}, not a CostBatch")
            problem = "is no str" if type(batch.org_id) is not str else text_problem(batch.org_id)
            if problem:
                raise RuleBroken(f"a batch's org_id {problem}: {shortened(batch.org_id)}")
            for wanted, given in ((CostEvent, batch.events), (CostFact, batch.facts)):
                wrong = [each for each in given if not isinstance(each, wanted)]
                if wrong:
                    raise RuleBroken(f"{shortened(wrong[0])} is no {wanted.__name__}")

    @rule
    async def test_a_batch_holds_at_most_1000(self) -> None:
        """A batch has at most 1,000 events and facts together.

        Why: a batch is one transaction; a long one keeps every other writer waiting.
        To do: yield more often, each time with the cursor that fits.
        """
        for batch in await self._pull():
            size = len(batch.events) + len(batch.facts)
            if size > MAX_BATCH:
                raise RuleBroken(f"a batch holds {size}")

    @rule
    async def test_a_cursor_is_a_short_string(self) -> None:
        """A cursor is a `str` of 1 to 2,000 characters without control characters.

        Why: it is stored, and given back as it was.
        To do: `str(position)`; decode what your service gives as bytes.
        """
        for batch in await self._pull():
            cursor = batch.cursor
            problem = (
                f"is {article(type(cursor).__name__)}"
                if not isinstance(cursor, str)
                else text_problem(cursor, at_most=MAX_CURSOR)
            )
            if problem:
                raise RuleBroken(f"a cursor {problem}: {shortened(cursor)}")

    @rule
    async def test_an_event_id_names_one_event(self) -> None:
        """No two events of an org in one pull have the same `event_id`.

        Why: the second one counts as a repetition of the first and is dropped.
        To do: use the id that your service gives to the request, not a time or a model.
        """
        counts = Counter(
            (batch.org_id, event.event_id) for batch in await self._pull() for event in batch.events
        )
        repeated = [key for key, count in counts.items() if count > 1]
        if repeated:
            org_id, event_id = repeated[0]
            raise RuleBroken(f"{counts[repeated[0]]} events of {org_id} are called {event_id!r}")

    @rule
    async def test_two_pulls_give_the_same(self) -> None:
        """A second pull from the beginning gives the same events and facts.

        Why: after a crash a part is read again; under a new id it would count twice.
        To do: take ids, times and amounts from the service. An id made with `uuid4()`, or a
        time of `now()`, is a new one each time.
        """
        source = self._made()
        pulls = [
            Contents.of(await read_all(each.pull(None))) for each in (source, source, self._made())
        ]
        for one, other in permutations(pulls, 2):
            missing = one.missing_in(other)
            if missing:
                raise RuleBroken(
                    f"only one of two pulls has {missing[0]}", guess="ids are made anew each time"
                )
            for key, item in one.items.items():
                if other.items[key] != item:
                    raise RuleBroken(
                        f"{shown(key)} is {shortened(item)}, then {shortened(other.items[key])}"
                    )

    @rule
    async def test_a_pull_goes_on_from_any_cursor(self) -> None:
        """What came up to a cursor and what comes after it are together everything.

        Why: the product goes on from any cursor it has stored; what is left out is never
        asked for again.
        To do: let the cursor name the last item of its own batch (not the next one, nor the
        end of the page), and ask for what comes after it.
        """
        batches = await self._pull()
        whole = Contents.of(batches)
        for number, batch in enumerate(batches, start=1):
            rest = await self._pull(batch.cursor)
            both = Contents.of([*batches[:number], *rest])
            missing = whole.missing_in(both)
            if missing:
                raise RuleBroken(
                    f"after batch {number} of {len(batches)} (cursor {batch.cursor!r}) "
                    f"{missing[0]} never comes, one of {len(missing)}",
                    guess="the cursor points one too far, or to the end of a page",
                )

    @rule
    async def test_nothing_comes_again_after_the_last_cursor(self) -> None:
        """A pull from the last cursor yields nothing that came before it.

        Why: a source that begins again reads more with every call of the timer, for ever.
        To do: use the cursor. A source that must read some of the past again states
        `overlaps = True`; then it is enough that not everything comes again.
        """
        batches = await self._pull()
        again = Contents.of(await self._pull(batches[-1].cursor)).items
        before = Contents.of(batches).items
        repeated = [key for key, item in again.items() if before.get(key) == item]
        if repeated and not (self.overlaps and len(repeated) < len(before)):
            raise RuleBroken(
                f"after the last cursor, {batches[-1].cursor!r}, {len(repeated)} of "
                f"{len(before)} come again: {shown(repeated[0])}",
                guess="pull ignores its cursor" if len(repeated) == len(before) else None,
            )

    @rule
    async def test_new_costs_come_after_the_last_cursor(self) -> None:
        """What is new since the last cursor comes with the next pull. Needs `add_costs`.

        Why: a source is read every few minutes for years.
        To do: let the last cursor be a position to go on from, not a mark for "done".
        """
        source = self._made()
        batches = await read_all(source.pull(None))
        self.add_costs(source)
        before = Contents.of(batches)
        after = Contents.of(await read_all(source.pull(batches[-1].cursor)))
        if not after.missing_in(before):
            raise RuleBroken(
                f"after the last cursor, {batches[-1].cursor!r}, the new costs do not come"
            )

    @rule
    async def test_a_pull_may_end_early(self) -> None:
        """A pull that is closed after its first batch stops its work and can be begun again.

        Why: the product stops at its time limit and goes on next time.
        To do: end tasks and close connections in `finally`, and keep no "is running" on `self`.
        """
        source = self._made()
        before = asyncio.all_tasks()
        batches = source.pull(None)
        await anext(batches, None)
        await close(batches)
        left = [task for task in asyncio.all_tasks() - before if not task.done()]
        if left:
            raise RuleBroken(f"closed after its first batch, {left[0].get_name()} still runs")
        missing = Contents.of(await self._pull()).missing_in(
            Contents.of(await read_all(source.pull(None)))
        )
        if missing:
            raise RuleBroken(f"after a pull that was closed, the next one misses {missing[0]}")

    @rule
    async def test_the_costs_add_up_to_the_samples(self) -> None:
        """The costs of each org add up to `nanodollars`.

        Why: a wrong unit is the mistake that no type can show.
        To do: 1 dollar = 1,000,000,000 nanodollars, 1 microdollar = 1,000. Go through
        `Decimal`, not `float`.
        """
        found: Counter[str] = Counter()
        batches = await self._pull()
        for batch in batches:
            found[batch.org_id] += sum(event.cost_nanodollars for event in batch.events)
        for (org_id, kind, _), item in Contents.of(batches).items.items():
            found[org_id] += item.cost_nanodollars if kind == "fact" else 0
        for org_id in sorted({*found, *self.nanodollars}):
            is_, should = found[org_id], self.nanodollars.get(org_id, 0)
            if is_ != should:
                raise RuleBroken(
                    f"{org_id}: {is_} nanodollars, not {should}", guess=unit_guess(is_, should)
                )

    @rule
    async def test_an_unreachable_source_is_not_an_empty_one(self) -> None:
        """A source that does not answer raises `ServiceUnavailable`. Needs `make_unreachable`.

        Why: ending without a word looks as if there were no costs, and nobody is told.
        To do: turn what your client raises into `ServiceUnavailable`, with a message that says
        who does not answer.
        """
        source = self.make_unreachable()
        found = await outcome(read_all(source.pull(None)))
        require_error("pull(None), unreachable", found, ServiceUnavailable)

    @rule
    async def test_a_failure_half_way_is_raised(self) -> None:
        """A pull that fails after its first batch raises. Needs `make_failing_half_way`.

        Why: what came before stays; that the rest is missing must show in the log.
        To do: don't catch errors around the loop; raise `ServiceUnavailable`.
        """
        source = self.make_failing_half_way()
        batches, problem = await read_until_it_fails(source.pull(None))
        if problem is None and not Contents.of(await self._pull()).missing_in(Contents.of(batches)):
            self._fail("has a make_failing_half_way() whose pull(None) came to its end")
        found = problem if problem is not None else f"{len(batches)} batches"
        require_error("pull(None), failing half way,", found, ServiceUnavailable)

    async def _pull(self, cursor: str | None = None) -> list[CostBatch]:
        batches = await read_all(self._made().pull(cursor))
        if cursor is None and not batches:
            self._fail("has a make() whose pull(None) yielded nothing; give its sample some costs")
        return batches


async def _contents(cursor: str | None, source: PulledCostSource) -> object:
    return Contents.of(await read_all(source.pull(cursor)))
