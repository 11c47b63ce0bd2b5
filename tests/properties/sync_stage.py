"""A database, two processes over it, and what of an org a property of syncs looks at."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, func, or_, select

from nullspend_margins import Margins, RevenueFact
from nullspend_margins.services.sync_report import SyncReport
from nullspend_margins.storage import connections, mappings, tables
from nullspend_margins.storage.columns import metadata
from nullspend_margins.storage.connections import StoredConnection
from nullspend_margins.storage.database import Database
from tests.properties import arithmetic, model, turnstiles
from tests.properties.model import ModelMapping, Org
from tests.properties.paged_provider import PagedProvider
from tests.properties.product import FakeProviders, configuration
from tests.properties.turnstiles import Process, process
from tests.world import FixedClock

T = TypeVar("T")
LEASE_SECONDS = 3_600
"""Heartbeats come by the real clock: with leases as long as this, never."""

_BEGIN = datetime(1971, 1, 1, tzinfo=UTC)
"""A lease that was given back has run out long before."""

Pair = tuple[str, str, str, str]


@dataclass(frozen=True)
class Numbers:
    """What revenue adds up to: invoices, customer-months, customers."""

    facts: set[tuple[Any, ...]]
    months: set[tuple[Any, ...]]
    customers: set[tuple[Any, ...]]


@dataclass(frozen=True)
class Seen:
    """What the database holds of an org."""

    connection: StoredConnection | None
    numbers: Numbers
    mappings: set[ModelMapping]
    rejected: frozenset[Pair]
    staged: int
    staged_by: int
    """How many syncs have something there."""
    fence: int
    held_until: datetime | None


@dataclass
class Stage:
    """Made once a test; every run of a property begins with an empty database."""

    runner: asyncio.Runner
    database: Database
    clock: FixedClock = field(default_factory=FixedClock)
    provider: PagedProvider = field(default_factory=PagedProvider)
    processes: list[Process] = field(default_factory=list)
    done: int = 0

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something, a moment later than everything before."""
        self.done += 1
        self.clock.advance(milliseconds=1)
        return self.runner.run(work)

    def clear(self) -> None:
        def work(tx: Connection) -> None:
            for table in reversed(metadata.sorted_tables):
                tx.execute(table.delete())

        self.do(self.database.write(work))

    def look(self, org_id: str) -> Seen:
        return self.runner.run(self.database.read(lambda tx: look_at(tx, org_id)))


@contextmanager
def stage(database_url: str, steps_over: object = None) -> Iterator[Stage]:
    """Two processes over one database, on an event loop of their own."""
    sections = configuration(database_url) | {"sync": {"lease_seconds": LEASE_SECONDS}}
    with asyncio.Runner() as runner:
        made = Stage(runner, Database(database_url, pool_size=4))
        made.do(made.database.start())
        try:
            for name in ("first", "second"):
                margins = Margins(sections, plugins=[FakeProviders([made.provider])])
                made.processes.append(
                    process(name, margins, made.clock, steps_over or made.database)
                )
            yield made
        finally:
            for each in made.processes:  # where a property fails, one may stand in the middle
                if each.is_running:
                    made.do(turnstiles.killed(each))
            made.do(made.database.close())


def look_at(tx: Connection, org_id: str) -> Seen:
    """Everything of an org that a sync touches."""
    staging, held = tables.revenue_staging, tables.leases
    lease = tx.execute(
        select(held.c.fence, held.c.expires_at).where(held.c.org_id == org_id)
    ).one_or_none()
    found = mappings.list_mappings(tx, org_id)
    return Seen(
        connection=connections.get(tx, org_id, "stripe"),
        numbers=_numbers(tx, org_id),
        mappings={
            ModelMapping(
                id=each.id,
                provider=each.provider,
                customer_id=each.customer_id,
                tag_value=each.tag_value,
                tag_key=each.tag_key,
                match_type=each.match_type,
                confidence=each.confidence,
            )
            for each in found
        },
        rejected=frozenset(tuple(pair) for pair in mappings.rejected_pairs(tx, org_id)),
        staged=tx.scalar(
            select(func.count()).select_from(staging).where(staging.c.org_id == org_id)
        )
        or 0,
        staged_by=tx.scalar(
            select(func.count(staging.c.sync_id.distinct())).where(staging.c.org_id == org_id)
        )
        or 0,
        fence=lease.fence if lease else 0,
        held_until=lease.expires_at if lease is not None and lease.expires_at > _BEGIN else None,
    )


