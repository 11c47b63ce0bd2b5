"""What happens around syncs: at the provider, at the host, and to the connection."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
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
from nullspend_margins.errors import Conflict, ConnectionRevoked, InternalError, MarginsError
from tests.properties import arithmetic, writes
from tests.properties.model import ModelMapping, Org
from tests.properties.sync_stage import LEASE_SECONDS, Seen, Stage
from tests.properties.turnstiles import Account, Invoice

ORG, FRESH = "org_1", "org_fresh"
BEGIN = datetime.fromisoformat("2026-11-20T00:00:00Z")
CUSTOMERS = ("cus_1", "cus_2", "cus_3", None)
TAGS = ("acme", "zeta", "cus_1", "cus_2")
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
    st.sampled_from(("go on", "go on", "go on", "stop", "finish", "lose")),
    st.sampled_from((1, 1, 2, 2, 3, 4, 6, 12)),
    st.one_of(st.none(), st.none(), failures),
)

MEANWHILE = (
    "another syncs", "another syncs", "lease", "lease", "month", "the key is replaced",
    "it is connected anew", "a match is rejected", "an invoice vanishes",
)  # fmt: skip


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
        self.connects = 0
        """How often the connection was made, unmade or given another key."""
        on.clear()
        self.seen = on.look(ORG)
        self.connect()

    # What the provider's customers do.

    @initialize(
        invoices=st.lists(invoices, max_size=6),
        spent=st.lists(st.tuples(st.sampled_from(TAGS), recently), max_size=3),
    )
    def begin_somewhere(self, invoices: list[DrawnInvoice], spent: list[tuple[str, int]]) -> None:
        for drawn in invoices:
            self.invoice(drawn)
        for tag, days_ago in spent:
            self.spend(tag, days_ago)

    @rule(drawn=invoices)
    def invoice(self, drawn: DrawnInvoice) -> None:
        customer, cents, currency, status, days_ago = drawn
        moment = self.clock.now() - timedelta(days=days_ago)
        self.account.invoices[f"in_{next(self.numbers)}"] = Invoice(
            customer, cents, currency, status, moment
        )

    @precondition(lambda self: self.account.invoices)
    @rule(
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
            ]
        ),
    )
    def change(self, number: int, change: dict[str, object]) -> None:
        """Paid late, voided, corrected, moved; with no change it vanishes."""
        ids = sorted(self.account.invoices)
        object_id = ids[number % len(ids)]
        if change:
            self.account.change(object_id, **change)
        else:
            del self.account.invoices[object_id]

    @rule(
        customer=st.sampled_from(CUSTOMERS[:3]),
        name=st.sampled_from((None, "One", "Two")),
        tag=st.sampled_from((None, *TAGS)),
    )
    def describe(self, customer: str, name: str | None, tag: str | None) -> None:
        self.account.customers[customer] = (name, tag)

    # What the host and its people do.

    @rule(tag=st.sampled_from(TAGS), days_ago=recently)
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

    @rule(
        by=which,
        customer=st.sampled_from(CUSTOMERS[:3]),
        tag=st.sampled_from(TAGS),
        match_type=st.sampled_from(("manual", "auto")),
    )
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
            ORG, "stripe", customer, "customer", tag, match_type
        )
        outcome = self.outcome(saving)
        assert isinstance(outcome, Conflict) == (after is None)
        if after is not None:
            mappings = [
                replace(each, id=outcome.id) if each.id == "new" else each
                for each in after.mappings
            ]
            self.org = replace(after, mappings=mappings)

    @precondition(lambda self: self.org.mappings)
    @rule(by=which, number=st.integers(0, 5))
    def unmap(self, by: int, number: int) -> None:
        gone = self.org.mappings[number % len(self.org.mappings)]
        self.stage.do(self.stage.processes[by].services.mappings.delete(ORG, gone.id))
        self.org = writes.unmapped(self.org, gone)

    def happen(self, what: str, by: int) -> None:
        """One of ``MEANWHILE``, where there is something it can happen to."""
        matches = [at for at, each in enumerate(self.org.mappings) if each.match_type == "auto"]
        if what in ("lease", "month"):
            self.wait(what)
        elif what == "a match is rejected" and matches:
            self.unmap(by, matches[0])
        elif what == "an invoice vanishes" and self.account.invoices:
            self.change(len(self.account.invoices) // 2, {})
        elif what == "the key is replaced" and self.org.connections:
            self.replace_key("other")
        elif what == "it is connected anew" and self.org.connections:
            self.disconnect(by, again=True)

    @precondition(lambda self: not self.org.connections)
    @rule()
    def connect(self) -> None:
        services = self.stage.processes[0].services
        self.stage.do(services.connections.connect(ORG, "stripe", {"key": "k"}))
        shown = {"lastSyncAt": None, "syncStatus": "active", "skippedCurrencies": None}
        self.org = replace(self.org, connections={"stripe": shown})
        self.connects += 1
        self.seen = self.stage.look(ORG)

    @precondition(lambda self: self.org.connections)
    @rule(key=st.sampled_from(("k", "other")))
    def replace_key(self, key: str) -> None:
        services = self.stage.processes[0].services
        self.stage.do(services.connections.replace(ORG, "stripe", {"key": key}))
        self.connects += 1
        self.seen = self.stage.look(ORG)
        self.show_connection(self.seen)

    @precondition(lambda self: self.org.connections)
    @rule(by=which, again=st.sampled_from((True, True, False)))
    def disconnect(self, by: int, again: bool) -> None:
        services = self.stage.processes[by].services
        self.stage.do(services.connections.disconnect(ORG, "stripe"))
        self.org = writes.disconnected(self.org, "stripe")
        self.connects += 1
        self.seen = self.stage.look(ORG)
        if again:
            self.connect()

    @rule(jump=st.sampled_from(("moment", "moment", "lease", "month")))
    def wait(self, jump: str) -> None:
        if jump == "month":
            self.clock.moment = Period.containing(self.clock.now()).shift(1).start
        self.clock.advance(seconds=LEASE_SECONDS if jump == "lease" else 1)

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

    def outcome(self, work: object) -> object:
        try:
            return self.stage.do(work)
        except MarginsError as problem:
            return problem
