"""The same through the Stripe provider and a Stripe-shaped server: rounds of changes and syncs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from nullspend_margins import CostEvent, RevenueFact
from nullspend_margins.demo.stripe_account import StripeAccount
from nullspend_margins.demo.stripe_faults import Fault
from nullspend_margins.demo.stripe_invoices import StripeInvoice
from nullspend_margins.storage.columns import metadata
from nullspend_margins.storage.database import Database
from tests.properties import arithmetic, writes
from tests.properties.model import Org
from tests.properties.profile import examples
from tests.properties.sync_stage import expected_report, look_at, numbers_of, revenue_of
from tests.world import KEY, NOW, ORG, World, world

CUSTOMERS = ("cus_1", "cus_2", "cus_3")
TAGS = ("acme", "zeta", "cus_1")
NAMES = (None, "One", "Two")


@dataclass
class Here:
    world: World
    database: Database

    async def clear(self) -> StripeAccount:
        """Nothing stored, an empty Stripe account, connected."""

        def work(tx: Connection) -> None:
            for table in reversed(metadata.sorted_tables):
                tx.execute(table.delete())

        await self.database.write(work)
        self.world.clock.moment = NOW
        self.world.stripe.keys.clear()
        self.world.stripe.faults.clear()
        account = self.world.stripe.add_account(KEY)
        for customer in CUSTOMERS:
            account.add_customer(customer, name="At first")
        assert (await self.world.connect()).status_code == 201
        return account


@pytest_asyncio.fixture
async def here(database_url: str) -> AsyncIterator[Here]:
    async with world(database_url) as made:
        database = Database(database_url, pool_size=1)
        await database.start()
        yield Here(made, database)
        await database.close()


New = tuple[str | None, int, str, str, int]
Changed = tuple[int, dict[str, object]]
Described = tuple[str, str | None, str | None, bool]


@dataclass(frozen=True)
class Round:
    """What happens at Stripe, and then a sync; ``fault`` is met at its second page or first."""

    many: int
    new: list[New]
    changed: list[Changed]
    described: list[Described]
    fault: tuple[int, int] | None
    next_month: bool


rounds = st.builds(
    Round,
    many=st.sampled_from((0, 0, 99, 130)),
    new=st.lists(
        st.tuples(
            st.sampled_from((*CUSTOMERS, None)),
            st.integers(0, 500),
            st.sampled_from(("usd", "usd", "usd", "eur")),
            st.sampled_from(("paid", "paid", "open", "draft")),
            st.integers(0, 130),
        ),
        max_size=6,
    ),
    changed=st.lists(
        st.tuples(
            st.integers(0, 300),
            st.sampled_from(
                [
                    {"status": "paid", "amount_paid": 70},
                    {"status": "void", "amount_paid": 0},
                    {"amount_paid": 7},
                    {"currency": "eur"},
                    {"customer_id": "cus_2"},
                    {"customer_id": None},
                    {},
                ]
            ),
        ),
        max_size=3,
    ),
    described=st.lists(
        st.tuples(
            st.sampled_from(CUSTOMERS),
            st.sampled_from(NAMES),
            st.sampled_from((None, *TAGS)),
            st.booleans(),
        ),
        max_size=2,
    ),
    fault=st.one_of(st.none(), st.tuples(st.sampled_from((401, 403)), st.integers(0, 1))),
    next_month=st.sampled_from((False, False, True)),
)


def happen(account: StripeAccount, drawn: Round, now: datetime) -> None:
    for customer, amount, currency, status, days_ago in drawn.new:
        created = int(now.timestamp()) - 86_400 * days_ago
        # Without lines nothing is spread over other months: the model knows one basis.
        account.add_invoice(
            customer, amount, created=created, currency=currency, status=status, lines=()
        )
    for number in range(drawn.many):
        created = int(now.timestamp()) - 3_600 * number
        account.add_invoice("cus_3", 1 + number, created=created, lean=True)
    for number, change in drawn.changed:
        ids = sorted(account.invoices)
        object_id = ids[number % len(ids)] if ids else None
        if object_id and change:
            account.change_invoice(object_id, **change)
        elif object_id:
            account.remove_invoice(object_id)
    for customer, name, tag, deleted in drawn.described:
        account.add_customer(
            customer, name=name, metadata={"nullspend_customer": tag} if tag else {}
        )
        if deleted:
            account.delete_customer(customer)


def told(account: StripeAccount, now: datetime) -> list[RevenueFact]:
    """The paid invoices of the window, as they count."""
    last = arithmetic.month_of(now)
    return [
        _fact(account, invoice)
        for invoice in account.invoices.values()
        if invoice.status == "paid"
        and arithmetic.shifted(last, -3) <= arithmetic.month_of(_moment(invoice)) <= last
    ]


def _moment(invoice: StripeInvoice) -> datetime:
    return datetime.fromtimestamp(invoice.created, UTC)


def _fact(account: StripeAccount, invoice: StripeInvoice) -> RevenueFact:
    customer = account.customers.get(invoice.customer_id or "")
    known = customer if customer is not None and not customer.deleted else None
    return RevenueFact(
        object_id=invoice.id,
        customer_id=invoice.customer_id,
        amount_minor=invoice.amount_paid,
        currency=invoice.currency,
        occurred_at=_moment(invoice),
        customer_name=(known.name if known else None) or invoice.customer_name,
        suggested_tag=known.metadata.get("nullspend_customer") if known else None,
    )


@examples(8)
@given(drawn=st.lists(rounds, min_size=1, max_size=3), seen=st.lists(st.sampled_from(TAGS)))
async def test_after_any_rounds_the_numbers_are_stripes_or_the_last_good_ones(
    here: Here, drawn: list[Round], seen: list[str]
) -> None:
    account = await here.clear()
    org = await spent(here, seen[:3])
    for each in drawn:
        org = await synced(here, account, org, each)
    if drawn[-1].fault is not None:
        org = await synced(here, account, org, replace(drawn[-1], **NOTHING))


NOTHING: dict[str, object] = {
    "many": 0, "new": [], "changed": [], "described": [], "fault": None, "next_month": False,
}  # fmt: skip


async def spent(here: Here, tags: list[str]) -> Org:
    events = [
        CostEvent(
            event_id=f"event-{number}",
            provider="openai",
            model="gpt-4o",
            cost_nanodollars=1_000,
            occurred_at=here.world.clock.now(),
            tag_value=tag,
        )
        for number, tag in enumerate(tags)
    ]
    await here.world.margins.ingest(ORG, events)
    return Org(events=[("host", event) for event in events])


async def synced(here: Here, account: StripeAccount, org: Org, drawn: Round) -> Org:
    here.world.clock.advance(days=31 if drawn.next_month else 0, seconds=1)
    now = here.world.clock.now()
    happen(account, drawn, now)
    facts = told(account, now)
    if drawn.fault is not None:
        status, page = drawn.fault
        page = min(page, (len(facts) - 1) // 100) if facts else 0
        fault = Fault(status=status, skip=page, times=1, path="/v1/invoices")
        here.world.stripe.faults.plan(fault)
    answer = await here.world.call("GET", "/api/stripe/revenue-sync")
    if drawn.fault is None:
        assert answer.status_code == 200, answer.text
        org, made = writes.synced(org, "stripe", facts, now)
        report = {snake(name): value for name, value in answer.json()["data"].items()}
        assert report.pop("duration_ms") >= 0
        assert report == expected_report(ORG, facts, len(made))
    else:
        assert answer.status_code == 409, answer.text
        if drawn.fault[0] == 401:
            await here.world.call("PUT", "/api/stripe/connect", {"stripeKey": KEY})
    found = await here.database.read(lambda tx: look_at(tx, ORG))
    assert found.numbers == numbers_of(revenue_of(org))
    assert {replace(each, id="") for each in found.mappings} == set(org.mappings)
    assert (found.staged, found.held_until) == (0, None)
    return org


def snake(name: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name)
