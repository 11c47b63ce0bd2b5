"""What a sync stages, and which of it is a change."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, delete, select, update

from nullspend_margins import RevenuePart
from nullspend_margins.storage import staging
from nullspend_margins.storage.applying import apply_staged
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.tables import (
    customer_months,
    revenue_customers,
    revenue_facts,
    revenue_staging,
)
from tests.storage.builders import NOVEMBER, NOW, ORG, WINDOW, invoice, rows, stage, sync

OCTOBER = NOVEMBER.shift(-1)
SUMS = (customer_months, revenue_customers)


async def test_the_report_counts_what_a_sync_has_staged(database: Database) -> None:
    facts = [
        invoice("1", 100),
        invoice("2", 0),
        invoice("3", occurred_at=OCTOBER.start),
        invoice("4", customer_id="cus_2", suggested_tag="late"),
        invoice("5", customer_id="cus_2", suggested_tag="early", occurred_at=OCTOBER.start),
        invoice("6", customer_id="cus_2", suggested_tag=None, occurred_at=NOW),
        invoice("7", customer_id=None),
        invoice("8", currency="eur", customer_id="cus_3"),
        invoice("9", currency="eur", customer_id=None),
        invoice("10", currency="jpy"),
    ]

    def write(tx: Connection) -> staging.StagedReport:
        stage(tx, ORG, "stripe", "s1", facts[:6])
        stage(tx, ORG, "stripe", "s1", facts[4:])  # pages may overlap
        stage(tx, ORG, "stripe", "s2", [invoice("11")])
        stage(tx, "org_2", "stripe", "s1", [invoice("12")])
        stage(tx, ORG, "paddle", "s1", [invoice("13")])
        return staging.staged_report(tx, ORG, "stripe", "s1", WINDOW)

    report = await database.write(write)
    tags = {"cus_1": None, "cus_2": "late", "cus_3": None}
    assert report == (10, 4, {"eur": 2, "jpy": 1}, 2, 4, tags)


async def test_staging_is_cleared_of_one_sync_or_of_all(database: Database) -> None:
    def write(tx: Connection) -> None:
        for sync_id in ("s1", "s2", "s3"):
            stage(tx, ORG, "stripe", sync_id, [invoice("1")])
        stage(tx, ORG, "paddle", "s1", [invoice("1")])
        stage(tx, "org_2", "stripe", "s1", [invoice("1")])

    def left(tx: Connection) -> list[tuple[str, str]]:
        return [(row[0], row[1]) for row in rows(tx, revenue_staging)]

    await database.write(write)
    await database.write(lambda tx: staging.discard_staged(tx, ORG, "stripe", sync_id="s1"))
    assert await database.read(left) == [("paddle", "s1"), ("stripe", "s2"), ("stripe", "s3")]
    await database.write(lambda tx: staging.discard_staged(tx, ORG, "stripe"))
    assert await database.read(left) == [("paddle", "s1")]
    assert len(await database.read(lambda tx: rows(tx, revenue_staging, "org_2"))) == 1


@pytest.mark.parametrize(
    "others",
    [[], ["org_0"], ["org_9"], ["org_0", "org_9"]],
    ids=["alone", "after another", "before another", "between others"],
)
@pytest.mark.parametrize("sync_id", ["s1", None], ids=["one sync", "all"])
async def test_clearing_the_staging_leaves_what_is_staged_beside_it(
    database: Database, others: list[str], sync_id: str | None
) -> None:
    def write(tx: Connection) -> None:
        for org_id in [ORG, *others]:
            stage(tx, org_id, "stripe", "s1", [invoice("1"), invoice("2")])

    await database.write(write)
    await database.write(lambda tx: staging.discard_staged(tx, ORG, "stripe", sync_id=sync_id))
    for org_id in [ORG, *others]:
        left = await database.read(lambda tx, org_id=org_id: rows(tx, revenue_staging, org_id))
        assert len(left) == (0 if org_id == ORG else 2)


async def test_two_syncs_staged_at_the_same_time_do_not_mix(database: Database) -> None:
    def write(sync_id: str, number: int) -> Any:
        return database.write(
            lambda tx: stage(tx, ORG, "stripe", sync_id, [invoice(f"in_{number}", number)])
        )

    await asyncio.gather(
        *(write(s, n) for n in range(1, 11) for s in ("s1", "s2") if n % 2 or s == "s1")
    )
    await database.write(lambda tx: apply_staged(tx, ORG, "stripe", "s2", WINDOW))
    stored = await database.read(lambda tx: rows(tx, revenue_facts))
    assert sorted(row[1] for row in stored) == [f"in_{n}" for n in (1, 3, 5, 7, 9)]


async def test_a_sync_that_finds_nothing_new_writes_nothing(database: Database) -> None:
    facts = [invoice("1"), invoice("2", customer_id=None), invoice("3", currency="eur")]
    assert await database.write(lambda tx: sync(tx, facts))
    before = await database.read(_physical)
    assert not await database.write(lambda tx: sync(tx, facts))
    assert await database.read(_physical) == before


async def test_a_first_sync_puts_right_what_sums_are_there_without_facts(
    database: Database,
) -> None:
    facts = [invoice("1", 100), invoice("2", 900, customer_id="cus_2")]
    await database.write(lambda tx: sync(tx, facts))
    right = await database.read(lambda tx: [rows(tx, table) for table in SUMS])

    def forget_facts(tx: Connection) -> None:
        tx.execute(delete(revenue_facts))
        tx.execute(update(customer_months).values(cash=7))
        tx.execute(update(revenue_customers).values(name="nobody"))

    await database.write(forget_facts)
    assert await database.write(lambda tx: sync(tx, facts))
    assert await database.read(lambda tx: [rows(tx, table) for table in SUMS]) == right


def _physical(tx: Connection) -> list[Any]:
    """On PostgreSQL a rewritten row shows, even when it is the same."""
    if tx.dialect.name == "sqlite":
        return rows(tx, customer_months)
    found = tx.exec_driver_sql(
        "SELECT xmin::text, xmax::text, ctid::text FROM margins_customer_months UNION ALL "
        "SELECT xmin::text, xmax::text, ctid::text FROM margins_revenue_facts"
    )
    return sorted(map(tuple, found))


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 7},
        {"currency": "eur"},
        {"customer_id": "cus_2"},
        {"customer_id": None},
        {"occurred_at": OCTOBER.start},
        {"customer_name": "Renamed"},
        {"customer_email": "new@example.com"},
        {"avatar_url": "https://example.com/a.png"},
        {"suggested_tag": "acme"},
        {"is_partial": True},
        {
            "parts": (
                RevenuePart(bases=("invoiced",), kind="invoice", amount_minor=100, occurred_at=NOW),
            )
        },
    ],
    ids=lambda change: next(iter(change)),
)
async def test_whatever_changes_on_an_invoice_is_noticed(
    database: Database, change: dict[str, Any]
) -> None:
    first = invoice("1")
    await database.write(lambda tx: sync(tx, [first]))
    assert await database.write(lambda tx: sync(tx, [replace(first, **change)]))
    assert not await database.write(lambda tx: sync(tx, [replace(first, **change)]))


async def test_what_is_partial_never_takes_the_place_of_the_whole(database: Database) -> None:
    old = NOVEMBER.shift(-10).start

    def known(tx: Connection) -> set[str]:
        stage(tx, ORG, "stripe", "s1", [invoice("staged")])
        service = invoice("service", occurred_at=old, is_partial=True)
        sync(tx, [invoice("new")], org_id="org_2")
        sync(tx, [invoice("new")], provider="paddle")
        stage(tx, "org_2", "stripe", "s1", [invoice("another")])
        sync(tx, [invoice("stored"), invoice("old", occurred_at=old), service])
        stage(tx, ORG, "stripe", "s1", [invoice("staged"), invoice("part", is_partial=True)])
        stage(tx, ORG, "stripe", "s2", [invoice("another")])
        stage(tx, ORG, "paddle", "s1", [invoice("another")])
        names = ["staged", "part", "stored", "old", "service", "another", "new"]
        return staging.whole_objects(tx, ORG, "stripe", "s1", WINDOW, names)

    # What is stored of the window is told anew, or goes.
    assert await database.write(known) == {"staged", "old"}


@pytest.mark.parametrize("count", [1, 99, 100, 101, 200, 250])
async def test_any_number_of_facts_is_stored_as_it_was_told(database: Database, count: int) -> None:
    facts = [invoice(f"in_{nth:04d}", nth, customer_name=f"No. {nth}") for nth in range(count)]
    moved = [replace(each, amount_minor=each.amount_minor + 1) for each in facts[::3]]

    def amounts(tx: Connection) -> dict[str, tuple[int, str]]:
        return {row.object_id: (row.amount_minor, row.customer_name) for row in stored(tx)}

    def stored(tx: Connection) -> list[Any]:
        return [*tx.execute(select(revenue_facts))]

    def put(tx: Connection) -> bool:
        stage(tx, ORG, "stripe", "s1", facts)
        stage(tx, ORG, "stripe", "s1", moved)  # again, and otherwise: a list that moved meanwhile
        return apply_staged(tx, ORG, "stripe", "s1", WINDOW)

    assert await database.write(put)
    told = {each.object_id: (each.amount_minor, each.customer_name) for each in [*facts, *moved]}
    assert await database.read(amounts) == told
    assert not await database.write(put)
    assert await database.read(amounts) == told
