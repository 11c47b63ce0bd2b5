"""Reads: the margin table, one customer, and what is not matched yet. Each is one snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from msgspec import Struct

from nullspend_margins.config import Config
from nullspend_margins.domain.cost import Amount, ModelCost, MonthCost, TagCost, add_amount
from nullspend_margins.domain.coverage import Coverage
from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY, CustomerMapping
from nullspend_margins.domain.margin import SPARK_MONTHS, health_tier, margin_hundredths
from nullspend_margins.domain.money import split_microdollars, to_microdollars
from nullspend_margins.domain.period import Months, Period, day_number, day_of
from nullspend_margins.domain.revenue_part import Basis
from nullspend_margins.protocols import Clock
from nullspend_margins.services.bases import Bases, ToldBases, read_bases, read_customer_bases
from nullspend_margins.services.cost_reader import CostReader, cost_columns
from nullspend_margins.services.coverage import CoverageReader
from nullspend_margins.services.ledger import LedgerRow, read_ledger, speaks_first
from nullspend_margins.services.margin_table import MarginTable, build_table, without_known
from nullspend_margins.services.one_customer import customer_row
from nullspend_margins.services.table_cache import TableCache
from nullspend_margins.storage import connections, mappings, revenue, revisions
from nullspend_margins.storage.connections import StoredConnection
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.one_customer import CustomerRecord, read_customer
from nullspend_margins.storage.revenue import CustomerProfile

RECENT_DAYS = 90
MAX_UNMAPPED_TAGS = 500


class CustomerDetail(Struct, frozen=True, kw_only=True):
    """One customer in one period. Percent in hundredths, money in microdollars.

    ``months`` are (period, revenue, cost), oldest first; ``models`` are (model, cost, request
    count), largest cost first, and their costs add up to ``cost``. ``bases`` is the revenue by
    each of ``BASES``, ``None`` if it was not asked for.
    """

    tag_value: str
    stripe_customer_id: str
    customer_name: str | None
    avatar_url: str | None
    tier: HealthTier
    percent: int
    revenue: int
    cost: int
    months: Sequence[tuple[Period, int, int]]
    models: Sequence[tuple[str, int, int]]
    bases: Sequence[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """What the mapping page needs. ``tags`` are (tag value, cost in microdollars, requests)."""

    customers: Sequence[CustomerProfile]
    tags: Sequence[tuple[str, int, int]]
    pending: Sequence[tuple[CustomerMapping, str | None]]
    customer_names: Mapping[str, str]


class _Ingredients(NamedTuple):
    """What one snapshot holds for a table."""

    revision: int | None
    ledger: Sequence[LedgerRow]
    connections: Sequence[StoredConnection]


class TableAnswer(NamedTuple):
    """A table with what was asked for beside it. ``bases`` and ``told``: empty if it was not.

    ``told`` are the bases that any revenue of the period is in, in the order of ``BASES``.
    """

    table: MarginTable
    coverage: Coverage | None
    bases: Bases
    told: Sequence[Basis] = ()


class MarginsService:
    """Answers questions about margins from monthly rollups; never from raw events."""

    def __init__(
        self,
        database: Database,
        costs: CostReader,
        coverage: CoverageReader,
        clock: Clock,
        config: Config,
    ) -> None:
        self._database = database
        self._costs = costs
        self._coverage = coverage
        self._clock = clock
        self._thresholds = config.health.thresholds
        self._basis = config.revenue.basis
        self._tables: TableCache[MarginTable] = TableCache()
        self._told = ToldBases()

    def current_period(self) -> Period:
        """The month it is now, in UTC."""
        return Period.containing(self._clock.now())

    async def table(self, org_id: str, period: Period, basis: Basis | None = None) -> MarginTable:
        """The margin table, by ``basis`` or by the configured one.

        Raises ``ServiceUnavailable`` when a cost source does not answer.
        """
        return (await self.table_with(org_id, period, basis)).table

    async def table_with(
        self,
        org_id: str,
        period: Period,
        basis: Basis | None = None,
        *,
        coverage: bool = False,
        bases: bool = False,
        told: bool = False,
    ) -> TableAnswer:
        """The table with what belongs to it, of one snapshot and the same answers of sources."""
        basis = basis or self._basis
        months, now = _spark_months(period), self._clock.now()
        remote = await self._costs.remote_months(org_id, months.first, months.last)

        def read(
            tx: Transaction,
        ) -> tuple[MarginTable | _Ingredients, Coverage | None, Bases, Sequence[Basis]]:
            return (
                self._read(tx, org_id, months, remote, basis),
                self._coverage.read(tx, org_id, period, remote, now, basis) if coverage else None,
                read_bases(tx, org_id, period) if bases else {},
                self._told.read(tx, org_id, period) if told else (),
            )

        found, covered, by_tag, any_of = await self._database.read(read)
        return TableAnswer(await self._built(org_id, period, found, basis), covered, by_tag, any_of)

    def _read(
        self,
        tx: Transaction,
        org_id: str,
        months: Months,
        remote: Sequence[MonthCost],
        basis: Basis,
    ) -> MarginTable | _Ingredients:
        revision = revisions.current(tx, org_id)
        # What other systems add up may change without our revision.
        if not self._costs.remote:
            known = self._tables.get(org_id, months.last.index, basis, revision)
            if known is not None:
                return known
        costs = self._costs.columns(tx, org_id, months, remote)
        mapped = mappings.tag_values(tx, org_id, CUSTOMER_TAG_KEY)
        ledger = read_ledger(tx, org_id, months, mapped, costs, basis)
        return _Ingredients(revision, ledger, connections.list_for_org(tx, org_id))

    async def _built(
        self, org_id: str, period: Period, found: MarginTable | _Ingredients, basis: Basis
    ) -> MarginTable:
        if isinstance(found, MarginTable):
            return found
        before = self._tables.latest(org_id, period.index, basis)
        # Thousands of rows take tens of milliseconds: not on the host's event loop.
        table = await asyncio.to_thread(
            build_table, period, found.ledger, found.connections, self._thresholds, before
        )
        if self._tables.is_large(len(table.rows)):
            table = without_known(table)
            if self._costs.remote:
                return table  # nobody would be given it again
        self._tables.put(org_id, period.index, basis, found.revision, table, rows=len(table.rows))
        return table

    async def customer(
        self,
        org_id: str,
        tag_value: str,
        period: Period,
        basis: Basis | None = None,
        *,
        bases: bool = False,
    ) -> CustomerDetail:
        """One customer, with all bases if asked. Raises ``NotFound``: no mapping has that value."""
        basis = basis or self._basis
        months = _spark_months(period)
        remote = await self._costs.remote_customer(org_id, tag_value, months.first, months.last)

        def read(tx: Transaction) -> tuple[CustomerRecord, Sequence[int] | None]:
            record = read_customer(tx, org_id, CUSTOMER_TAG_KEY, tag_value, months, basis)
            if not bases:
                return record, None
            return record, read_customer_bases(tx, org_id, record.customers, period)

        # All of it is one question, unless the bases are asked for too.
        run = self._database.read if bases else self._database.ask
        record, by_basis = await run(read)
        local = self._costs.local_customer(tag_value, record)
        costs = cost_columns(months, [*local.months, *remote.months])
        row = customer_row(tag_value, record.customers, months, costs)
        return self._detail(row, [*local.models, *remote.models], months, by_basis)

    def _detail(
        self,
        row: LedgerRow,
        models: Sequence[ModelCost],
        months: Months,
        bases: Sequence[int] | None,
    ) -> CustomerDetail:
        revenue_now, cost_now = row.revenues[-1], row.costs[-1]
        return CustomerDetail(
            tag_value=row.tag_value,
            stripe_customer_id=row.customer_id,
            customer_name=row.customer_name,
            avatar_url=row.avatar_url,
            tier=health_tier(revenue_now, cost_now, self._thresholds),
            percent=margin_hundredths(revenue_now, cost_now),
            revenue=revenue_now,
            cost=cost_now,
            months=[
                (months.first.shift(offset), row.revenues[offset], row.costs[offset])
                for offset in range(months.count)
            ],
            models=_model_breakdown(models),
            bases=bases,
        )

    async def unmatched(self, org_id: str) -> Unmatched:
        """Customers without a mapping, tag values without one, and unconfirmed matches."""
        since = day_number(self._clock.now() - timedelta(days=RECENT_DAYS))
        remote = await self._costs.remote_tags(org_id, day_of(since))

        def read(tx: Transaction) -> Unmatched:
            mapped = mappings.of_key(tx, org_id, CUSTOMER_TAG_KEY)
            names = _names(revenue.customer_profiles(tx, org_id))
            local = self._costs.local_tags(tx, org_id, since)
            return Unmatched(
                customers=revenue.unmatched_customers(tx, org_id, CUSTOMER_TAG_KEY, self._basis),
                tags=_unmapped_tags([*local, *remote], {mapping.tag_value for mapping in mapped}),
                pending=[
                    (mapping, names.get((mapping.provider, mapping.customer_id)))
                    for mapping in mapped
                    if mapping.match_type == "auto"
                ],
                customer_names={customer_id: name for (_, customer_id), name in names.items()},
            )

        return await self._database.read(read)


def _names(profiles: Sequence[CustomerProfile]) -> dict[tuple[str, str], str]:
    """What customers are called, by provider and id. Stripe's last: of one id, theirs is shown."""
    ordered = sorted(profiles, key=lambda each: speaks_first(each.provider), reverse=True)
    return {
        (each.provider, each.customer_id): each.name for each in ordered if each.name is not None
    }


