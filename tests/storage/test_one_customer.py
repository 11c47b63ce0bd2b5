"""All that one tag value's months are made of, in one read."""

from __future__ import annotations

from psycopg import _queries
from sqlalchemy import Connection

from nullspend_margins.domain.cost import ModelCost
from nullspend_margins.domain.period import Months, day_number
from nullspend_margins.domain.revenue_part import BASES, Basis, RevenuePart
from nullspend_margins.storage import month_revenue
from nullspend_margins.storage.customer_revenue import MappedCustomer
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.one_customer import CustomerRecord, read_customer
from nullspend_margins.storage.revisions import advance, current
from nullspend_margins.storage.rollups import add_costs
from tests.storage.builders import NOVEMBER, NOW, ORG, invoice, mapping, put_mappings, sync

OCTOBER = NOVEMBER.shift(-1)
MONTHS = Months(OCTOBER, NOVEMBER)


async def read(
    database: Database, tag_value: str = "acme", org_id: str = ORG, basis: Basis = "invoiced"
) -> CustomerRecord:
    return await database.ask(
        lambda tx: read_customer(tx, org_id, "customer", tag_value, MONTHS, basis)
    )


def _fill(tx: Connection) -> None:
    facts = [
        invoice("1", 100, customer_name="Old", avatar_url="a", occurred_at=OCTOBER.start),
        invoice("2", 250, customer_name="New", occurred_at=NOW),
        invoice("3", 999, customer_id="cus_2"),
        invoice("4", 999, occurred_at=OCTOBER.shift(-1).start),
    ]
    sync(tx, facts)
    sync(tx, [invoice("p", 7, customer_id="p_1", occurred_at=NOW)], provider="paddle")
    sync(tx, [invoice("1", 5_000)], org_id="org_2")
    put_mappings(
        tx,
        mapping("cus_1", "acme"),
        mapping("p_1", "acme", provider="paddle"),
        mapping("csv_1", "acme", provider="csv"),
        mapping("cus_2", "zeta"),
        mapping("cus_3", "acme", tag_key="team"),
        mapping("cus_1", "acme", org_id="org_2", id="theirs"),
    )


def _spend(tx: Connection) -> None:
    first, earlier = day_number(NOVEMBER.start), day_number(OCTOBER.start)
    days = {
        (first, "acme", "api", "openai", "gpt"): (5, 1),
        (first + 29, "acme", "api", "other", "gpt"): (6, 2),
        (first, "acme", "api", "openai", "mini"): (7, 1),
        (first, "zeta", "api", "openai", "gpt"): (100, 1),
        (earlier, "acme", "api", "openai", "gpt"): (30, 1),
        (day_number(OCTOBER.shift(-1).start), "acme", "api", "openai", "gpt"): (1_000, 1),
    }
    add_costs(tx, ORG, days)
    add_costs(tx, "org_2", {(first, "acme", "api", "openai", "gpt"): (9_000, 1)})


async def test_it_has_every_providers_customer_and_the_costs(database: Database) -> None:
    await database.write(_fill)
    await database.write(_spend)
    found = await read(database)
    assert sorted(found.customers) == [
        MappedCustomer("csv", "csv_1", None, None, {}),
        MappedCustomer("paddle", "p_1", None, None, {NOVEMBER.index: (70_000, None, None)}),
        MappedCustomer(
            "stripe",
            "cus_1",
            "New",
            "a",
            {
                OCTOBER.index: (1_000_000, "Old", "a"),
                NOVEMBER.index: (2_500_000, "New", None),
            },
        ),
    ]
    assert found.month_costs == {OCTOBER.index: 30, NOVEMBER.index: 18}
    assert found.model_costs == [ModelCost("gpt", 11, 3), ModelCost("mini", 7, 1)]


async def test_costs_are_there_without_a_mapping_and_mappings_without_costs(
    database: Database,
) -> None:
    await database.write(_spend)
    unmapped = await read(database)
    assert (unmapped.customers, unmapped.month_costs[NOVEMBER.index]) == ([], 18)
    await database.write(_fill)
    other = await read(database, "nothing")
    assert other == CustomerRecord(None, [], {}, [])
    zeta = await read(database, "zeta")
    assert [each.customer_id for each in zeta.customers] == ["cus_2"]


async def test_another_org_has_its_own(database: Database) -> None:
    await database.write(_fill)
    await database.write(_spend)
    theirs = await read(database, org_id="org_2")
    assert [each.months[NOVEMBER.index][0] for each in theirs.customers] == [50_000_000]
    assert theirs.month_costs == {NOVEMBER.index: 9_000}
    assert await read(database, org_id="org_3") == CustomerRecord(None, [], {}, [])


async def test_by_each_basis_it_has_the_months_that_the_customer_has(database: Database) -> None:
    paid = RevenuePart(bases=("cash",), kind="payment", amount_minor=300, occurred_at=NOW)
    service = RevenuePart(
        bases=("accrual",),
        kind="line",
        amount_minor=200,
        occurred_at=OCTOBER.start,
        until=NOVEMBER.end,
    )
    await database.write(_fill)
    await database.write(lambda tx: sync(tx, [invoice("5", 500, parts=(paid, service))]))
    seen = set()
    for basis in BASES:
        found = await read(database, basis=basis)
        (months,) = [each.months for each in found.customers if each.provider == "stripe"]
        for period in MONTHS:
            everyone = await database.read(
                lambda tx, period=period, basis=basis: month_revenue.month_customers(
                    tx, ORG, period, basis
                )
            )
            assert months.get(period.index) == everyone.get("stripe", {}).get("cus_1")
        seen.add(tuple(months.get(index, (0,))[0] for index in MONTHS.indexes))
    assert len(seen) > 1  # they do differ


async def test_it_has_the_orgs_revision(database: Database) -> None:
    await database.write(lambda tx: advance(tx, ORG))
    revision = await database.read(lambda tx: current(tx, ORG))
    assert revision is not None
    assert (await read(database)).revision == revision
    assert (await read(database, org_id="org_2")).revision is None


async def test_the_driver_knows_the_question_again(database: Database) -> None:
    """A text of more than 4,096 characters it would go through anew each time."""
    if database.dialect == "sqlite":
        return
    year = Months(NOVEMBER.shift(-11), NOVEMBER)
    seen: list[int] = []
    for _ in range(2):
        await database.ask(lambda tx: read_customer(tx, ORG, "customer", "acme", year, "net"))
        seen.append(_queries._query2pg.cache_info().hits)
    assert seen[1] > seen[0]
