"""An org's mappings joined with its revenue and costs, month by month: what margins are made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from nullspend_margins.builtin.local_costs import LocalCostStore
from nullspend_margins.domain.cost import ModelCost, MonthCost, TagCost
from nullspend_margins.domain.margin import MonthAmounts
from nullspend_margins.domain.money import to_microdollars
from nullspend_margins.domain.period import Period
from nullspend_margins.errors import ServiceUnavailable
from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import AggregatingCostSource
from nullspend_margins.storage import revenue
from nullspend_margins.storage.database import Transaction
from nullspend_margins.storage.revenue import CustomerProfile

STRIPE = "stripe"
_FEW_CUSTOMERS = 10


Pair = Sequence[str]
"""A mapping as the join needs it: provider, customer id, tag value."""


@dataclass(slots=True)
class LedgerRow:
    """One tag value with its months, oldest first, in microdollars.

    ``provider`` and ``customer_id`` are Stripe's where one of the mapped customers is Stripe's,
    else the first other provider's.
    """

    tag_value: str
    provider: str
    customer_id: str
    revenues: list[int]
    costs: list[int]
    customer_name: str | None = None
    avatar_url: str | None = None

    def amounts(self, offset: int) -> MonthAmounts:
        """One month: 0 is the oldest."""
        return MonthAmounts(self.revenues[offset], self.costs[offset])


@dataclass(frozen=True, slots=True)
class Months:
    """The months a ledger covers, first and last included."""

    first: Period
    last: Period

    @property
    def count(self) -> int:
        """How many."""
        return self.last.index - self.first.index + 1


class CustomerCosts(NamedTuple):
    """One customer's costs: by month, and by model in the period asked for."""

    months: Sequence[MonthCost]
    models: Sequence[ModelCost]


class CostReader:
    """Asks every cost source that adds up: the local store in the caller's snapshot, the others
    beforehand, each in its own engine."""

    def __init__(self, registry: Registry) -> None:
        self.local = next(
            (source for source in registry.cost_sources if isinstance(source, LocalCostStore)),
            None,
        )
        self.remote: Sequence[AggregatingCostSource] = [
            source for source in registry.cost_sources if isinstance(source, AggregatingCostSource)
        ]

    async def remote_months(self, org_id: str, first: Period, last: Period) -> list[MonthCost]:
        """The months' costs of all sources but the local one."""
        found: list[MonthCost] = []
        for source in self.remote:
            found.extend(await _month_costs(source, org_id, first, last))
        return found

    def local_months(
        self, tx: Transaction, org_id: str, first: Period, last: Period
    ) -> Sequence[MonthCost]:
        """The months' costs of the local store."""
        if self.local is None:
            return ()
        return self.local.month_costs_in(tx, org_id, first, last)

    async def remote_customer(
        self, org_id: str, tag_value: str, first: Period, last: Period
    ) -> CustomerCosts:
        """One customer's months, and its models in the last of them, of all but the local."""
        months: list[MonthCost] = []
        models: list[ModelCost] = []
        for source in self.remote:
            cells = await _month_costs(source, org_id, first, last)
            months.extend(cell for cell in cells if cell.tag_value == tag_value)
            models.extend(await source.model_costs(org_id, tag_value, last))
        return CustomerCosts(months, models)

    def local_customer(
        self, tx: Transaction, org_id: str, tag_value: str, months: Months
    ) -> CustomerCosts:
        """The same, of the local store."""
        if self.local is None:
            return CustomerCosts([], [])
        cells = self.local.customer_month_costs_in(tx, org_id, tag_value, months.first, months.last)
        return CustomerCosts(
            [MonthCost(tag_value, month, cost) for month, cost in cells.items()],
            self.local.model_costs_in(tx, org_id, tag_value, months.last),
        )

    async def remote_tags(self, org_id: str, since: date) -> list[TagCost]:
        """Cost by tag value since a day, of all sources but the local one."""
        found: list[TagCost] = []
        for source in self.remote:
            found.extend(await source.tag_costs(org_id, since))
        return found

    def local_tags(self, tx: Transaction, org_id: str, since_day: int) -> Sequence[TagCost]:
        """The same, of the local store."""
        if self.local is None:
            return ()
        return self.local.tag_costs_in(tx, org_id, since_day)


