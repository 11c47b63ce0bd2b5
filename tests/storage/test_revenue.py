"""Revenue: a sync puts in place exactly what it was told, and reads say what that adds up to."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection

from nullspend_margins.domain.period import Months
from nullspend_margins.domain.revenue import RevenueFact, RevenueWindow
from nullspend_margins.domain.revenue_part import MAX_COUNTED_CENTS
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.storage import month_revenue, revenue
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.revenue import CustomerProfile
from nullspend_margins.storage.tables import (
    customer_months,
    revenue_customers,
    revenue_facts,
    revenue_staging,
)
from tests.storage.builders import NOVEMBER, NOW, ORG, WINDOW, invoice, rows, stage, sync

OCTOBER = NOVEMBER.shift(-1)
IN_WINDOW = Months(WINDOW.first, WINDOW.last)
_orgs = count()

_invoices = st.builds(
    lambda number, cents, customer, currency, days, name: invoice(
        f"in_{number}",
        cents,
        customer_id=customer,
        currency=currency,
        occurred_at=WINDOW.first.start + timedelta(days=days),
        customer_name=name,
    ),
    st.integers(0, 6),
    st.integers(0, 500),
    st.sampled_from(["cus_1", "cus_2", None]),
    st.sampled_from(["usd", "usd", "eur"]),
    st.integers(0, 110),
    st.sampled_from(["Acme", "Zeta", None]),
)
_pages = st.lists(
    st.lists(_invoices, max_size=8, unique_by=lambda each: each.object_id), max_size=4
)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(syncs=_pages)
async def test_after_any_syncs_the_stored_revenue_is_that_of_the_last_one(
    database: Database, syncs: list[list[RevenueFact]]
) -> None:
    org_id = f"org_{next(_orgs)}"
    for facts in syncs:
        await database.write(lambda tx, facts=facts: sync(tx, facts, org_id=org_id))
        assert not await database.write(lambda tx, facts=facts: sync(tx, facts, org_id=org_id))
    last = syncs[-1] if syncs else []
    totals: dict[tuple[Any, int], int] = defaultdict(int)
    for each in last:
        if each.customer_id is not None and each.currency == "usd":
            month = each.occurred_at.year * 12 + each.occurred_at.month - 1
            totals[each.customer_id, month] += each.amount_minor * 10_000
    months, profiles, staged = await database.read(
        lambda tx: (
            amounts(tx, org_id),
            revenue.customer_profiles(tx, org_id),
            rows(tx, revenue_staging, org_id),
        )
    )
    assert months == totals
    assert {row.customer_id: row.total_microdollars for row in profiles} == {
        each.customer_id: sum(
            total for (customer, _), total in totals.items() if customer == each.customer_id
        )
        for each in last
        if each.customer_id is not None
    }
    assert staged == []


def amounts(
    tx: Connection, org_id: str = ORG, months: Months = IN_WINDOW
) -> dict[tuple[str, int], int]:
    """What each of Stripe's customers paid in each month with any."""
    return {
        (customer_id, period.index): amount
        for period, month in zip(
            months, month_revenue.month_amounts(tx, org_id, months, "invoiced"), strict=True
        )
        for customer_id, amount in month.get("stripe", {}).items()
    }


async def test_a_month_has_its_own_latest_name_and_invoice(database: Database) -> None:
    facts = [
        invoice("1", 100, customer_name="Old", avatar_url="a", occurred_at=OCTOBER.start),
        invoice("2", 250, customer_name="New", occurred_at=NOW - timedelta(days=2)),
        invoice("3", 250, customer_name=None, occurred_at=NOW),
    ]
    await database.write(lambda tx: sync(tx, facts))
    later = invoice("1", occurred_at=OCTOBER.start + timedelta(days=1))
    await database.write(lambda tx: sync(tx, [later], org_id="org_2"))

    def look(tx: Connection) -> list[Any]:
        one = ("stripe", "cus_1")
        return [
            *month_revenue.month_amounts(tx, ORG, Months(OCTOBER, OCTOBER), "invoiced"),
            month_revenue.month_customers(tx, ORG, NOVEMBER, "invoiced"),
            month_revenue.month_customers(tx, ORG, OCTOBER, "invoiced"),
            month_revenue.last_invoices(tx, ORG, OCTOBER).get(one),
            month_revenue.last_invoices(tx, ORG, NOVEMBER).get(one),
            month_revenue.last_invoices(tx, ORG, NOVEMBER.shift(1)).get(one),
        ]

    assert await database.read(look) == [
        {"stripe": {"cus_1": 1_000_000}},
        {"stripe": {"cus_1": (5_000_000, "New", None)}},
        {"stripe": {"cus_1": (1_000_000, "Old", "a")}},
        OCTOBER.start,
        NOW,
        None,
    ]
    known = await database.read(lambda tx: revenue.profile(tx, ORG, "stripe", "cus_1"))
    assert known == CustomerProfile("stripe", "cus_1", "New", None, "a", 6_000_000)
    assert await database.read(lambda tx: revenue.profile(tx, ORG, "stripe", "cus_2")) is None


async def test_among_many_invoices_of_one_moment_the_last_id_names_the_customer(
    database: Database,
) -> None:
    ids = [f"in_{number:02d}" for number in range(25)]
    facts = [invoice(each, customer_name=f"Named by {each}") for each in ids]
    found = await database.write(
        lambda tx: (sync(tx, facts), revenue.profile(tx, ORG, "stripe", "cus_1"))[1]
    )
    assert found is not None
    assert found.name == "Named by in_24"


