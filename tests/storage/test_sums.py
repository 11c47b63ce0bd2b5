"""What rollups hold and what the facts add up to: the same to the last cell and nanodollar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, delete, text, update

from nullspend_margins.domain.cost import MAX_COST_NANODOLLARS, MAX_COUNT
from nullspend_margins.domain.revenue_part import MAX_COUNTED_CENTS
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.storage.database import Database
from nullspend_margins.storage.events import insert_events, prune_events
from nullspend_margins.storage.facts import replace_facts
from nullspend_margins.storage.tables import cost_model_days, cost_months
from tests.storage.builders import NOVEMBER, NOW, ORG, event, fact, invoice, stage, sync
from tests.storage.rebuilding import ALL_TABLES, check, mend, stored

Work = Callable[[Connection], object]


def facts(*given: tuple[str, str, int, int]) -> Work:
    """Source, key, cost and requests of each, in transactions that are one after the other."""
    return lambda tx: [
        replace_facts(tx, ORG, source, [fact(key, cost, request_count=requests)], NOW)
        for source, key, cost, requests in given
    ]


def at_once(*given: tuple[str, int, int]) -> Work:
    return lambda tx: replace_facts(
        tx, ORG, "bill", [fact(key, cost, request_count=count) for key, cost, count in given], NOW
    )


def events(*given: tuple[str, int]) -> Work:
    return lambda tx: insert_events(tx, ORG, "bill", [event(*each) for each in given], NOW)


# What is done, and how many cells there are then in all.
ZEROS: dict[str, tuple[list[Work], int]] = {
    "an event of no cost is a request": ([events(("a", 0))], 2),
    "a fact of no cost and no requests is nothing": ([facts(("bill", "a", 0, 0))], 0),
    "a fact of no cost with requests is something": ([facts(("bill", "a", 0, 1))], 2),
    "facts that cancel each other out at once": ([at_once(("a", 5, 0), ("b", -5, 0))], 0),
    "facts that cancel each other out one after the other": (
        [facts(("bill", "a", 5, 0), ("bill", "b", -5, 0))], 0),
    "facts of two sources that cancel each other out in a month": (
        [facts(("bill", "a", 5, 0), ("daily", "a", -5, 0))], 2),
    "a fact that became nothing": ([facts(("bill", "a", 5, 2), ("bill", "a", 0, 0))], 0),
    "a fact that lost its requests": ([facts(("bill", "a", 5, 2), ("bill", "a", 5, 0))], 2),
    "a fact that cancels an event of another day out": (
        [events(("a", 5)), facts(("bill", "b", -5, 0))], 3),
    "a free event, pruned": (
        [events(("a", 0)), lambda tx: prune_events(tx, ORG, NOW + timedelta(days=1), 9)], 2),
    "an uncounted invoice": (
        [lambda tx: sync(tx, [invoice("1", currency="eur"), invoice("2", customer_id=None)])], 1),
    "an invoice of nothing": ([lambda tx: sync(tx, [invoice("1", 0)])], 2),
    "an invoice that vanished": (
        [lambda tx: sync(tx, [invoice("1")]), lambda tx: sync(tx, [])], 0),
}  # fmt: skip


@pytest.mark.parametrize("what", ZEROS)
async def test_ingest_and_rebuild_agree_on_which_cells_of_nothing_there_are(
    database: Database, what: str
) -> None:
    done, cells = ZEROS[what]
    for work in done:
        await database.write(work)
    report = await check(database)
    assert (report.wrong, report.cells) == (0, cells)
    before = await stored(database)
    await database.write(lambda tx: [tx.execute(delete(table)) for table in ALL_TABLES])
    assert (await mend(database)).wrong == cells
    assert await stored(database) == before


async def test_sums_that_leave_64_bits_on_their_way_are_exact(database: Database) -> None:
    def work(tx: Connection) -> None:
        most = 2**62
        facts = [
            fact(f"{n}", most if n < 20 else -most, request_count=MAX_COUNT) for n in range(41)
        ]
        for up, down in zip(facts[:20], facts[20:40], strict=True):
            replace_facts(tx, ORG, "bill", [up, down], NOW)
        replace_facts(tx, ORG, "bill", [facts[40]], NOW)
        insert_events(tx, ORG, "bill", [event("a", MAX_COST_NANODOLLARS)], NOW)
        cents = MAX_COUNTED_CENTS
        amounts = [cents, cents, -cents, -cents, -cents, 1]
        sync(tx, [invoice(f"{n}", amount) for n, amount in enumerate(amounts)])

    await database.write(work)
    assert (await check(database)).wrong == 0
    before = await stored(database)
    assert before[0] == [(NOVEMBER.index, "acme", MAX_COST_NANODOLLARS - 2**62, 41 * MAX_COUNT + 1)]
    assert before[3][0][5] == (1 - MAX_COUNTED_CENTS) * 10_000
    await database.write(lambda tx: [tx.execute(delete(table)) for table in ALL_TABLES])
    assert (await mend(database)).wrong == 5
    assert await stored(database) == before


@pytest.mark.parametrize("sign", [1, -1])
async def test_a_sum_that_no_cell_can_hold_is_told_and_changes_nothing(
    database: Database, sign: int
) -> None:
    """Possible after a cell was made smaller by hand, and filled up again."""

    def work(tx: Connection) -> None:
        for key in "abc":
            replace_facts(tx, ORG, "bill", [fact(key, sign * 2**62)], NOW)
            tx.execute(update(cost_months).values(cost_nanodollars=0))
            tx.execute(update(cost_model_days).values(cost_nanodollars=0))

    await database.write(work)
    before = await stored(database)
    report = await check(database)
    told = [each.right["cost_nanodollars"] for each in report.shown if each.right]
    exact = sign * 3 * 2**62 if database.dialect == "postgresql" else "beyond 2^63"
    assert told == [exact, exact]
    with pytest.raises(ValidationFailed, match=r"cost_months.*2\^63"):
        await mend(database)
    assert await stored(database) == before


async def test_revenue_that_no_cell_can_hold_is_told_and_changes_nothing(
    database: Database,
) -> None:
    whole = [invoice("1", MAX_COUNTED_CENTS), invoice("2", MAX_COUNTED_CENTS)]
    with pytest.raises(ValidationFailed):
        await database.write(lambda tx: sync(tx, whole))
    assert (await check(database)).cells == 0
    await database.write(lambda tx: sync(tx, whole[:1]))

    def add_second(tx: Connection) -> None:
        stage(tx, ORG, "stripe", "sync", whole)
        tx.execute(
            text(
                "INSERT INTO margins_revenue_facts (org_id, provider, object_id, kind, "
                "customer_id, month, amount_minor, currency, minor_digits, amount_microdollars, "
                "counted, partial, occurred_at, customer_name, customer_email, avatar_url, "
                "suggested_tag, parts, cells) SELECT org_id, provider, object_id, kind, "
                "customer_id, month, amount_minor, currency, minor_digits, amount_microdollars, "
                "counted, partial, occurred_at, customer_name, customer_email, avatar_url, "
                "suggested_tag, parts, cells "
                "FROM margins_revenue_staging WHERE object_id = '2'"
            )
        )

    await database.write(add_second)
    before = await stored(database)
    assert (await check(database)).wrong == 2
    with pytest.raises(ValidationFailed, match="customer_months"):
        await mend(database)
    assert await stored(database) == before


async def test_days_and_months_are_those_of_utc_to_the_last_microsecond(
    database: Database,
) -> None:
    moments = [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ]

    def work(tx: Connection) -> None:
        for number, moment in enumerate(moments):
            one = event(f"{number}", number, occurred_at=moment)
            insert_events(tx, ORG, "api", [one], NOW)
            back = fact(f"{number}", -number, day=moment.date())
            replace_facts(tx, ORG, "bill", [back], NOW)

    await database.write(work)
    assert (await check(database)).wrong == 0
    before = await stored(database)
    for table in (cost_months, cost_model_days):
        await database.write(lambda tx, table=table: tx.execute(delete(table)))
        await mend(database)
        assert await stored(database) == before
