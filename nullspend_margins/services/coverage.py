"""Reads what a margin table covers, in the snapshot of the table itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from nullspend_margins.config import Config
from nullspend_margins.domain.cost import MonthCost
from nullspend_margins.domain.coverage import (
    CostCoverage,
    Coverage,
    ProviderCoverage,
    RevenueCoverage,
    SourceCoverage,
    cost_coverage,
    revenue_coverage,
)
from nullspend_margins.domain.delivery import SourceState, source_states
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.period import Months, Period
from nullspend_margins.domain.revenue_part import Basis
from nullspend_margins.plugins import Registry
from nullspend_margins.services.cost_reader import CostReader
from nullspend_margins.services.revision_cache import RevisionCache
from nullspend_margins.storage import (
    connections,
    cost_deliveries,
    mappings,
    month_revenue,
    revisions,
    skipped_revenue,
)
from nullspend_margins.storage.connections import StoredConnection
from nullspend_margins.storage.database import Transaction


class _Amounts(NamedTuple):
    """What changes with an org's data alone, and not with time."""

    cost: CostCoverage
    revenue: Sequence[RevenueCoverage]
    mapped_tags: int


class CoverageReader:
    """From monthly sums, and the few facts that are in none; never from raw events."""

    def __init__(self, registry: Registry, costs: CostReader, config: Config) -> None:
        self._costs = costs
        self._providers = registry.revenue_providers
        self._settings = config.costs
        self._kept: RevisionCache[tuple[str, Period, Basis], _Amounts] = RevisionCache()

    def read(
        self,
        tx: Transaction,
        org_id: str,
        period: Period,
        remote: Iterable[MonthCost],
        now: datetime,
        basis: Basis,
    ) -> Coverage:
        """The coverage of one period; ``remote`` is what other systems say of its costs."""
        connected = connections.list_for_org(tx, org_id)
        amounts = self._amounts(tx, org_id, period, remote, basis, connected)
        records = cost_deliveries.of_org(tx, org_id)
        return Coverage(
            basis=basis,
            cost=amounts.cost,
            revenue=amounts.revenue,
            sources=[
                self._source(each, now) for each in source_states(records, self._costs.kinds, now)
            ],
            providers=[_provider(each, now) for each in connected],
            mapped_tags=amounts.mapped_tags,
        )

    def _amounts(
        self,
        tx: Transaction,
        org_id: str,
        period: Period,
        remote: Iterable[MonthCost],
        basis: Basis,
        connected: Iterable[StoredConnection],
    ) -> _Amounts:
        """As they were, if nothing was written since: every customer of the month is in them."""
        revision = revisions.current(tx, org_id)
        known = self._kept.get((org_id, period, basis), revision)
        # What other systems add up may change without our revision.
        if known is not None and not self._costs.remote:
            return known
        mapped = mappings.tag_values(tx, org_id, CUSTOMER_TAG_KEY)
        of_period = [cell for cell in remote if cell.month == period.index]
        month = Months(period, period)
        [costs] = self._costs.columns(tx, org_id, month, of_period)
        [paid] = month_revenue.month_amounts(tx, org_id, month, basis)
        providers = {*self._providers, *paid, *(each.provider for each in connected)}
        skipped = skipped_revenue.skipped_in(tx, org_id, sorted(providers), period, basis)
        tags = {tag for customers in mapped.values() for tag in customers.values()}
        amounts = _Amounts(
            cost_coverage(costs, tags), revenue_coverage(paid, mapped, skipped), len(tags)
        )
        self._kept.put((org_id, period, basis), revision, amounts)
        return amounts

    def _source(self, state: SourceState, now: datetime) -> SourceCoverage:
        stale_after = self._settings.stale_after(state.name, state.kind)
        return SourceCoverage(
            state=state, lag=state.silent_for(now), is_stale=state.is_stale(now, stale_after)
        )


def _provider(connection: StoredConnection, now: datetime) -> ProviderCoverage:
    last = connection.last_sync_at
    return ProviderCoverage(
        provider=connection.provider,
        status=connection.status,
        last_sync_at=last,
        lag=None if last is None else max(now - last, timedelta()),
        gaps=connection.gaps,
    )
