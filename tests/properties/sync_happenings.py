"""What happens around syncs: at the provider, at the host, and to the connection."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
)

from nullspend_margins import (
    CostEvent,
    CredentialRefused,
    Period,
    PermissionMissing,
    ProviderUnavailable,
    ValidationFailed,
)
from nullspend_margins.domain.mapping_changes import Wanted
from nullspend_margins.domain.revenue import RevenueWindow
from nullspend_margins.errors import Conflict, ConnectionRevoked, InternalError, MarginsError
from tests.properties import writes
from tests.properties.model import ModelMapping, Org
from tests.properties.paged_provider import Account, Invoice
from tests.properties.sync_stage import LEASE_SECONDS, Stage

ORG, FRESH = "org_1", "org_fresh"
BEGIN = datetime.fromisoformat("2026-11-20T00:00:00Z")
CUSTOMERS = ("cus_1", "cus_2", "cus_3", None)
TAGS = ("acme", "cus_1", "cus_2", "cus_3")
DrawnInvoice = tuple[str | None, int, str, str, int]
"""Customer, cents, currency, status, days ago."""

invoices = st.tuples(
    st.sampled_from(CUSTOMERS),
    st.one_of(st.integers(-2, 5), st.just(10_000)),
    st.sampled_from(("usd", "usd", "usd", "eur")),
    st.sampled_from(("paid", "paid", "open")),
    st.one_of(st.integers(0, 130), st.sampled_from((0, 19, 20, 80, 100, 111, 112))),
)
"""Of 20 November: the ends of this month, of the window and of the 90 days are among them."""

which = st.integers(0, 1)
recently = st.sampled_from((0, 0, 90, 91))

FAILURES: dict[type[Exception], type[Exception]] = {
    ProviderUnavailable: ProviderUnavailable,
    CredentialRefused: ConnectionRevoked,
    PermissionMissing: PermissionMissing,
    ValidationFailed: ProviderUnavailable,
    RuntimeError: InternalError,
}
"""What a provider may raise, and what the one who asked for the sync is told."""

failures = st.tuples(
    st.integers(0, 4), st.sampled_from([*FAILURES]).map(lambda cls: cls("the provider's trouble"))
)

Action = tuple[int, str, int, tuple[int, Exception] | None]
"""Which process, what it does, for how many steps, and what is in the provider's way."""

actions = st.tuples(
    which,
    st.sampled_from(("go on", "go on", "go on", "stop", "die", "finish", "lose")),
    st.sampled_from((1, 1, 2, 2, 3, 4, 6, 12)),
    st.one_of(st.none(), st.none(), failures),
)

Happening = tuple[str, dict[str, object]]
"""A method of ``Happenings`` and its arguments."""


def _happening(
    name: str, /, **arguments: st.SearchStrategy[object]
) -> st.SearchStrategy[Happening]:
    return st.tuples(st.just(name), st.fixed_dictionaries(arguments))


waits = _happening("wait", jump=st.sampled_from(("moment", "lease", "lease", "month")))
connecting = st.one_of(
    _happening("replace_key", key=st.sampled_from(("k", "other"))),
    _happening("disconnect", by=which, again=st.sampled_from((True, True, False))),
)
rejecting = _happening("unmap", by=which, number=st.integers(0, 2))
happenings = st.one_of(
    _happening("invoice", drawn=invoices),
    _happening(
        "change",
        number=st.integers(0, 20),
        change=st.sampled_from(
            [
                {"status": "paid"},
                {"status": "void"},
                {"cents": 7},
                {"cents": 0},
                {"currency": "eur"},
                {"currency": "usd"},
                {"customer": None},
                {"customer": "cus_1"},
                {"customer": "cus_2"},
                {"moment": BEGIN - timedelta(days=25)},
                {},
                {},
                {},
            ]
        ),
    ),
    _happening(
        "describe",
        customer=st.sampled_from(CUSTOMERS[:3]),
        name=st.sampled_from((None, "One", "Two")),
        tag=st.sampled_from((None, *TAGS)),
    ),
    _happening("spend", tag=st.sampled_from(TAGS), days_ago=recently),
    _happening(
        "map",
        by=which,
        customer=st.sampled_from(CUSTOMERS[:3]),
        tag=st.sampled_from(TAGS),
        match_type=st.sampled_from(("manual", "auto")),
    ),
    rejecting,
    _happening("restore", by=which),
    _happening("retag", by=which, tag=st.sampled_from(TAGS)),
    connecting,
    waits,
)


