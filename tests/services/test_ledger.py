"""A tag value's row, read by itself or among many."""

from __future__ import annotations

from sqlalchemy import Connection

from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.period import Months
from nullspend_margins.services.ledger import LedgerRow, customer_row, read_ledger
from nullspend_margins.storage import mappings
from nullspend_margins.storage.customer_revenue import mapped_customers
from nullspend_margins.storage.database import Database
from tests.storage.builders import NOVEMBER, NOW, ORG, invoice, mapping, put_mappings, sync

OCTOBER = NOVEMBER.shift(-1)
MONTHS = Months(OCTOBER, NOVEMBER)
COSTS = [{"t0": 1_499}, {"t0": 1_500, "t1": 500, "t4": -500}]


def _fill(tx: Connection) -> None:
    """Of every second customer only October tells name and picture; one has another, too."""
    facts = [
        invoice(
            f"{number}",
            number * 100,
            customer_id=f"cus_{number}",
            customer_name=f"Name {number}",
            avatar_url=f"a{number}" if number % 3 else None,
            occurred_at=OCTOBER.start if number % 2 else NOW,
        )
        for number in range(11)
    ]
    now = invoice("now", 50, customer_id="cus_1", customer_name=None, occurred_at=NOW)
    sync(tx, [*facts, now])
    sync(tx, [invoice("p", 7, customer_id="p_3", customer_name="Paddle's")], provider="paddle")
    for number in range(12):  # the last has no revenue at all
        put_mappings(tx, mapping(f"cus_{number}", f"t{number}", id=f"m{number}"))
    put_mappings(tx, mapping("p_3", "t3", provider="paddle", id="p"))
    put_mappings(tx, mapping("p_4", "only-paddle", provider="paddle", id="q"))


def _told(row: LedgerRow) -> tuple[object, ...]:
    customer = row.provider, row.customer_id, row.customer_name, row.avatar_url
    return row.tag_value, *customer, tuple(row.revenues), tuple(row.costs)


async def test_among_many_it_is_what_it_is_by_itself(database: Database) -> None:
    await database.write(_fill)

    def read(tx: Connection) -> None:
        mapped = mappings.tag_values(tx, ORG, CUSTOMER_TAG_KEY)
        for basis in ("invoiced", "cash"):
            many = read_ledger(tx, ORG, MONTHS, mapped, COSTS, basis)
            assert len(many) == 13
            for row in many:
                customers = mapped_customers(
                    tx, ORG, CUSTOMER_TAG_KEY, row.tag_value, MONTHS, basis
                )
                assert _told(row) == _told(customer_row(row.tag_value, customers, MONTHS, COSTS))

    await database.read(read)


async def test_a_few_are_all_there(database: Database) -> None:
    await database.write(_fill)

    def read(tx: Connection) -> list[tuple[object, ...]]:
        mapped = {"stripe": {"cus_1": "t1", "cus_3": "t3"}, "paddle": {"p_3": "t3"}}
        return sorted(map(_told, read_ledger(tx, ORG, MONTHS, mapped, COSTS, "invoiced")))

    assert await database.read(read) == [
        ("t1", "stripe", "cus_1", "Name 1", "a1", (1_000_000, 500_000), (0, 1)),
        ("t3", "stripe", "cus_3", "Paddle's", None, (3_000_000, 70_000), (0, 0)),
    ]