async def test_an_invoice_that_vanished_takes_its_month_and_customer_with_it(
    database: Database,
) -> None:
    await database.write(lambda tx: sync(tx, [invoice("1"), invoice("2", customer_id="cus_2")]))
    await database.write(lambda tx: sync(tx, [invoice("2", customer_id="cus_2")]))
    left = await database.read(
        lambda tx: [
            *amounts(tx),
            *((each.customer_id, 0) for each in revenue.customer_profiles(tx, ORG)),
        ]
    )
    assert [customer_id for customer_id, _ in left] == ["cus_2", "cus_2"]


async def test_what_changes_for_one_org_and_provider_leaves_all_others_alone(
    database: Database,
) -> None:
    """Ids of invoices and customers are theirs: others may have the same."""

    def others(tx: Connection) -> list[Any]:
        tables = (revenue_facts, customer_months, revenue_customers)
        ours = [row for table in tables for row in rows(tx, table) if "paddle" in row]
        return ours + [row for table in tables for row in rows(tx, table, "org_2")]

    def change(tx: Connection) -> None:
        sync(tx, [invoice("1", 200)], provider="paddle")
        sync(tx, [invoice("1", 400)], org_id="org_2")
        before = others(tx)
        assert len(before) == 6
        for cents in ([100, 7], [50, 7], []):
            sync(tx, [invoice(str(number), each) for number, each in enumerate(cents, 1)])
            found = revenue.profile(tx, ORG, "stripe", "cus_1")
            assert (found.total_microdollars if found else 0) == sum(cents) * 10_000
            assert sum(amounts(tx).values()) == sum(cents) * 10_000
            assert others(tx) == before

    await database.write(change)


async def test_revenue_after_the_window_stays(database: Database) -> None:
    """A host whose clock is behind syncs after one that is in the next month already."""
    december = RevenueWindow.ending(WINDOW.last.end)
    newer = invoice("new", 300, occurred_at=WINDOW.last.end)
    await database.write(lambda tx: sync(tx, [newer, invoice("1")], window=december))
    await database.write(lambda tx: sync(tx, [invoice("1")]))
    profiles = await database.read(lambda tx: revenue.customer_profiles(tx, ORG))
    assert [each.total_microdollars for each in profiles] == [4_000_000]


async def test_revenue_before_the_window_stays(database: Database) -> None:
    old = invoice("old", 300, occurred_at=datetime(2026, 3, 1, tzinfo=UTC), customer_name="Old")
    march = RevenueWindow.ending(old.occurred_at)
    await database.write(lambda tx: sync(tx, [old], window=march))
    await database.write(lambda tx: sync(tx, [invoice("new", 100)]))
    await database.write(lambda tx: sync(tx, []))
    profiles = await database.read(lambda tx: revenue.customer_profiles(tx, ORG))
    assert [(each.name, each.total_microdollars) for each in profiles] == [("Old", 3_000_000)]


async def test_an_invoice_that_enters_the_window_leaves_its_old_month(database: Database) -> None:
    old = invoice("1", 300, occurred_at=datetime(2026, 3, 1, tzinfo=UTC))
    march = RevenueWindow.ending(old.occurred_at)
    await database.write(lambda tx: sync(tx, [old], window=march))
    await database.write(lambda tx: sync(tx, [replace(old, occurred_at=NOW)]))
    found = await database.read(lambda tx: amounts(tx, months=Months(march.first, NOVEMBER)))
    assert found == {("cus_1", NOVEMBER.index): 3_000_000}


async def test_any_customer_is_the_one_with_the_latest_invoice(database: Database) -> None:
    assert await database.read(lambda tx: revenue.any_customer(tx, ORG, "stripe")) is None
    facts = [
        invoice("1", customer_id="cus_old", occurred_at=OCTOBER.start),
        invoice("2", customer_id="cus_new", occurred_at=NOVEMBER.start),
    ]

    def fill(tx: Connection) -> None:
        sync(tx, facts)
        sync(tx, [invoice("3", customer_id="theirs")], provider="paddle")
        sync(tx, [invoice("4", customer_id="another orgs")], org_id="org_2")

    await database.write(fill)
    assert await database.read(lambda tx: revenue.any_customer(tx, ORG, "stripe")) == "cus_new"


async def test_deleting_a_provider_leaves_other_providers_and_orgs_alone(
    database: Database,
) -> None:
    def fill(tx: Connection) -> None:
        for org_id, provider in ((ORG, "stripe"), (ORG, "paddle"), ("org_2", "stripe")):
            sync(tx, [invoice("1")], org_id=org_id, provider=provider)
            stage(tx, org_id, provider, "open", [invoice("2")])
        revenue.delete_provider(tx, ORG, "stripe")

    await database.write(fill)
    for table in (revenue_facts, revenue_staging, customer_months, revenue_customers):
        for org_id, providers in ((ORG, {"paddle"}), ("org_2", {"stripe"})):
            found = await database.read(lambda tx, t=table, o=org_id: rows(tx, t, o))
            assert {value for row in found for value in row if value in ("stripe", "paddle")} == (
                providers
            ), table.name


async def test_sums_beyond_64_bits_are_refused_and_nothing_is_kept(database: Database) -> None:
    most = MAX_COUNTED_CENTS
    with pytest.raises(ValidationFailed, match="revenue is beyond"):
        await database.write(lambda tx: sync(tx, [invoice("1", most), invoice("2", most)]))
    assert await database.read(lambda tx: rows(tx, revenue_facts)) == []
    await database.write(lambda tx: sync(tx, [invoice("1", most)]))
