"""Customers with revenue that nobody has mapped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from nullspend_margins.domain.revenue_part import Basis, RevenuePart
from nullspend_margins.services.unmatched import Unmatched, read_unmatched
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.revenue import CustomerProfile
from tests.storage.builders import NOVEMBER, ORG, invoice, mapping, put_mappings, sync

OCTOBER = NOVEMBER.shift(-1)


async def customers(database: Database, basis: Basis) -> Sequence[CustomerProfile]:
    return (await database.read(lambda tx: read_unmatched(tx, ORG, basis, ()))).customers


async def test_unmatched_customers_are_those_with_revenue_and_no_mapping_of_the_key(
    database: Database,
) -> None:
    facts = [
        invoice("1", 100, customer_id="cus_small"),
        invoice("2", 900, customer_id="cus_mapped"),
        invoice("3", 500, customer_id="cus_b"),
        invoice("4", 500, customer_id="cus_a", customer_email="a@example.com"),
        invoice("5", 700, customer_id="cus_foreign", currency="eur"),
        invoice("6", 0, customer_id="cus_trial"),
        invoice("7", -100, customer_id="cus_owed"),
    ]

    def fill(tx: Connection) -> None:
        sync(tx, facts)
        sync(tx, [invoice("1", 500, customer_id="cus_mapped")], provider="paddle")
        sync(tx, [invoice("1", 999)], org_id="org_2")
        put_mappings(tx, mapping("cus_mapped", "acme"))
        put_mappings(tx, mapping("cus_small", "team", tag_key="team"))
        put_mappings(tx, mapping("cus_a", "theirs", org_id="org_2"))

    await database.write(fill)
    found = await customers(database, "invoiced")
    assert [(each.provider, each.customer_id) for each in found] == [
        ("paddle", "cus_mapped"),
        ("stripe", "cus_a"),
        ("stripe", "cus_b"),
        ("stripe", "cus_small"),
        ("stripe", "cus_owed"),
    ]
    assert found[1] == CustomerProfile("stripe", "cus_a", None, "a@example.com", None, 5_000_000)


async def test_unmatched_customers_have_their_total_by_the_basis_asked_for(
    database: Database,
) -> None:
    def year(amount: int) -> RevenuePart:
        return RevenuePart(
            bases=("accrual",),
            kind="line",
            amount_minor=amount,
            occurred_at=OCTOBER.start,
            until=OCTOBER.shift(12).start,
        )

    facts = [
        replace(invoice("1", 900, customer_id="cus_year"), parts=[year(900)]),
        replace(invoice("2", 100, customer_id="cus_less"), parts=[year(-100)]),
        invoice("3", 300, customer_id="cus_plain"),
    ]
    await database.write(lambda tx: sync(tx, facts))

    async def totals(basis: Basis) -> list[tuple[str, int]]:
        found = await customers(database, basis)
        return [(each.customer_id, each.total_microdollars) for each in found]

    assert await totals("invoiced") == [("cus_plain", 3_000_000)]
    assert await totals("accrual") == [
        ("cus_year", 9_000_000),
        ("cus_plain", 3_000_000),
        ("cus_less", -1_000_000),
    ]


@pytest.mark.parametrize(
    "many",
    [
        {"seen_tags": frozenset(map(str, range(40_000)))},
        {"rejected": frozenset(("stripe", "cus_1", str(tag)) for tag in range(40_000))},
    ],
    ids=["tag values", "rejected pairs"],
)
def test_an_org_without_revenue_may_have_much_to_be_kept(many: Mapping[str, Any]) -> None:
    """Else a cache for so many rows would hold any number of such orgs."""
    assert Unmatched(customers=(), tags=(), pending=(), **many).rows >= 10_000
