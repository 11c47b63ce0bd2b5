"""What makes up a cell of the margin table: the parts of its revenue, and its costs by day."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nullspend_margins.config import Config
from nullspend_margins.domain.cost import CostPart, MonthCost
from nullspend_margins.domain.health import HealthTier
from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.margin import MonthAmounts, health_tier, margin_hundredths
from nullspend_margins.domain.money import split_microdollars
from nullspend_margins.domain.period import Months, Period
from nullspend_margins.domain.recognition import Share, part_shares
from nullspend_margins.domain.revenue_part import Basis, RevenuePart
from nullspend_margins.services.cost_reader import CostReader, cost_columns
from nullspend_margins.services.ledger import customer_row
from nullspend_margins.storage import customer_revenue
from nullspend_margins.storage.customer_revenue import MappedCustomer, StoredFact
from nullspend_margins.storage.database import Database, Transaction
from nullspend_margins.storage.revenue_parts import stored_parts


class ExplainedRevenue(NamedTuple):
    """What a part of a fact is in the period."""

    provider: str
    customer_id: str
    fact: StoredFact
    part: RevenuePart
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A cell and what it is made of. Percent in hundredths, money in microdollars.

    ``revenue`` in order of time; its shares add up to the cell's revenue. ``costs`` are parts and
    their microdollars, rounded together, which add up to its cost; by day, those of no day last.
    """

    tag_value: str
    period: Period
    basis: Basis
    amounts: MonthAmounts
    percent: int
    tier: HealthTier
    revenue: Sequence[ExplainedRevenue]
    costs: Sequence[tuple[CostPart, int]]


class _Facts(NamedTuple):
    """The facts that are revenue of one mapped customer."""

    provider: str
    customer_id: str
    facts: Sequence[StoredFact]


class ExplanationService:
    """Goes down from a cell to what was stored: the same numbers, from the same snapshot."""

    def __init__(self, database: Database, costs: CostReader, config: Config) -> None:
        self._database = database
        self._costs = costs
        self._thresholds = config.health.thresholds
        self._basis = config.revenue.basis

    async def explain(
        self, org_id: str, tag_value: str, period: Period, basis: Basis | None = None
    ) -> Explanation:
        """Explain one customer's period, by ``basis`` or by the configured one.

        Raises ``NotFound`` when no mapping has that tag value, and ``ServiceUnavailable`` when a
        cost source does not answer.
        """
        by = basis or self._basis
        month = Months(period, period)
        remote = await self._costs.remote_parts(org_id, tag_value, period)

        def read(tx: Transaction) -> tuple[MonthAmounts, list[_Facts], list[CostPart]]:
            customers = customer_revenue.mapped_customers(
                tx, org_id, CUSTOMER_TAG_KEY, tag_value, month, by
            )
            cells = self._costs.local_months(tx, org_id, tag_value, month)
            beyond = sum(part.cost_nanodollars for part in remote)
            columns = cost_columns(month, [*cells, MonthCost(tag_value, period.index, beyond)])
            row = customer_row(tag_value, customers, month, columns)
            local = self._costs.local_parts(tx, org_id, tag_value, period)
            return row.amounts(0), _facts(tx, org_id, customers, period), [*local, *remote]

        amounts, facts, parts = await self._database.read(read)
        # A customer may have thousands of invoices: not on the host's event loop.
        earned = await asyncio.to_thread(_explained_revenue, facts, period, by)
        return Explanation(
            tag_value=tag_value,
            period=period,
            basis=by,
            amounts=amounts,
            percent=margin_hundredths(amounts.revenue, amounts.cost),
            tier=health_tier(amounts.revenue, amounts.cost, self._thresholds),
            revenue=earned,
            costs=_explained_costs(parts),
        )


def _facts(
    tx: Transaction, org_id: str, customers: Sequence[MappedCustomer], period: Period
) -> list[_Facts]:
    return [
        _Facts(
            each.provider,
            each.customer_id,
            customer_revenue.customer_facts(tx, org_id, each.provider, each.customer_id, period),
        )
        for each in customers
    ]


def _explained_revenue(
    customers: Iterable[_Facts], period: Period, basis: Basis
) -> list[ExplainedRevenue]:
    found = [
        ExplainedRevenue(of.provider, of.customer_id, fact, part, share)
        for of in customers
        for fact in of.facts
        for part, share in _shares(fact, period, basis)
    ]
    return sorted(
        found, key=lambda each: (each.part.occurred_at, each.provider, each.fact.object_id)
    )


def _shares(fact: StoredFact, period: Period, basis: Basis) -> Iterator[tuple[RevenuePart, Share]]:
    """The parts of a fact that are something in the period, by one basis."""
    for part in stored_parts(fact.parts, fact.kind, fact.amount_minor, fact.occurred_at, basis):
        for share in part_shares(part, fact.minor_digits):
            if share.period == period and share.amount_minor:
                yield part, share


def _explained_costs(parts: Iterable[CostPart]) -> list[tuple[CostPart, int]]:
    told = sorted(
        (part for part in parts if part.cost_nanodollars or part.request_count),
        key=_in_order,
    )
    rounded = split_microdollars([part.cost_nanodollars for part in told])
    return [*zip(told, rounded, strict=True)]


def _in_order(part: CostPart) -> tuple[bool, int, str, bool, str, bool, str]:
    """By day, source, provider and model; what has none of one comes last."""
    provider, model = part.provider, part.model
    return (
        part.day is None,
        part.day or 0,
        part.source,
        provider is None,
        provider or "",
        model is None,
        model or "",
    )
