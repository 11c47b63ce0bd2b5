"""Revenue providers whose facts a test writes down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from nullspend_margins import Credential, ExchangeRate, RevenueFact, RevenueGap, RevenuePart
from nullspend_margins.domain.revenue_part import BASES, PartKind
from tests.world import World


@dataclass
class Ledger:
    """A provider that tells what it was given."""

    name: str = "ledger"
    facts: list[RevenueFact] = field(default_factory=list)
    gaps: list[RevenueGap] = field(default_factory=list)

    async def parse_credential(self, body: object) -> Credential:
        return Credential(secret="ledger-secret-0123456789", label="ledger")

    async def check_credential(self, secret: str) -> None: ...

    async def has_customer(self, secret: str, customer_id: str) -> bool:
        return True

    async def fetch_revenue(
        self, secret: str, window: object
    ) -> AsyncIterator[Sequence[RevenueFact | RevenueGap]]:
        yield [*self.facts, *self.gaps]


def at(month: int, day: int, year: int = 2026) -> datetime:
    return datetime(year, month, day, 12, tzinfo=UTC)


def part(
    kind: PartKind, amount: int, when: datetime, *bases: str, until: datetime | None = None
) -> RevenuePart:
    return RevenuePart(
        bases=bases or BASES,
        kind=kind,
        amount_minor=amount,
        occurred_at=when,
        until=until,
        part_id=f"{kind}_1",
        description=f"A {kind}",
    )


def annual(customer: str = "cus_1", object_id: str = "in_year") -> RevenueFact:
    """1,200 dollars with 200 of tax, for a year from October, paid in two months."""
    begin, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 10, 1, tzinfo=UTC)
    return RevenueFact(
        object_id=object_id,
        customer_id=customer,
        amount_minor=120_000,
        currency="usd",
        occurred_at=at(10, 2),
        customer_name="Acme",
        parts=[
            part("invoice", 120_000, at(10, 2), "invoiced"),
            part("payment", 70_000, at(10, 5), "cash", "net"),
            part("payment", 50_000, at(11, 6), "cash", "net"),
            part("tax", -11_667, at(10, 5), "net"),
            part("tax", -8_333, at(11, 6), "net"),
            part("line", 100_000, begin, "accrual", until=end),
        ],
    )


def in_euros(customer: str = "cus_1") -> RevenueFact:
    """19.99 euros, at a rate of the provider's."""
    return RevenueFact(
        object_id="in_euros",
        customer_id=customer,
        amount_minor=1_999,
        currency="eur",
        occurred_at=at(11, 3),
        rate=ExchangeRate(value=Decimal("1.08421"), source="ledger", on=date(2026, 11, 4)),
    )


async def synced(here: World, *ledgers: Ledger) -> None:
    """Each connected, and read."""
    for ledger in ledgers:
        path = f"/api/connections/{ledger.name}"
        assert (await here.call("POST", path, {})).status_code in {201, 409}
        assert (await here.call("POST", f"{path}/sync")).status_code == 200


async def map_to(here: World, provider: str, customer: str, tag: str) -> None:
    assert (await here.map(customer, tag, provider=provider)).status_code == 201
