"""Whatever is done to an org, in any order: every sum is right, and what was damaged is mended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from msgspec import structs
from sqlalchemy import Connection, text

from nullspend_margins import CostEvent, CostFact, Period, RevenueFact, RevenuePart
from nullspend_margins.domain.recognition import Conversion
from nullspend_margins.domain.revenue import RevenueWindow
from nullspend_margins.domain.revenue_part import BASES
from nullspend_margins.services.rebuild import RebuildService
from nullspend_margins.storage import revenue, revisions, staging
from nullspend_margins.storage.applying import apply_staged
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import insert_events, prune_events
from nullspend_margins.storage.facts import replace_facts
from nullspend_margins.storage.tables import customer_months, revenue_customers
from tests.properties import revenue_model, strategies
from tests.properties.arithmetic import month_of
from tests.properties.cells import Ledger, require_right
from tests.properties.model import counts, latest
from tests.properties.profile import examples
from tests.properties.revenue_model import Part, Thing
from tests.storage.builders import NOW, ORG, rows
from tests.storage.rebuilding import ALL_TABLES, emptied

TAGS = st.sampled_from(("acme", "zeta", ""))
MONTHS = st.sampled_from(("2026-10", "2026-11", "2026-12")).map(Period.parse)
SOURCES = st.sampled_from(("api", "bill"))
PROVIDERS = st.sampled_from(("stripe", "adyen"))
WINDOW = RevenueWindow(Period.parse("2026-10"), Period.parse("2026-12"))
BEGIN = WINDOW.first.start
DAYS = st.integers(0, 93)

AMOUNTS = st.one_of(st.integers(-20, 20), st.just(0))
SOME_FACTS = st.lists(strategies.fact(TAGS, AMOUNTS, MONTHS), max_size=4)
SOME_EVENTS = st.lists(
    st.integers(0, 12).flatmap(lambda n: strategies.event(f"event-{n}", TAGS, MONTHS)), max_size=5
)


@st.composite
def told_facts(draw: st.DrawFn) -> RevenueFact:
    """Invoices, and refunds; of some the service goes on for months, of which one basis tells."""
    customer = draw(st.sampled_from(("cus_1", "cus_2", None)))
    name = f"in_{draw(st.integers(0, 5))}"
    fact = draw(strategies.invoices(name, customer, draw(st.integers(-2, 500)), MONTHS))
    days = draw(st.sampled_from((None, None, 0, 40, 70)))
    if days is None:
        return fact
    whole: dict[str, Any] = {"amount_minor": fact.amount_minor, "occurred_at": fact.occurred_at}
    until = fact.occurred_at + timedelta(days=days)
    parts = (
        RevenuePart(bases=("invoiced", "cash"), kind="payment", **whole),
        RevenuePart(bases=("accrual",), kind="line", until=until, **whole),
    )
    return structs.replace(fact, kind=draw(st.sampled_from(("invoice", "refund"))), parts=parts)


SOME_INVOICES = st.lists(
    told_facts(),
    max_size=5,
    unique_by=lambda fact: fact.object_id,
)

# What may befall a rollup: its cells change, vanish, or appear.
DAMAGE = st.sampled_from(
    [
        "UPDATE margins_cost_months SET cost_nanodollars = cost_nanodollars + 1",
        "UPDATE margins_cost_months SET request_count = 0, cost_nanodollars = 0",
        "UPDATE margins_cost_model_days SET day = day + 400",
        "UPDATE margins_cost_model_days SET request_count = request_count - 1",
        "DELETE FROM margins_cost_model_days WHERE tag_value = ''",
        "DELETE FROM margins_cost_months",
        "INSERT INTO margins_cost_months VALUES ('org_1', 24000, 'ghost', 1, 0)",
        "UPDATE margins_customer_months SET invoiced = 1, customer_name = 'x'",
        "UPDATE margins_customer_months SET cash = 1, net = net - 1",
        "UPDATE margins_customer_months SET accrual = accrual + 1, month = month + 1",
        "UPDATE margins_revenue_customers SET total_microdollars = 1, avatar_url = NULL",
        "DELETE FROM margins_revenue_customers",
        "UPDATE margins_revenue_customers SET customer_id = 'ghost' WHERE customer_id = 'cus_1'",
    ]
)


class Crash(Exception):
    """The process dies before the commit."""


class Org(RuleBasedStateMachine):
    """One org in a real database, beside a ledger that knows nothing of rollups."""

    runner: asyncio.Runner
    database: Database

    @initialize()
    def begin(self) -> None:
        self.run(emptied(self.database))
        self.ledger = Ledger()
        self.invoices: dict[tuple[str, str], RevenueFact] = {}
        self.service = RebuildService(self.database)

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def write(self, work: Callable[[Connection], Any], *, crash: bool = False) -> bool:
        """Whether it was committed."""

        def whole(tx: Connection) -> None:
            work(tx)
            revisions.advance(tx, ORG)
            if crash:
                raise Crash

        try:
            self.run(self.database.write(whole))
        except Crash:
            return False
        return True

    @rule(source=SOURCES, events=SOME_EVENTS, crash=st.booleans())
    def ingest(self, source: str, events: Sequence[CostEvent], crash: bool) -> None:
        if self.write(lambda tx: insert_events(tx, ORG, source, events, NOW), crash=crash):
            self.ledger.tell(source, events)

    @rule(source=SOURCES, facts=SOME_FACTS, crash=st.booleans())
    def correct(self, source: str, facts: Sequence[CostFact], crash: bool) -> None:
        if self.write(lambda tx: replace_facts(tx, ORG, source, facts, NOW), crash=crash):
            self.ledger.correct(source, facts)

    @rule(days=DAYS, limit=st.integers(1, 8), crash=st.booleans())
    def prune(self, days: int, limit: int, crash: bool) -> None:
        """The oldest of those before the day, so many at most. Of equally old ones any."""
        before = BEGIN + timedelta(days=days)
        old = sorted(
            (event.occurred_at, key)
            for key, event in self.ledger.events.items()
            if event.occurred_at < before
        )
        known = set(self.ledger.events)
        done = self.write(lambda tx: prune_events(tx, ORG, before, limit), crash=crash)
        gone = known - self.run(self.database.read(_event_keys))
        assert len(gone) == (min(limit, len(old)) if done else 0)
        assert {moment for moment, key in old if key in gone} == {
            moment for moment, _ in old[: len(gone)]
        }
        self.ledger.forget(gone)

    @rule(provider=PROVIDERS, told=SOME_INVOICES, crash=st.booleans())
    def sync(self, provider: str, told: Sequence[RevenueFact], crash: bool) -> None:
        def work(tx: Connection) -> None:
            staging.stage(tx, staging.fact_rows(ORG, provider, "sync", told, Conversion()))
            apply_staged(tx, ORG, provider, "sync", WINDOW)

        if self.write(work, crash=crash):
            self._forget_revenue(provider)
            self.invoices.update({(provider, fact.object_id): fact for fact in told})

    @rule(provider=PROVIDERS, crash=st.booleans())
    def disconnect(self, provider: str, crash: bool) -> None:
        if self.write(lambda tx: revenue.delete_provider(tx, ORG, provider), crash=crash):
            self._forget_revenue(provider)

    def _forget_revenue(self, provider: str) -> None:
        self.invoices = {key: fact for key, fact in self.invoices.items() if key[0] != provider}

    @rule(damage=st.lists(DAMAGE, min_size=1, max_size=3, unique=True))
    def damage_and_mend(self, damage: Sequence[str]) -> None:
        before = self.run(self.database.read(_all_rollups))
        self.write(lambda tx: [tx.execute(text(each)) for each in damage])
        damaged = self.run(self.database.read(_all_rollups)) != before
        revision = self._revision()
        found = self.run(self.service.check(ORG, show=1_000))
        assert (found.wrong > 0) == damaged == (len(found.shown) > 0)
        mended = self.run(self.service.mend(ORG, show=1_000))
        assert (mended.wrong, mended.shown) == (found.wrong, found.shown)
        assert self.run(self.database.read(_all_rollups)) == before
        assert (self._revision() != revision) == damaged

    @rule()
    def mend_what_is_right(self) -> None:
        revision = self._revision()
        assert self.run(self.service.mend(ORG, show=10)).wrong == 0
        assert self._revision() == revision

    def _revision(self) -> int | None:
        found: int | None = self.run(self.database.read(lambda tx: revisions.current(tx, ORG)))
        return found

    @invariant()
    def every_sum_is_right(self) -> None:
        """As the ledger says; and the check says so too."""
        self.run(self.database.read(self._require_right))
        report = self.run(self.service.check(ORG, show=10))
        assert (report.wrong, report.shown) == (0, [])

    def _require_right(self, tx: Connection) -> None:
        require_right(tx, ORG, self.ledger)
        months = {row[:3]: row[3:] for row in rows(tx, customer_months, ORG)}
        assert months == self._customer_months()
        customers = {row[:2]: row[2:] for row in rows(tx, revenue_customers, ORG)}
        assert customers == self._customers()

    def _customer_months(self) -> dict[tuple[object, ...], tuple[object, ...]]:
        """What each customer paid in each month, in dollars alone; who it is, invoices tell."""
        groups: dict[tuple[object, ...], list[RevenueFact]] = {}
        sums: dict[tuple[object, ...], dict[str, int]] = {}
        for (provider, _), fact in self.invoices.items():
            if not counts(fact):
                continue
            own = (_index(month_of(fact.occurred_at)), provider, fact.customer_id)
            groups.setdefault(own, []).extend([fact] if fact.kind == "invoice" else [])
            sums.setdefault(own, dict.fromkeys(BASES, 0))
            for (month, basis), amount in revenue_model.cells_of(_thing(fact), None).items():
                key = (_index(month), provider, fact.customer_id)
                sums.setdefault(key, dict.fromkeys(BASES, 0))[basis] += amount
        return {
            key: (
                *amounts.values(),
                len(groups.get(key, [])),
                max((fact.occurred_at for fact in groups.get(key, [])), default=None),
                latest(groups.get(key, []), "customer_name"),
                latest(groups.get(key, []), "avatar_url"),
            )
            for key, amounts in sums.items()
        }

    def _customers(self) -> dict[tuple[object, ...], tuple[object, ...]]:
        """Every customer that an invoice names, and what it paid in all."""
        groups: dict[tuple[object, ...], list[RevenueFact]] = {}
        for (provider, _), fact in self.invoices.items():
            if fact.customer_id is not None:
                groups.setdefault((provider, fact.customer_id), []).append(fact)
        return {
            key: (
                latest(facts, "customer_name"),
                latest(facts, "customer_email"),
                latest(facts, "avatar_url"),
                sum(fact.amount_minor for fact in facts if counts(fact)) * 10_000,
                sum(counts(fact) and fact.kind == "invoice" for fact in facts),
                max(fact.occurred_at for fact in facts),
            )
            for key, facts in groups.items()
        }


def _index(month: tuple[int, int]) -> int:
    return month[0] * 12 + month[1] - 1


def _thing(fact: RevenueFact) -> Thing:
    """As the model of revenue has it."""
    parts = [
        Part(
            tuple(part.bases),
            part.amount_minor,
            int(part.occurred_at.timestamp()),
            None if part.until is None else int(part.until.timestamp()),
        )
        for part in fact.all_parts
    ]
    made = int(fact.occurred_at.timestamp())
    return Thing(fact.object_id, fact.customer_id, made, fact.currency, tuple(parts))


def _event_keys(tx: Connection) -> set[tuple[str, str]]:
    found = tx.execute(text("SELECT source, event_id FROM margins_cost_events"))
    return {(row[0], row[1]) for row in found}


def _all_rollups(tx: Connection) -> list[list[tuple[Any, ...]]]:
    return [rows(tx, table, ORG) for table in ALL_TABLES]


def test_every_sum_is_right_after_anything(database_url: str) -> None:
    with asyncio.Runner() as runner:
        database = Database(database_url, pool_size=1)
        runner.run(database.start())
        machine = type("Machine", (Org,), {"runner": runner, "database": database})
        try:
            run_state_machine_as_test(machine, settings=examples(15, stateful_step_count=14))
        finally:
            runner.run(database.close())
