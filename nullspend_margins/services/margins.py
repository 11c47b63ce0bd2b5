"""Reads: the margin table, one customer, and what is not matched yet. Each is one snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from msgspec import Struct

from nullspend_margins.config import Config
from nullspend_margins.domain.cost import Amount, ModelCost, MonthCost, add_amount, largest_first
from nullspend_margins.domain.coverage import Coverage
from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.margin import SPARK_MONTHS, health_tier, margin_hundredths
from nullspend_margins.domain.money import split_microdollars
from nullspend_margins.domain.period import Months, Period
from nullspend_margins.domain.revenue_part import Basis
from nullspend_margins.protocols import Clock
from nullspend_margins.services.bases import Bases, ToldBases, read_bases, read_customer_bases
from nullspend_margins.services.cost_reader import CostReader, cost_columns
from nullspend_margins.services.coverage import CoverageReader
from nullspend_margins.services.detail_cache import DetailCache
from nullspend_margins.services.ledger import LedgerRow, customer_row, read_ledger
from nullspend_margins.services.margin_table import MarginTable, build_table, without_known
from nullspend_margins.services.revision_cache import TableCache
from nullspend_margins.services.unmatched import Unmatched, read_unmatched, recent_since
from nullspend_margins.storage import connections, mappings, revisions
from nullspend_margins.storage.connections import Standing
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.one_customer import CustomerRecord, read_customer


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


_Asked = tuple[str, str, Months, Basis, bool]
"""Org, tag value, months, basis, whether all bases are told."""


class _Ingredients(NamedTuple):
    """What one snapshot holds for a table."""

    revision: int | None
    ledger: Sequence[LedgerRow]
    connections: Sequence[Standing]


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
        self._tables: TableCache[tuple[str, Period, Basis], MarginTable] = TableCache()
        self._unmatched: TableCache[tuple[str, date], Unmatched] = TableCache()
        self._details: DetailCache[_Asked, CustomerDetail] = DetailCache()
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
        """The table with what is asked for of ``TableAnswer``, all of one snapshot and of the same
        answers of cost sources. Raises as ``table`` does.
        """
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
            known = self._tables.get((org_id, months.last, basis), revision)
            if known is not None:
                return known
        costs = self._costs.columns(tx, org_id, months, remote)
        mapped = mappings.tag_values(tx, org_id, CUSTOMER_TAG_KEY)
        ledger = read_ledger(tx, org_id, months, mapped, costs, basis)
        return _Ingredients(revision, ledger, connections.standings(tx, org_id))

    async def _built(
        self, org_id: str, period: Period, found: MarginTable | _Ingredients, basis: Basis
    ) -> MarginTable:
        if isinstance(found, MarginTable):
            return found
        before = self._tables.latest((org_id, period, basis))
        # Thousands of rows take tens of milliseconds: not on the host's event loop.
        table = await asyncio.to_thread(
            build_table, period, found.ledger, found.connections, self._thresholds, before
        )
        if self._tables.is_large(len(table.rows)):
            table = without_known(table)
            if self._costs.remote:
                return table  # nobody would be given it again
        self._tables.put((org_id, period, basis), found.revision, table, rows=len(table.rows))
        return table

    async def customer(
        self,
        org_id: str,
        tag_value: str,
        period: Period,
        basis: Basis | None = None,
        *,
        bases: bool = False,
        months_shown: int = SPARK_MONTHS,
    ) -> CustomerDetail:
        """One customer, with all bases if asked. Raises ``NotFound``: no mapping has that value."""
        basis = basis or self._basis
        months = Months(period.shift(1 - months_shown), period)
        key = org_id, tag_value, months, basis, bases
        # What other systems add up may change without our revision.
        likely = None if self._costs.remote else self._details.likely(key)
        remote = await self._costs.remote_customer(org_id, tag_value, months.first, months.last)

        def read(tx: Transaction) -> CustomerDetail | tuple[CustomerRecord, Sequence[int] | None]:
            if likely is not None and likely.revision == revisions.current(tx, org_id):
                return likely.value
            record = read_customer(tx, org_id, CUSTOMER_TAG_KEY, tag_value, months, basis)
            if not bases:
                return record, None
            return record, read_customer_bases(tx, org_id, record.customers, period)

        # Each answer is one question's, unless the bases are asked for too.
        run = self._database.read if bases else self._database.ask
        read_or_kept = await run(read)
        if isinstance(read_or_kept, CustomerDetail):
            return read_or_kept
        record, by_basis = read_or_kept
        local = self._costs.local_customer(tag_value, record)
        costs = cost_columns(months, [*local.months, *remote.months])
        row = customer_row(tag_value, record.customers, months, costs)
        found = self._detail(row, [*local.models, *remote.models], months, by_basis)
        if not self._costs.remote:
            weight = len(found.months) + len(found.models)
            self._details.put(key, record.revision, found, weight=weight)
        return found

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
        since = recent_since(self._clock.now())
        remote = await self._costs.remote_tags(org_id, since)

        def read(tx: Transaction) -> Unmatched:
            revision = revisions.current(tx, org_id)
            # As for tables: what other systems add up may change without our revision.
            if not self._costs.remote:
                known = self._unmatched.get((org_id, since), revision)
                if known is not None:
                    return known
            local = self._costs.local_tags(tx, org_id, since)
            found = read_unmatched(tx, org_id, self._basis, [*local, *remote])
            if not self._costs.remote:
                self._unmatched.put((org_id, since), revision, found, rows=found.rows)
            return found

        return await self._database.read(read)


def _spark_months(period: Period) -> Months:
    return Months(period.shift(1 - SPARK_MONTHS), period)


def _model_breakdown(models: Sequence[ModelCost]) -> list[tuple[str, int, int]]:
    """Largest first. Rounded together, so that the rows add up to the customer's cost."""
    totals: dict[str, Amount] = {}
    for model, nanodollars, requests in models:
        add_amount(totals, model, nanodollars, requests)
    ordered = largest_first(totals)
    rounded = split_microdollars([totals[model][0] for model in ordered])
    return [(model, cost, totals[model][1]) for model, cost in zip(ordered, rounded, strict=True)]
