"""What the step to shorter parts makes of the facts that are there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from nullspend_margins.domain.revenue import RevenueFact
from nullspend_margins.domain.revenue_part import ExchangeRate, RevenuePart
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.migrate import migrate
from nullspend_margins.storage.tables import revenue_facts
from tests.postgres import PostgresForTests
from tests.storage.builders import NOW, invoice, rows, sync
from tests.storage.releases import bring_to, empty_database

MANY = 2_500
LATER = NOW + timedelta(days=3, microseconds=1)
RATE = ExchangeRate(value=Decimal("1.0842"), source="stripe", on=date(2026, 11, 20))
PARTS = (
    RevenuePart(bases=("invoiced",), kind="invoice", amount_minor=500, occurred_at=NOW),
    RevenuePart(
        bases=("cash", "net"), kind="payment", amount_minor=500, occurred_at=LATER, part_id="pay_1"
    ),
    RevenuePart(bases=("net",), kind="tax", amount_minor=-80, occurred_at=NOW, rate=RATE),
    RevenuePart(
        bases=("accrual",),
        kind="line",
        amount_minor=420,
        occurred_at=NOW - timedelta(days=1),
        until=NOW + timedelta(days=29),
        part_id="il_1",
        description="Größe “L” / 10\\10 \U0001f680",
    ),
    RevenuePart(bases=("net", "accrual"), kind="credit_note", amount_minor=-5, occurred_at=NOW),
)


def fact(name: str, parts: tuple[RevenuePart, ...] | None = PARTS) -> RevenueFact:
    return invoice(name, 500, occurred_at=NOW, parts=parts)


def earlier_parts(parts: tuple[RevenuePart, ...]) -> str:
    """As they were stored before."""

    def ticks(moment: datetime | None) -> int | None:
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return None if moment is None else (moment - epoch) // timedelta(microseconds=1)

    return json.dumps(
        [
            [
                part.bases,
                part.kind,
                part.amount_minor,
                ticks(part.occurred_at),
                ticks(part.until),
                part.part_id,
                part.description,
            ]
            + ([[str(RATE.value), RATE.source, str(RATE.on)]] if part.rate else [])
            for part in parts
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def fill(tx: Connection) -> None:
    """Facts as they are stored now, with their parts as they were."""
    sync(tx, [fact(f"in_{number}") for number in range(MANY)] + [fact("plain", None)])
    tx.execute(
        text("UPDATE margins_revenue_facts SET parts = :parts WHERE parts IS NOT NULL"),
        {"parts": earlier_parts(PARTS)},
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def earlier_url(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_server: PostgresForTests
) -> Iterator[str]:
    """A database before the step."""
    with empty_database(request.param, tmp_path, postgres_server) as url:
        bring_to(url, "0006", fill)
        yield url


async def test_facts_are_what_they_were(earlier_url: str) -> None:
    await migrate(earlier_url)
    database = Database(earlier_url)
    await database.start()
    facts = [fact(f"in_{number}") for number in range(MANY)] + [fact("plain", None)]
    try:
        before = await database.read(lambda tx: rows(tx, revenue_facts))
        assert len(before) == MANY + 1
        assert not await database.write(lambda tx: sync(tx, facts))
        assert await database.read(lambda tx: rows(tx, revenue_facts)) == before
    finally:
        await database.close()
