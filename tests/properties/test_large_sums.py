"""Customers whose revenue is more than a sum can hold: their largest invoices are left out, and
nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Connection

from nullspend_margins import Period, RevenueFact
from nullspend_margins.domain.revenue import RevenueWindow
from nullspend_margins.services.rebuild import RebuildService
from nullspend_margins.services.sync_report import SyncReport
from nullspend_margins.storage import skipped_revenue
from nullspend_margins.storage.tables import customer_months, revenue_customers
from tests.properties import turnstiles
from tests.properties.arithmetic import month_of
from tests.properties.paged_provider import Account, Invoice, is_within
from tests.properties.profile import examples
from tests.properties.sync_happenings import BEGIN, ORG
from tests.properties.sync_stage import Stage, stage
from tests.storage.builders import rows

MOST = (2**63 - 1) // 10_000
"""Cents that a sum can hold."""
Drawn = tuple[str, int, int]
"""Customer, cents, months ago."""

cents = st.one_of(
    st.sampled_from((MOST, -MOST, MOST // 2, MOST // 2 + 1, MOST - 5, -6, 5, 6)),
    st.integers(-MOST, MOST),
)
drawn_rounds = st.lists(
    st.lists(
        st.tuples(st.sampled_from(("cus_1", "cus_1", "cus_2")), cents, st.integers(0, 5)),
        min_size=1,
        max_size=6,
    ),
    min_size=1,
    max_size=3,
)


def test_only_the_largest_of_too_many_are_left_out(database_url: str) -> None:
    with stage(database_url) as on:

        @examples(8)
        @example(drawn=[[("cus_1", MOST, 0), ("cus_1", 5, 0), ("cus_2", 7, 0)]])
        @example(drawn=[[("cus_1", MOST - 5, 3)], [("cus_1", 6, 0)], [("cus_1", -6, 0)]])
        @example(drawn=[[("cus_1", MOST, 5), ("cus_1", -6, 0), ("cus_1", 5, 5)], [("cus_2", 1, 0)]])
        @given(drawn=drawn_rounds)
        def prove(drawn: list[list[Drawn]]) -> None:
            prove_rounds(on, drawn)

        prove()


def prove_rounds(on: Stage, drawn: list[list[Drawn]]) -> None:
    on.clear()
    on.clock.moment = BEGIN
    account = on.provider.account = Account()
    services = on.processes[0].services
    on.do(services.connections.connect(ORG, "stripe", {"key": "k"}))
    model = Model()
    for invoices in drawn:
        # Of before the last round only what is too old to be told stays.
        account.invoices.clear()
        for customer, amount, ago in invoices:
            moment = Period.containing(BEGIN).shift(-ago).start + timedelta(days=2)
            # A number that the provider tells whole, however old it is.
            name = f"in_{3 * (len(model.everything) + len(account.invoices)) + 1}"
            account.invoices[name] = Invoice(customer, amount, "usd", "paid", moment)
        for _ in range(2):
            outcome = synced(on)
            told = [account.fact(each) for each in account.paid()]
            model.sync(told, RevenueWindow.ending(on.clock.now()))
            judge(on, model, outcome)


def synced(on: Stage) -> SyncReport:
    on.do(turnstiles.start(on.processes[0], ORG, stepwise=False))
    outcome = on.do(turnstiles.ended(on.processes[0]))
    assert isinstance(outcome, SyncReport), outcome
    return outcome


class Model:
    """What is stored, and what of it does not count."""

    def __init__(self) -> None:
        self.everything: dict[str, RevenueFact] = {}
        self.out: set[str] = set()
        self.told: list[RevenueFact] = []

    def sync(self, told: Sequence[RevenueFact], window: RevenueWindow) -> None:
        ids = {fact.object_id for fact in told}
        stays = [
            fact
            for name, fact in self.everything.items()
            if name not in ids and not is_within(fact.occurred_at, window)
        ]
        self.everything = {fact.object_id: fact for fact in (*stays, *told)}
        self.out = {fact.object_id for fact in stays} & self.out
        self.told = [fact for fact in told if is_within(fact.occurred_at, window)]
        for customer in ("cus_1", "cus_2"):
            mine = self.counted(customer)
            if not fit(mine):
                kept = self.count([], [fact for fact in mine if fact in stays])
                self.count(kept, [fact for fact in mine if fact not in stays])

    def count(self, before: list[RevenueFact], facts: list[RevenueFact]) -> list[RevenueFact]:
        """All of them where they fit, else small ones first."""
        if fit([*before, *facts]):
            return [*before, *facts]
        kept = [*before]
        for fact in sorted(facts, key=lambda one: (abs(one.amount_minor), one.object_id)):
            if fit([*kept, fact]):
                kept.append(fact)
            else:
                self.out.add(fact.object_id)
        return kept

    def counted(self, customer: str) -> list[RevenueFact]:
        return [
            fact
            for fact in self.everything.values()
            if fact.customer_id == customer and fact.object_id not in self.out
        ]


def fit(facts: Iterable[RevenueFact]) -> bool:
    return all(abs(amount) <= MOST for amount in sums(facts).values())


def sums(facts: Iterable[RevenueFact]) -> dict[object, int]:
    """By month, and in all."""
    found: dict[object, int] = {}
    for fact in facts:
        for place in (month_of(fact.occurred_at), "all"):
            found[place] = found.get(place, 0) + fact.amount_minor
    return found


def judge(on: Stage, model: Model, outcome: SyncReport) -> None:
    told_out = [fact for fact in model.told if fact.object_id in model.out]
    assert outcome.invoices_fetched == len(model.told)
    assert outcome.invoices_skipped == len(told_out)
    months, totals = on.runner.run(on.database.read(_stored))
    for customer in ("cus_1", "cus_2"):
        expected = sums(model.counted(customer))
        assert totals.get(customer, 0) == expected.pop("all", 0) * 10_000
        found = {month: amount for (name, month), amount in months.items() if name == customer}
        assert found == {month: amount * 10_000 for month, amount in expected.items()}
    report = on.runner.run(RebuildService(on.database).check(ORG, show=3))
    assert (report.wrong, report.shown) == (0, [])
    skipped = {fact for name, fact in model.everything.items() if name in model.out}
    for period in {Period.containing(fact.occurred_at) for fact in skipped}:
        [line] = on.runner.run(
            on.database.read(
                lambda tx, period=period: skipped_revenue.skipped_in(
                    tx, ORG, ["stripe"], period, "invoiced"
                )
            )
        )
        of_month = [each for each in skipped if Period.containing(each.occurred_at) == period]
        assert (line.invoices, line.nobodys_minor) == (len(of_month), 0)
        assert line.amount_minor == sum(each.amount_minor for each in of_month)


def _stored(
    tx: Connection,
) -> tuple[dict[tuple[str, tuple[int, int]], int], dict[str, int]]:
    months = {(row[2], divmod(row[0], 12)): row[3] for row in rows(tx, customer_months, ORG)}
    named = {(name, (year, at + 1)): amount for (name, (year, at)), amount in months.items()}
    return named, {row[1]: row[5] for row in rows(tx, revenue_customers, ORG)}
