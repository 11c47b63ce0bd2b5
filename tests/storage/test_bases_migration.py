"""What the step to four bases makes of the revenue that is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from nullspend_margins.domain.period import Months
from nullspend_margins.domain.revenue_part import BASES
from nullspend_margins.storage import month_revenue, skipped_revenue
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.migrate import migrate
from nullspend_margins.storage.tables import revenue_facts
from tests.postgres import PostgresForTests
from tests.storage.builders import NOVEMBER, NOW, ORG, invoice, rows, sync
from tests.storage.rebuilding import check
from tests.storage.releases import bring_to, empty_database

OF_ORG = {"org": ORG, "moment": "2026-11-20T12:00:00.000000+00:00"}
FACT = text(
    "INSERT INTO margins_revenue_facts (org_id, provider, object_id, kind, customer_id, month,"
    " amount_minor, currency, amount_microdollars, counted, occurred_at, customer_name)"
    " VALUES (:org, 'stripe', :id, 'invoice', :customer, :month, :minor, :currency, :micro,"
    " :counted, :moment, 'Acme')"
)
CELLS = text(
    "INSERT INTO margins_customer_months (org_id, basis, month, provider, customer_id,"
    " revenue_microdollars, invoice_count, last_invoice_at, customer_name)"
    " VALUES (:org, 'invoiced', :month, 'stripe', 'cus_1', 3500000, 1, :moment, 'Acme')"
)
CUSTOMERS = text(
    "INSERT INTO margins_revenue_customers (org_id, provider, customer_id, name,"
    " total_microdollars, invoice_count, last_invoice_at)"
    " VALUES (:org, 'stripe', :customer, 'Acme', :total, :count, :moment)"
)
OBJECTS = [
    ("in_1", "cus_1", 350, "usd", 3_500_000, 1),
    ("in_2", "cus_2", 500, "jpy", 0, 0),
    ("in_3", None, 700, "usd", 0, 0),
    ("in_4", "cus_2", 9_000, "kwd", 0, 0),
]


def fill(tx: Connection) -> None:
    month = NOVEMBER.index
    for name, customer, minor, currency, micro, counted in OBJECTS:
        values = {"id": name, "customer": customer, "minor": minor, "currency": currency}
        tx.execute(FACT, {**OF_ORG, **values, "month": month, "micro": micro, "counted": counted})
    tx.execute(CELLS, {**OF_ORG, "month": month})
    for customer, total, count in (("cus_1", 3_500_000, 1), ("cus_2", 0, 0)):
        tx.execute(CUSTOMERS, {**OF_ORG, "customer": customer, "total": total, "count": count})


@pytest.fixture(params=["sqlite", "postgresql"])
def earlier_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_server: PostgresForTests
) -> Iterator[str]:
    """A database before the step."""
    with empty_database(request.param, tmp_path, postgres_server) as url:
        bring_to(url, "0004", fill)
        yield url


async def test_what_was_paid_counts_by_every_basis_until_the_next_sync(earlier_url: str) -> None:
    await migrate(earlier_url)
    database = Database(earlier_url)
    await database.start()
    month = Months(NOVEMBER, NOVEMBER)
    try:
        assert (await check(database)).wrong == 0
        for basis in BASES:
            [found] = await database.read(
                lambda tx, basis=basis: month_revenue.month_amounts(tx, ORG, month, basis)
            )
            assert found == {"stripe": {"cus_1": 3_500_000}}
            left = await database.read(
                lambda tx, basis=basis: skipped_revenue.skipped_in(
                    tx, ORG, ["stripe"], NOVEMBER, basis
                )
            )
            told = [(each.currency, each.invoices, each.amount_minor) for each in left]
            assert told == [("jpy", 1, 500), ("kwd", 1, 9_000), ("usd", 1, 700)]
    finally:
        await database.close()


async def test_a_sync_of_the_same_invoices_changes_nothing(earlier_url: str) -> None:
    await migrate(earlier_url)
    database = Database(earlier_url)
    await database.start()
    facts = [
        invoice(name, minor, customer_id=customer, currency=currency, customer_name="Acme")
        for name, customer, minor, currency, *_ in OBJECTS
    ]
    try:
        before = await database.read(lambda tx: rows(tx, revenue_facts))
        assert before[0][9] == NOW or NOW in before[0]
        assert not await database.write(lambda tx: sync(tx, facts))
        assert await database.read(lambda tx: rows(tx, revenue_facts)) == before
    finally:
        await database.close()
