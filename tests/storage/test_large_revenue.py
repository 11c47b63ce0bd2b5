"""Revenue of more than a cell can hold is stored, told and not counted: all else is."""

from __future__ import annotations

import logging

import pytest

from nullspend_margins.domain.coverage import SkippedRevenue
from nullspend_margins.domain.period import Months
from nullspend_margins.domain.recognition import Conversion
from nullspend_margins.domain.revenue import RevenueFact
from nullspend_margins.domain.revenue_part import MAX_COUNTED_CENTS, MAX_MINOR_AMOUNT, RevenuePart
from nullspend_margins.storage import month_revenue, skipped_revenue
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.revenue_parts import recognition
from tests.storage.builders import NOVEMBER, NOW, ORG, invoice, sync

NEAR = 2**53


def of_parts(object_id: str, *amounts: int) -> RevenueFact:
    parts = tuple(
        RevenuePart(bases=("invoiced",), kind="invoice", amount_minor=amount, occurred_at=NOW)
        for amount in amounts
    )
    return invoice(object_id, 100, parts=parts)


@pytest.mark.parametrize(
    ("fact", "is_counted"),
    [
        (invoice("1", MAX_COUNTED_CENTS), True),
        (invoice("1", -MAX_COUNTED_CENTS), True),
        (invoice("1", MAX_COUNTED_CENTS + 1), False),
        (invoice("1", -MAX_COUNTED_CENTS - 1), False),
        (invoice("1", NEAR), False),
        (of_parts("1", MAX_COUNTED_CENTS, 1 - MAX_COUNTED_CENTS), True),
        (of_parts("1", MAX_COUNTED_CENTS, 1), False),
        # By itself each would have to be told, too.
        (of_parts("1", NEAR, -NEAR), False),
    ],
)
def test_a_fact_counts_if_cells_can_hold_it(
    fact: RevenueFact, is_counted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = recognition(fact, Conversion())

    assert found.is_counted is is_counted
    assert found.microdollars == (
        sum(part.amount_minor for part in fact.all_parts) * 10_000 if is_counted else 0
    )
    told = ["invoice 1 is more than 9.2 trillion dollars: it does not count as revenue"]
    assert [one.getMessage() for one in caplog.records] == ([] if is_counted else told)


async def test_what_is_too_much_is_skipped_and_the_rest_counts(database: Database) -> None:
    facts = [
        invoice("1", 100),
        invoice("2", NEAR),
        of_parts("3", NEAR, NEAR + 1),
        invoice("4", 700, customer_id=None),
        invoice("5", MAX_MINOR_AMOUNT, customer_id=None),
        invoice("6", NEAR, currency="krw"),
    ]
    await database.write(lambda tx: sync(tx, facts))

    november = Months(NOVEMBER, NOVEMBER)
    [paid] = await database.read(
        lambda tx: month_revenue.month_amounts(tx, ORG, november, "invoiced")
    )
    assert paid == {"stripe": {"cus_1": 1_000_000}}
    skipped = await database.read(
        lambda tx: skipped_revenue.skipped_in(tx, ORG, ["stripe"], NOVEMBER, "invoiced")
    )
    assert skipped == [
        SkippedRevenue("stripe", "krw", 1, NEAR, 0),
        SkippedRevenue("stripe", "usd", 4, NEAR + 2 * NEAR + 1 + 700 + MAX_MINOR_AMOUNT, 700),
    ]