class Happenings(RuleBasedStateMachine):
    """An org, its account at the provider, and a model of both."""

    def __init__(self, on: Stage) -> None:
        super().__init__()
        self.stage = on
        self.account = on.provider.account = Account()
        self.clock = on.clock
        self.clock.moment = BEGIN
        self.org = Org(connections={})
        self.numbers = count(1)
        on.clear()
        self.seen = on.look(ORG)
        self.connect()

    @initialize(
        invoices=st.lists(invoices, min_size=1, max_size=6),
        spent=st.lists(st.tuples(st.sampled_from(TAGS), recently), min_size=1, max_size=4),
        some=st.lists(happenings, max_size=4),
    )
    def begin_somewhere(
        self, invoices: list[DrawnInvoice], spent: list[tuple[str, int]], some: list[Happening]
    ) -> None:
        for drawn in invoices:
            self.invoice(drawn)
        for tag, days_ago in spent:
            self.spend(tag, days_ago)
        window = RevenueWindow.ending(BEGIN)
        for edge in (window.first.start, window.last.start, window.last.end):
            self.paid("cus_1", 2, edge)
            self.paid("cus_1", 4, edge - timedelta(microseconds=1))
        self.happen(some)

    @rule(some=st.lists(happenings, min_size=1, max_size=6))
    def happen(self, some: list[Happening]) -> None:
        """Around syncs, and in the middle of them."""
        for name, arguments in some:
            getattr(self, name)(**arguments)

    # What the provider's customers do.

    def paid(self, customer: str, cents: int, moment: datetime) -> None:
        number = f"in_{next(self.numbers)}"
        self.account.invoices[number] = Invoice(customer, cents, "usd", "paid", moment)

    def invoice(self, drawn: DrawnInvoice) -> None:
        """At a midnight, or just before it: months begin and end there."""
        customer, cents, currency, status, days_ago = drawn
        day = self.clock.now() - timedelta(days=days_ago)
        moment = datetime.combine(day, time(), UTC) - timedelta(microseconds=cents % 2)
        self.account.invoices[f"in_{next(self.numbers)}"] = Invoice(
            customer, cents, currency, status, moment
        )

    def change(self, number: int, change: dict[str, object]) -> None:
        """Paid late, voided, corrected, moved; with no change it vanishes."""
        ids = sorted(self.account.invoices)
        object_id = ids[number % len(ids)] if ids else None
        if object_id and change:
            self.account.change(object_id, **change)
        elif object_id:
            del self.account.invoices[object_id]

    def describe(self, customer: str, name: str | None, tag: str | None) -> None:
        self.account.customers[customer] = (name, tag)

    # What the host and its people do.

    def spend(self, tag: str, days_ago: int) -> None:
        event = CostEvent(
            event_id=f"event-{next(self.numbers)}",
            provider="openai",
            model="gpt-4o",
            cost_nanodollars=25_000_500,
            occurred_at=self.clock.now() - timedelta(days=days_ago),
            tag_value=tag,
        )
        ingest = self.stage.processes[0].services.ingest
        self.stage.do(ingest.submit(ORG, "host", [event]))
        self.org = replace(self.org, events=[*self.org.events, ("host", event)])

    def map(self, by: int, customer: str, tag: str, match_type: str) -> None:
        wanted = ModelMapping(
            id="new",
            provider="stripe",
            customer_id=customer,
            tag_value=tag,
            tag_key="customer",
            match_type=match_type,
            confidence=1.0 if match_type == "manual" else None,
        )
        after = writes.mapped(self.org, wanted)
        saving = self.stage.processes[by].services.mappings.save(
            ORG, Wanted("stripe", customer, tag, match_type=match_type)
        )
        outcome = self.outcome(saving)
        assert isinstance(outcome, Conflict) == (after is None)
        if after is not None:
            mappings = [
                replace(each, id=outcome.id) if each.id == "new" else each
                for each in after.mappings
            ]
            self.org = replace(after, mappings=mappings)

    def unmap(self, by: int, number: int) -> None:
        """Mostly one of the matcher's."""
        if not self.org.mappings:
            return
        ordered = sorted(self.org.mappings, key=lambda each: each.match_type)
        gone = ordered[number % len(ordered)]
        self.stage.do(self.stage.processes[by].services.mappings.delete(ORG, gone.id))
        self.org = writes.unmapped(self.org, gone)

    def restore(self, by: int) -> None:
        """A pair that was turned down is mapped by hand after all."""
        for _, _, customer, tag in sorted(self.org.rejected)[:1]:
            self.map(by, customer, tag, "manual")

    def retag(self, by: int, tag: str) -> None:
        """A customer that was matched is mapped to another tag."""
        for each in self.org.mappings:
            if each.match_type == "auto":
                self.map(by, each.customer_id, tag, "manual")
                break

    def connect(self) -> None:
        if self.org.connections:
            return
        services = self.stage.processes[0].services
        self.stage.do(services.connections.connect(ORG, "stripe", {"key": "k"}))
        shown = {"lastSyncAt": None, "syncStatus": "active", "skippedCurrencies": None}
        self.org = replace(self.org, connections={"stripe": shown})
        self.stage.provider.connects += 1
        self.seen = self.stage.look(ORG)

    def replace_key(self, key: str) -> None:
        if not self.org.connections:
            return
        services = self.stage.processes[0].services
        self.stage.do(services.connections.replace(ORG, "stripe", {"key": key}))
        self.stage.provider.connects += 1
        self.seen = self.stage.look(ORG)

    def disconnect(self, by: int, again: bool) -> None:
        """It may stay so until the next sync."""
        if not self.org.connections:
            return
        services = self.stage.processes[by].services
        self.stage.do(services.connections.disconnect(ORG, "stripe"))
        self.org = writes.disconnected(self.org, "stripe")
        self.stage.provider.connects += 1
        self.seen = self.stage.look(ORG)
        if again:
            self.connect()

    def wait(self, jump: str) -> None:
        if jump == "month":
            self.clock.moment = Period.containing(self.clock.now()).shift(1).start
        self.clock.advance(seconds=LEASE_SECONDS if jump == "lease" else 1)

    def outcome(self, work: object) -> object:
        try:
            return self.stage.do(work)
        except MarginsError as problem:
            return problem
