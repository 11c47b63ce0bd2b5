"""The month that docs/explain.md takes apart is what the product tells of it, number by number."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest_asyncio

from nullspend_margins import ExchangeRate, RevenueFact, RevenuePart
from nullspend_margins.domain.revenue_part import BASES, Basis, PartKind
from tests.contract.ledgers import Ledger, map_to, synced
from tests.docs.pages import DOCS, read, sections
from tests.world import World, world

PAGE = sections(DOCS / "explain.md")["A month taken apart"]
BOUGHT = datetime(2026, 4, 2, 9, tzinfo=UTC)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


def part(
    kind: PartKind, amount: int, when: datetime, *bases: Basis, until: datetime | None = None
) -> RevenuePart:
    """A part; a line has the invoice's name."""
    return RevenuePart(
        bases=bases,
        kind=kind,
        amount_minor=amount,
        occurred_at=when,
        until=until,
        part_id={109_500: "il_year", 1_250: "il_seat"}[amount] if kind == "line" else None,
    )


def paid(amount: int, when: datetime) -> list[RevenuePart]:
    return [part("invoice", amount, when, "invoiced"), part("payment", amount, when, "cash", "net")]


def acme() -> list[RevenueFact]:
    """What the page says that Acme Corp bought."""
    year = part("line", 109_500, JANUARY, "accrual", until=datetime(2027, 1, 1, tzinfo=UTC))
    same = {"customer_id": "cus_acme", "customer_name": "Acme Corp"}
    back = datetime(2026, 4, 3, 12, tzinfo=UTC)
    return [
        RevenueFact(
            object_id="in_year", amount_minor=109_500, currency="usd", occurred_at=JANUARY,
            parts=[*paid(109_500, JANUARY), year], **same,
        ),
        RevenueFact(
            object_id="in_seat", amount_minor=1_250, currency="eur", occurred_at=BOUGHT,
            rate=ExchangeRate(value=Decimal("1.12"), source="stripe", on=date(2026, 4, 2)),
            parts=[*paid(1_250, BOUGHT), part("line", 1_250, BOUGHT, "accrual")], **same,
        ),
        RevenueFact(
            object_id="cn_late", amount_minor=400, currency="usd", occurred_at=back,
            kind="credit_note", parts=[part("credit_note", -400, back, "accrual")], **same,
        ),
    ]  # fmt: skip


@pytest_asyncio.fixture
async def here(sqlite_url: str) -> AsyncIterator[World]:
    """Acme Corp, in April."""
    ledger = Ledger(facts=acme())
    async with world(sqlite_url, plugins=[ledger], revenue={"convert": True}) as made:
        made.clock.moment = datetime(2026, 4, 20, tzinfo=UTC)
        await map_to(made, "ledger", "cus_acme", "acme-corp")
        for day, model, dollars in ((4, "gpt-4o", 20), (5, "gpt-4o-mini", 10)):
            await made.spend(
                "acme-corp", dollars * 1_000_000, model=model,
                occurredAt=f"2026-04-{day:02}T10:00:00Z",
            )  # fmt: skip
        await synced(made, ledger)
        yield made


def dollars(microdollars: int) -> str:
    return f"{microdollars / 1_000_000:.2f}"


def rows(heading: str) -> list[str]:
    """The rows of the page's table whose head begins so."""
    lines = PAGE.partition(f"| {heading} |")[2].splitlines()[2:]
    return lines[: lines.index("")]


async def test_the_month_by_every_basis(here: World) -> None:
    [row] = (await here.get("/api/margins?include=bases"))["customers"]
    told = [f"| `{basis}` | {dollars(row['revenueByBasis'][basis])} |" for basis in BASES]
    assert told == rows("basis")


async def test_the_parts_of_the_revenue(here: World) -> None:
    assert "`/api/margins/acme-corp/explain?period=2026-04&basis=accrual`" in PAGE
    found = await here.get("/api/margins/acme-corp/explain?period=2026-04&basis=accrual")
    assert [revenue_row(each) for each in found["revenue"]] == rows("counts from")
    assert dollars(found["revenueMicrodollars"]) == "100.00"


def revenue_row(each: dict[str, Any]) -> str:
    rate = each["rate"]
    cells = [
        each["occurredAt"][:10],
        (each["serviceEnd"] or "")[:10],
        f"{each['objectKind']} `{each['objectId']}`",
        each["partKind"] + (f" `{each['partId']}`" if each["partId"] else ""),
        f"{each['amountMinor'] / 100:.2f} {each['currency']}",
        f"{each['shareMinor'] / 100:.2f}",
        f"{rate['value']} ({rate['source']}, {rate['on']})" if rate else "",
        dollars(each["revenueMicrodollars"]),
    ]
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"


async def test_the_costs_and_the_margin(here: World) -> None:
    found = await here.get("/api/margins/acme-corp/explain?period=2026-04&basis=accrual")
    told = [
        f"| {each['day']} | {each['source']} | {each['provider']} | {each['model']} |"
        f" {dollars(each['costMicrodollars'])} |"
        for each in found["costs"]
    ]
    assert told == rows("day")
    assert found["marginPercent"] == 70
    assert "leaves 70.00, a margin of 70 %" in read(DOCS / "explain.md")
