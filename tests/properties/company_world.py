"""The product, connected to the Stripe account of a company that a property has drawn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, Table, select

from nullspend_margins import Period, RevenuePart
from nullspend_margins.demo.stripe_server import READ_ALL, StripeKey
from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.services.rebuild import RebuildService
from nullspend_margins.storage import connections, mappings, revisions, tables
from nullspend_margins.storage.columns import metadata
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.revenue_parts import stored_parts
from tests.properties.company import Company, ShownAccount
from tests.properties.revenue_model import BASES, Cells, Month
from tests.properties.sales import CUSTOMERS
from tests.world import KEY, NOW, ORG, World, world

_MONTHS = (2, 9, 10, 11)
RATES: Mapping[str, Mapping[str, str]] = {
    "eur": {f"{year}-{month:02d}": f"1.0{month:02d}" for year in (2025, 2026) for month in _MONTHS}
}
"""Not of every month, and no yen."""
MODEL_RATES = {
    (currency, (int(month[:4]), int(month[5:]))): Fraction(rate)
    for currency, months in RATES.items()
    for month, rate in months.items()
}


@dataclass
class Business:
    """A world whose Stripe is the company that was last shown to it."""

    world: World
    database: Database
    converts: bool

    @property
    def now(self) -> int:
        return int(self.world.clock.now().timestamp())

    async def begin(self, company: Company, missing: Collection[str] = ()) -> None:
        """Nothing stored; connected; every customer mapped to its own id."""

        def work(tx: Connection) -> None:
            for table in reversed(metadata.sorted_tables):
                tx.execute(table.delete())

        await self.database.write(work)
        self.world.clock.moment = NOW
        self.show(company, missing)
        await self.connect()

    async def connect(self) -> None:
        assert (await self.world.connect()).status_code == 201
        await self.database.write(_map_all)

    async def disconnect(self) -> None:
        answer = await self.world.call("DELETE", "/api/connections/stripe")
        assert answer.status_code in (200, 204), answer.text

    def show(self, company: Company, missing: Collection[str] = ()) -> None:
        """What Stripe has from now on, and what the key may not read of it."""
        allowed = set(READ_ALL) - {*missing}
        self.world.stripe.keys[KEY] = StripeKey(ShownAccount(company), allowed)

    async def tables(self) -> dict[str, Cells]:
        """Every month's table, by customer: all that is stored, and the months around it."""
        months = await self.database.read(_months)
        found: dict[str, Cells] = {}
        services = await self.world.margins.services()
        for index in months:
            period = Period(index)
            answer = await services.margins.table_with(ORG, period, bases=True)
            for customer, amounts in answer.bases.items():
                for basis, amount in zip(BASES, amounts, strict=True):
                    if amount:
                        cells = found.setdefault(customer, {})
                        cells[(index // 12, index % 12 + 1), basis] = amount
        return found

    async def table(self, month: Month, basis: str) -> dict[str, int]:
        """One table over HTTP."""
        path = f"/api/margins?period={month[0]:04d}-{month[1]:02d}&basis={basis}"
        found: Any = await self.world.get(path)
        return {
            row["tagValue"]: row["revenueMicrodollars"]
            for row in found["customers"]
            if row["revenueMicrodollars"]
        }

    async def stored(self) -> dict[str, list[Any]]:
        """All rows of the org that are revenue's, by table."""
        mine = (
            tables.revenue_facts,
            tables.customer_months,
            tables.revenue_customers,
            tables.revenue_staging,
        )

        def rows(tx: Connection, table: Table) -> list[Any]:
            return sorted(map(repr, tx.execute(select(table).where(table.c.org_id == ORG))))

        return await self.database.read(lambda tx: {one.name: rows(tx, one) for one in mine})

    async def facts_since(self, first: Month) -> list[str]:
        """The stored facts of objects that were made in ``first`` or later, whole."""
        facts = tables.revenue_facts
        wanted = select(facts).where(
            facts.c.org_id == ORG, facts.c.month >= first[0] * 12 + first[1] - 1
        )
        return await self.database.read(lambda tx: sorted(map(repr, tx.execute(wanted))))

    async def lines(self) -> dict[str, list[RevenuePart]]:
        """What each paid invoice accrues, as it is stored."""
        facts = tables.revenue_facts.c
        wanted = select(
            facts.object_id, facts.parts, facts.kind, facts.amount_minor, facts.occurred_at
        ).where(facts.org_id == ORG, facts.kind == "invoice")

        def work(tx: Connection) -> dict[str, list[RevenuePart]]:
            return {
                object_id: [part for part in stored_parts(*stored) if "accrual" in part.bases]
                for object_id, *stored in tx.execute(wanted)
            }

        return await self.database.read(work)

    async def gaps(self) -> list[Mapping[str, Any]]:
        """What the connection says that it may not read."""
        found = await self.database.read(lambda tx: connections.get(tx, ORG, "stripe"))
        assert found is not None
        return [*found.gaps]

    async def require_sound(self) -> None:
        """``rebuild --check`` finds every cell to be what its facts add up to."""
        report = await RebuildService(self.database).check(ORG, show=3)
        assert (report.wrong, report.shown) == (0, [])


def _months(tx: Connection) -> list[int]:
    months = tables.customer_months.c
    found = {row[0] for row in tx.execute(select(months.month).where(months.org_id == ORG))}
    return sorted(found | {each + by for each in found for by in (-1, 1)})


def _map_all(tx: Connection) -> None:
    known = {each.customer_id for each in mappings.list_mappings(tx, ORG)}
    missing = [
        CustomerMapping(
            id=f"map-{customer}",
            org_id=ORG,
            provider="stripe",
            customer_id=customer,
            tag_key="customer",
            tag_value=customer,
            match_type="manual",
            confidence=1.0,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for customer in set(CUSTOMERS) - known
    ]
    mappings.replace(tx, ORG, (), missing)
    revisions.advance(tx, ORG)


@asynccontextmanager
async def business(database_url: str, *, converts: bool) -> AsyncIterator[Business]:
    """One whose other currencies are converted, by ``RATES`` and Stripe's own, or not."""
    revenue: Mapping[str, object] = {"convert": True, "rates": RATES} if converts else {}
    async with world(database_url, revenue=revenue) as made:
        database = Database(database_url, pool_size=1)
        await database.start()
        try:
            yield Business(made, database, converts)
        finally:
            await database.close()