def _spark_months(period: Period) -> Months:
    return Months(period.shift(1 - SPARK_MONTHS), period)


def _model_breakdown(models: Sequence[ModelCost]) -> list[tuple[str, int, int]]:
    """Largest first. Rounded together, so that the rows add up to the customer's cost."""
    totals: dict[str, Amount] = {}
    for model, nanodollars, requests in models:
        add_amount(totals, model, nanodollars, requests)
    ordered = _largest_first(totals)
    rounded = split_microdollars([totals[model][0] for model in ordered])
    return [(model, cost, totals[model][1]) for model, cost in zip(ordered, rounded, strict=True)]


def _unmapped_tags(found: Sequence[TagCost], mapped: set[str]) -> list[tuple[str, int, int]]:
    totals: dict[str, Amount] = {}
    for tag_value, nanodollars, requests in found:
        if tag_value and tag_value not in mapped:
            add_amount(totals, tag_value, nanodollars, requests)
    largest = _largest_first(totals)[:MAX_UNMAPPED_TAGS]
    return [(tag, to_microdollars(totals[tag][0]), totals[tag][1]) for tag in largest]


def _largest_first(totals: Mapping[str, Amount]) -> list[str]:
    """Names by what they cost; on a tie by code point."""
    return sorted(totals, key=lambda name: (-totals[name][0], name))
