"""Rollups compared with what the facts say, and mended: every kind of wrong cell, and no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Table, delete, insert, update

from nullspend_margins.domain.period import day_number
from nullspend_margins.services.rebuild import RebuildService
from nullspend_margins.storage import revisions
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import insert_events, prune_events
from nullspend_margins.storage.facts import replace_facts
from nullspend_margins.storage.tables import (
    cost_model_days,
    cost_months,
    customer_months,
    revenue_customers,
)
from tests.storage.builders import NOVEMBER, NOW, ORG, event, fact, invoice, sync
from tests.storage.rebuilding import ALL_TABLES, check, mend, stored

DAY = day_number(NOW)
OTHER = "org_2"


def fill(tx: Connection, org_id: str = ORG) -> None:
    """Something in every rollup, by the ways that fill them."""
    events = [
        event("1", 5),
        event("2", 7, model="other"),
        event("3", 11, tag_value="", occurred_at=NOVEMBER.start),
        event("4", 13, occurred_at=NOVEMBER.start - timedelta(microseconds=1)),
    ]
    insert_events(tx, org_id, "api", events, NOW)
    replace_facts(tx, org_id, "bill", [fact("a", -100, request_count=3)], NOW)
    invoices = [
        invoice("1", 100, customer_name="Acme", avatar_url="a", customer_email="e"),
        invoice("2", 250, customer_name="Old", occurred_at=NOVEMBER.start),
        invoice("3", 9, customer_id="cus_2", currency="eur", customer_name="Zeta"),
        invoice("4", 9, customer_id=None),
    ]
    sync(tx, invoices, org_id=org_id)
    prune_events(tx, org_id, NOVEMBER.start, 100)
    revisions.advance(tx, org_id)


async def test_nothing_differs_where_nothing_was_damaged(database: Database) -> None:
    await database.write(fill)
    before, revision = await stored(database), await revision_of(database)
    report = await check(database)
    assert (report.wrong, report.shown) == (0, [])
    assert report.cells == sum(map(len, before)) == 3 + 5 + 1 + 2
    assert (await mend(database)).wrong == 0
    assert (await stored(database), await revision_of(database)) == (before, revision)


async def revision_of(database: Database, org_id: str = ORG) -> int | None:
    return await database.read(lambda tx: revisions.current(tx, org_id))


Damage = Callable[[Connection], object]


def changed(table: Table, values: dict[str, object], **key: object) -> Damage:
    return lambda tx: tx.execute(update(table).filter_by(org_id=ORG, **key).values(**values))


def removed(table: Table, **key: object) -> Damage:
    return lambda tx: tx.execute(delete(table).filter_by(org_id=ORG, **key))


def added(table: Table, **values: object) -> Damage:
    return lambda tx: tx.execute(insert(table).values(org_id=ORG, **values))


MONTH_KEY = {"month": NOVEMBER.index, "tag_value": "acme"}
DAY_KEY = {"day": DAY, "tag_value": "acme", "source": "api", "provider": "openai", "model": "other"}
REVENUE_KEY = {
    "month": NOVEMBER.index, "provider": "stripe", "customer_id": "cus_1",
}  # fmt: skip
CUSTOMER_KEY = {"provider": "stripe", "customer_id": "cus_1"}
NOTHING = {"cost_nanodollars": 0, "request_count": 0}
ONE = {"cost_nanodollars": 1, "request_count": 1}
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
DAMAGE = {
    "a cost": (changed(cost_months, {"cost_nanodollars": 1}, **MONTH_KEY), "cost_months", MONTH_KEY,
               {"cost_nanodollars": 1, "request_count": 5},
               {"cost_nanodollars": -88, "request_count": 5}),
    "a count": (changed(cost_model_days, {"request_count": 2}, **DAY_KEY), "cost_model_days",
                DAY_KEY, {"cost_nanodollars": 7, "request_count": 2},
                {"cost_nanodollars": 7, "request_count": 1}),
    "a month lost": (removed(cost_months, **MONTH_KEY), "cost_months", MONTH_KEY, None,
                     {"cost_nanodollars": -88, "request_count": 5}),
    "a day lost": (removed(cost_model_days, **DAY_KEY), "cost_model_days", DAY_KEY, None,
                   {"cost_nanodollars": 7, "request_count": 1}),
    "a customer too many": (added(cost_months, **MONTH_KEY | {"tag_value": "ghost"}, **ONE),
                            "cost_months", MONTH_KEY | {"tag_value": "ghost"}, ONE, None),
    "an empty cell": (added(cost_model_days, **DAY_KEY | {"model": "none"}, **NOTHING),
                      "cost_model_days", DAY_KEY | {"model": "none"}, NOTHING, None),
    "a month that never was": (added(cost_months, month=2**31 - 1, tag_value="x", **ONE),
                               "cost_months", {"month": 2**31 - 1, "tag_value": "x"}, ONE, None),
    "a day that never was": (added(cost_model_days, **DAY_KEY | {"day": -(2**31)}, **ONE),
                             "cost_model_days", DAY_KEY | {"day": -(2**31)}, ONE, None),
    "a cell full to the brim": (
        changed(cost_months, {"cost_nanodollars": -(2**63)}, **MONTH_KEY), "cost_months", MONTH_KEY,
        {"cost_nanodollars": -(2**63), "request_count": 5},
        {"cost_nanodollars": -88, "request_count": 5},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DAMAGE)
async def test_a_wrong_cost_cell_is_told_and_mended_and_no_other_is_touched(
    database: Database, what: str
) -> None:
    damage, table, key, held, right = DAMAGE[what]
    await database.write(lambda tx: [fill(tx), fill(tx, OTHER)])
    before, others = await stored(database), await stored(database, OTHER)
    revision, other_revision = await revision_of(database), await revision_of(database, OTHER)
    await database.write(damage)
    await found_and_mended(database, table, key, held, right)
    assert (await stored(database), await stored(database, OTHER)) == (before, others)
    assert await revision_of(database) != revision
    assert await revision_of(database, OTHER) == other_revision


async def found_and_mended(
    database: Database, table: str, key: object, held: object, right: object
) -> None:
    """Told by the check, which changes nothing; told and mended by the mending, once."""
    damaged = await stored(database)
    for work in (check, mend):
        assert await stored(database) == damaged
        report = await work(database)
        assert report.wrong == 1
        [difference] = report.shown
        assert (difference.rollup, difference.key) == (table, key)
        assert (difference.stored, difference.right) == (held, right)
    assert (await check(database)).wrong == 0
    assert (await mend(database)).wrong == 0


MONTH = {
    "invoiced": 3_500_000, "cash": 3_500_000, "net": 3_500_000, "accrual": 3_500_000,
    "invoice_count": 2, "last_invoice_at": NOW,
    "customer_name": "Acme", "avatar_url": "a",
}  # fmt: skip
CUSTOMER = {
    "name": "Acme", "email": "e", "avatar_url": "a", "total_microdollars": 3_500_000,
    "invoice_count": 2, "last_invoice_at": NOW,
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "key", "right", "column", "value"),
    [
        (customer_months, REVENUE_KEY, MONTH, "invoiced", 1),
        (customer_months, REVENUE_KEY, MONTH, "accrual", 0),
        (customer_months, REVENUE_KEY, MONTH, "invoice_count", 1),
        (customer_months, REVENUE_KEY, MONTH, "last_invoice_at", LONG_AGO),
        (customer_months, REVENUE_KEY, MONTH, "customer_name", None),
        (customer_months, REVENUE_KEY, MONTH, "avatar_url", "b"),
        (revenue_customers, CUSTOMER_KEY, CUSTOMER, "name", "Old"),
        (revenue_customers, CUSTOMER_KEY, CUSTOMER, "email", None),
        (revenue_customers, CUSTOMER_KEY, CUSTOMER, "avatar_url", None),
        (revenue_customers, CUSTOMER_KEY, CUSTOMER, "total_microdollars", 2**63 - 1),
        (revenue_customers, CUSTOMER_KEY, CUSTOMER, "invoice_count", 3),
        (revenue_customers, CUSTOMER_KEY, CUSTOMER, "last_invoice_at", LONG_AGO),
    ],
)
async def test_every_value_of_revenue_is_looked_at_and_mended(
    database: Database,
    table: Table,
    key: dict[str, object],
    right: dict[str, object],
    column: str,
    value: object,
) -> None:
    await database.write(lambda tx: [fill(tx), fill(tx, OTHER)])
    before = await stored(database)
    await database.write(changed(table, {column: value}, **key))
    name = table.name.removeprefix("margins_")
    await found_and_mended(database, name, key, {**right, column: value}, right)
    assert await stored(database) == before


@pytest.mark.parametrize("table", [customer_months, revenue_customers])
async def test_lost_revenue_comes_back_and_made_up_revenue_goes(
    database: Database, table: Table
) -> None:
    await database.write(fill)
    before = await stored(database)
    ghost = {
        name: value
        for name, value in {**REVENUE_KEY, **MONTH, **CUSTOMER, "customer_id": "ghost"}.items()
        if name in table.c
    }
    await database.write(lambda tx: [removed(table)(tx), added(table, **ghost)(tx)])
    assert (await check(database)).wrong == len(before[ALL_TABLES.index(table)]) + 1
    await mend(database)
    assert await stored(database) == before


async def test_cells_of_an_org_that_has_nothing_else_are_found_and_removed(
    database: Database,
) -> None:
    assert await RebuildService(database).orgs() == []
    await database.write(fill)
    ghosts = [
        (cost_months, {**MONTH_KEY, **ONE}),
        (cost_model_days, {**DAY_KEY, **ONE}),
        (customer_months, {**REVENUE_KEY, **MONTH}),
        (revenue_customers, {**CUSTOMER_KEY, **CUSTOMER}),
    ]
    names = [f"ghost_{table.name}" for table, _ in ghosts]
    for name, (table, values) in zip(names, ghosts, strict=True):
        await database.write(
            lambda tx, name=name, table=table, values=values: tx.execute(
                insert(table).values(org_id=name, **values)
            )
        )
    assert await RebuildService(database).orgs() == sorted([ORG, *names])
    for name in names:
        assert (await check(database, name)).wrong == 1
        assert (await mend(database, name)).wrong == 1
    assert await RebuildService(database).orgs() == [ORG]


def prune(tx: Connection, org_id: str) -> None:
    insert_events(tx, org_id, "api", [event("1")], NOW)
    prune_events(tx, org_id, NOW + timedelta(days=1), 9)


@pytest.mark.parametrize(
    "work",
    [
        lambda tx: insert_events(tx, ORG, "api", [event("1")], NOW),
        lambda tx: replace_facts(tx, ORG, "bill", [fact("1")], NOW),
        lambda tx: prune(tx, ORG),
        lambda tx: sync(tx, [invoice("1")]),
    ],
    ids=["events", "facts", "pruned events", "invoices"],
)
async def test_an_org_whose_sums_are_all_lost_is_found_by_what_it_has(
    database: Database, work: Damage
) -> None:
    await database.write(work)
    await database.write(lambda tx: [tx.execute(delete(table)) for table in ALL_TABLES])
    assert await RebuildService(database).orgs() == [ORG]
    assert (await mend(database)).wrong == 2


async def test_only_so_many_cells_are_told_by_table_and_key(database: Database) -> None:
    many = [event(f"{n}", n, tag_value=f"t{n:02d}") for n in range(30)]
    await database.write(lambda tx: insert_events(tx, ORG, "api", many, NOW))
    await database.write(lambda tx: [tx.execute(delete(table)) for table in ALL_TABLES])
    report = await check(database, show=40)
    assert (report.wrong, report.cells) == (60, 60)
    assert [each.rollup for each in report.shown] == ["cost_months"] * 30 + ["cost_model_days"] * 10
    assert [each.key["tag_value"] for each in report.shown[:30]] == [f"t{n:02d}" for n in range(30)]
    none_shown = await mend(database, show=0)
    assert (none_shown.wrong, none_shown.shown) == (60, [])
    assert (await check(database)).wrong == 0
