"""The sample company has something of everything, on whatever day the demo is run."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from nullspend_margins.demo.company import SampleCompany
from nullspend_margins.demo.customers import CUSTOMERS
from nullspend_margins.demo.stripe_server import StripeServer
from nullspend_margins.domain.health import HealthThresholds, HealthTier
from nullspend_margins.domain.margin import health_tier
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue import RevenueWindow

DAYS = [
    datetime(2026, 11, 22, 15, 30, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
    datetime(2028, 2, 29, 23, 59, 59, 999_000, tzinfo=UTC),
    datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC),
]
on_any_day = pytest.mark.parametrize("now", DAYS, ids=str)


@on_any_day
def test_nothing_lies_in_the_future_or_before_what_a_sync_reads(now: datetime) -> None:
    company = SampleCompany(now)
    window = RevenueWindow.ending(now)
    for event in company.events():
        moment = datetime.fromisoformat(event["occurredAt"])
        assert window.first.start <= moment <= now
    for invoice in company.invoices():
        assert datetime.fromtimestamp(invoice.created, UTC) <= now


@on_any_day
def test_every_month_of_the_window_has_invoices_and_costs(now: datetime) -> None:
    company = SampleCompany(now)
    window = set(RevenueWindow.ending(now).periods)
    invoiced = {
        Period.containing(datetime.fromtimestamp(each.created, UTC)) for each in company.invoices()
    }
    spent = {
        Period.containing(datetime.fromisoformat(each["occurredAt"])) for each in company.events()
    }
    assert spent == window
    assert invoiced >= window


@on_any_day
def test_the_current_month_has_all_four_tiers_among_paying_customers(now: datetime) -> None:
    company = SampleCompany(now)
    month = Period.containing(now)
    revenue, cost = Counter[str](), Counter[str]()
    for invoice in company.invoices():
        created = datetime.fromtimestamp(invoice.created, UTC)
        if invoice.status == "paid" and invoice.currency == "usd" and created >= month.start:
            revenue[invoice.customer_id or ""] += invoice.amount * 10_000
    for event in company.events():
        if datetime.fromisoformat(event["occurredAt"]) >= month.start:
            tag_value = event.get("customer") or event["tags"].get("customer", "")
            cost[tag_value] += event["costMicrodollars"]
    tiers = Counter(
        health_tier(revenue[each.id], cost[each.tag_value], HealthThresholds())
        for each in CUSTOMERS
        if each.join != "nothing" and revenue[each.id]
    )
    assert all(tiers[tier] >= 4 for tier in HealthTier)


def test_it_is_the_same_company_every_time() -> None:
    first, second = SampleCompany(DAYS[0]), SampleCompany(DAYS[0])
    assert list(first.events()) == list(second.events())
    assert list(first.invoices()) == list(second.invoices())


def test_time_only_adds_to_a_month_that_is_running() -> None:
    later = SampleCompany(DAYS[0] + timedelta(days=3))
    keys = {event["idempotencyKey"] for event in SampleCompany(DAYS[0]).events()}
    assert keys == {event["idempotencyKey"] for event in later.events()}


def test_no_two_events_share_a_key_and_no_two_customers_an_id_or_tag_value() -> None:
    events = [event["idempotencyKey"] for event in SampleCompany(DAYS[0]).events()]
    assert len(set(events)) == len(events) > 5_000
    assert len({each.id for each in CUSTOMERS}) == len(CUSTOMERS) >= 40
    assert len({each.tag_value for each in CUSTOMERS}) == len(CUSTOMERS)


def test_stripe_gets_every_customer_and_invoice_and_forgets_the_deleted_one() -> None:
    account = StripeServer().add_account("rk_test_0123456789abcdef")
    company = SampleCompany(DAYS[0])
    assert company.fill(account) == len(account.invoices) == len(list(company.invoices()))
    assert [each.deleted for each in account.customers.values()].count(True) == 1
    suggested = [each.metadata for each in account.customers.values() if each.metadata]
    assert len(suggested) == 3
    assert all(set(each) == {"nullspend_customer"} for each in suggested)