def _numbers(tx: Connection, org_id: str) -> Numbers:
    facts, months, customers = (
        table.c
        for table in (tables.revenue_facts, tables.customer_months, tables.revenue_customers)
    )
    return Numbers(
        facts={
            tuple(row)
            for row in tx.execute(
                select(
                    facts.object_id, facts.customer_id, facts.amount_minor, facts.currency,
                    facts.occurred_at, facts.customer_name, facts.suggested_tag,
                ).where(facts.org_id == org_id)
            )
        },
        months={
            (row[0], divmod(row[1], 12)[0], row[1] % 12 + 1, *row[2:])
            for row in tx.execute(
                select(
                    months.customer_id, months.month, months.invoiced,
                    months.invoice_count, months.last_invoice_at, months.customer_name,
                ).where(
                    months.org_id == org_id,
                    # Of other bases alone: judged where those are.
                    or_(months.invoiced != 0, months.invoice_count != 0),
                )
            )
        },
        customers={
            tuple(row)
            for row in tx.execute(
                select(
                    customers.customer_id, customers.total_microdollars, customers.invoice_count,
                    customers.name,
                ).where(customers.org_id == org_id)
            )
        },
    )  # fmt: skip


def numbers_of(facts: Iterable[RevenueFact]) -> Numbers:
    """The same, by plain loops over all that is stored."""
    stored = list(facts)
    by_customer: dict[str, list[RevenueFact]] = {}
    by_month: dict[tuple[str, int, int], list[RevenueFact]] = {}
    for each in stored:
        if each.customer_id is not None:
            by_customer.setdefault(each.customer_id, []).append(each)
        if each.customer_id is not None and each.currency == "usd":
            month = arithmetic.month_of(each.occurred_at)
            by_month.setdefault((each.customer_id, *month), []).append(each)
    return Numbers(
        facts={
            (
                each.object_id, each.customer_id, each.amount_minor, each.currency,
                each.occurred_at, each.customer_name, each.suggested_tag,
            )
            for each in stored
        },
        months={
            (
                *key,
                sum(each.amount_minor for each in of_month) * 10_000,
                len(of_month),
                max(each.occurred_at for each in of_month),
                model.latest(of_month, "customer_name"),
            )
            for key, of_month in by_month.items()
        },
        customers={
            (
                customer,
                sum(each.amount_minor for each in theirs if model.counts(each)) * 10_000,
                sum(model.counts(each) for each in theirs),
                model.latest(theirs, "customer_name"),
            )
            for customer, theirs in by_customer.items()
        },
    )  # fmt: skip


def expected_report(org_id: str, told: list[RevenueFact], matches: int) -> dict[str, Any]:
    """What a sync that was told ``told`` reports, but for how long it took."""
    counted = [each for each in told if model.counts(each)]
    skipped: dict[str, int] = {}
    for each in told:
        if each.currency != "usd":
            skipped[each.currency] = skipped.get(each.currency, 0) + 1
    return {
        "org_id": org_id,
        "customers_processed": len({each.customer_id for each in counted}),
        "periods_updated": len(
            {(each.customer_id, arithmetic.month_of(each.occurred_at)) for each in counted}
        ),
        "auto_matches_created": matches,
        "invoices_fetched": len(told),
        "invoices_skipped": len(told) - len(counted),
        "skipped_currencies": skipped,
    }


def reported(report: SyncReport) -> dict[str, Any]:
    """A report as a dictionary, without how long it took."""
    names = (
        "org_id", "customers_processed", "periods_updated", "auto_matches_created",
        "invoices_fetched", "invoices_skipped", "skipped_currencies",
    )  # fmt: skip
    return {name: getattr(report, name) for name in names}


def revenue_of(org: Org) -> list[RevenueFact]:
    return [fact for _, fact in org.revenue]