async def _month_costs(
    source: AggregatingCostSource, org_id: str, first: Period, last: Period
) -> Sequence[MonthCost]:
    """A source's answer, checked: a month beyond the range would count in another one."""
    cells = await source.month_costs(org_id, first, last)
    if all(first.index <= cell.month <= last.index for cell in cells):
        return cells
    raise ServiceUnavailable(
        f"The cost source {source.name} answered with months it was not asked for."
    )


def read_ledger(
    tx: Transaction,
    org_id: str,
    months: Months,
    pairs: Sequence[Pair],
    cost_cells: Iterable[MonthCost],
) -> list[LedgerRow]:
    """One row for each tag value in ``pairs``, with all of its customers' revenue together."""
    costs = _costs_by_tag(cost_cells, months)
    earned = _revenue_by_customer(_revenue_of(tx, org_id, months, pairs), months)
    names = {
        (provider, customer_id): (name, avatar_url)
        for provider, customer_id, name, avatar_url in _names_of(tx, org_id, months.last, pairs)
    }
    nothing = [0] * months.count
    rows: dict[str, LedgerRow] = {}
    for provider, customer_id, tag_value in sorted(pairs, key=_stripe_first):
        customer = (provider, customer_id)
        revenues = earned.get(customer, nothing)
        name, avatar_url = names.get(customer, (None, None))
        row = rows.get(tag_value)
        if row is None:
            rows[tag_value] = LedgerRow(
                tag_value,
                provider,
                customer_id,
                revenues,
                costs.get(tag_value, nothing),
                name,
                avatar_url,
            )
        else:
            row.revenues = [sum(month) for month in zip(row.revenues, revenues, strict=True)]
            row.customer_name = row.customer_name or name
            row.avatar_url = row.avatar_url or avatar_url
    _fill_names(tx, org_id, rows.values())
    return list(rows.values())


def _costs_by_tag(cells: Iterable[MonthCost], months: Months) -> dict[str, list[int]]:
    """Nanodollars added up over sources first, then each cell rounded once."""
    first, count = months.first.index, months.count
    found: dict[str, list[int]] = {}
    for tag_value, month, nanodollars in cells:
        cell = found.get(tag_value)
        if cell is None:
            cell = found[tag_value] = [0] * count
        cell[month - first] += nanodollars
    for cell in found.values():
        cell[:] = map(to_microdollars, cell)
    return found


def _revenue_by_customer(
    found: Iterable[Sequence[Any]], months: Months
) -> dict[tuple[str, str], list[int]]:
    first, count = months.first.index, months.count
    by_customer: dict[tuple[str, str], list[int]] = {}
    for provider, customer_id, month, microdollars in found:
        cell = by_customer.get((provider, customer_id))
        if cell is None:
            cell = by_customer[provider, customer_id] = [0] * count
        cell[month - first] += microdollars
    return by_customer


def _revenue_of(
    tx: Transaction, org_id: str, months: Months, pairs: Sequence[Pair]
) -> Iterable[Sequence[Any]]:
    """One customer by its own index, many by one read of the months."""
    if len(pairs) > _FEW_CUSTOMERS:
        return revenue.customer_months(tx, org_id, months.first, months.last)
    return [
        month
        for provider, customer_id, _ in pairs
        for month in revenue.one_customer_months(
            tx, org_id, provider, customer_id, months.first, months.last
        )
    ]


def _names_of(
    tx: Transaction, org_id: str, period: Period, pairs: Sequence[Pair]
) -> Iterable[Sequence[Any]]:
    if len(pairs) > _FEW_CUSTOMERS:
        return revenue.month_names(tx, org_id, period)
    return [
        name
        for provider, customer_id, _ in pairs
        for name in revenue.one_month_name(tx, org_id, provider, customer_id, period)
    ]


def _fill_names(tx: Transaction, org_id: str, rows: Collection[LedgerRow]) -> None:
    """Names the period's revenue did not bring: from the latest revenue of that customer."""
    nameless = [row for row in rows if row.customer_name is None]
    if not nameless:
        return
    found: Sequence[CustomerProfile | None]
    if len(nameless) <= _FEW_CUSTOMERS:
        found = [revenue.profile(tx, org_id, row.provider, row.customer_id) for row in nameless]
    else:
        found = revenue.customer_profiles(tx, org_id)
    profiles = {(each.provider, each.customer_id): each for each in found if each is not None}
    for row in nameless:
        known = profiles.get((row.provider, row.customer_id))
        if known is not None:
            row.customer_name = known.name
            row.avatar_url = row.avatar_url or known.avatar_url


def _stripe_first(pair: Pair) -> tuple[bool, Pair]:
    return pair[0] != STRIPE, pair
