"""Costs of all sources that add up, each asked in its own way. Money: nanodollars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple, TypeVar

from nullspend_margins.builtin.local_costs import LocalCostStore
from nullspend_margins.domain.cost import CostPart, ModelCost, MonthCost, TagCost
from nullspend_margins.domain.delivery import SourceKind
from nullspend_margins.domain.period import Months, Period, day_number
from nullspend_margins.errors import ServiceUnavailable
from nullspend_margins.plugins import Registry
from nullspend_margins.protocols import AggregatingCostSource, PulledCostSource
from nullspend_margins.storage.database import Transaction
from nullspend_margins.storage.one_customer import CustomerRecord

CostColumns = Sequence[Mapping[str, int]]
"""For each month, oldest first: nanodollars by tag value."""
Row = TypeVar("Row", MonthCost, ModelCost, TagCost)


class CustomerCosts(NamedTuple):
    """One customer's costs: by month, and by model in the period asked for."""

    months: Sequence[MonthCost]
    models: Sequence[ModelCost]


class CostReader:
    """Asks every cost source that adds up: the local store in the caller's snapshot, the others
    beforehand, each in its own engine."""

    def __init__(self, registry: Registry) -> None:
        self.local: LocalCostStore | None = next(
            (source for source in registry.cost_sources if isinstance(source, LocalCostStore)),
            None,
        )
        self.remote: Sequence[AggregatingCostSource] = [
            source for source in registry.cost_sources if isinstance(source, AggregatingCostSource)
        ]
        self._kinds: dict[str, SourceKind] = {
            source.name: "pulled"
            for source in registry.cost_sources
            if isinstance(source, PulledCostSource)
        }
        self._kinds |= {source.name: "aggregating" for source in self.remote}

    @property
    def kinds(self) -> Mapping[str, SourceKind]:
        """The loaded sources by name; those that push are known by what they delivered alone."""
        return self._kinds

    async def remote_months(self, org_id: str, first: Period, last: Period) -> list[MonthCost]:
        """The months' costs of all sources but the local one."""
        found: list[MonthCost] = []
        for source in self.remote:
            found.extend(await _month_costs(source, org_id, first, last))
        return found

    def columns(
        self, tx: Transaction, org_id: str, months: Months, remote: Iterable[MonthCost]
    ) -> CostColumns:
        """What every source together says of the months; ``remote`` is what the others said."""
        if self.local is None:
            return cost_columns(months, remote)
        local = self.local.month_costs_in(tx, org_id, months)
        return cost_columns(months, remote, local)

    async def remote_customer(
        self, org_id: str, tag_value: str, first: Period, last: Period
    ) -> CustomerCosts:
        """One customer's months, and its models in the last of them, of all but the local."""
        months: list[MonthCost] = []
        models: list[ModelCost] = []
        for source in self.remote:
            cells = await _month_costs(source, org_id, first, last)
            months.extend(cell for cell in cells if cell.tag_value == tag_value)
            rows = await source.model_costs(org_id, tag_value, last)
            models.extend(_checked(source, ModelCost, rows))
        return CustomerCosts(months, models)

    def local_customer(self, tag_value: str, record: CustomerRecord) -> CustomerCosts:
        """The same, of the local store: what was read of it with all else of the customer."""
        if self.local is None:
            return CustomerCosts([], [])
        months = [MonthCost(tag_value, month, cost) for month, cost in record.month_costs.items()]
        return CustomerCosts(months, record.model_costs)

    def local_months(
        self, tx: Transaction, org_id: str, tag_value: str, months: Months
    ) -> list[MonthCost]:
        """One customer's months in the local store."""
        if self.local is None:
            return []
        cells = self.local.customer_month_costs_in(tx, org_id, tag_value, months.first, months.last)
        return [MonthCost(tag_value, month, cost) for month, cost in cells.items()]

    async def remote_parts(self, org_id: str, tag_value: str, period: Period) -> list[CostPart]:
        """What one customer's cost of a period is made of, of all but the local store.

        For each source its models, and what its month has beside them: they add up to the month.
        """
        found: list[CostPart] = []
        for source in self.remote:
            cells = await _month_costs(source, org_id, period, period)
            month = sum(cell.cost_nanodollars for cell in cells if cell.tag_value == tag_value)
            rows = await source.model_costs(org_id, tag_value, period)
            models = _checked(source, ModelCost, rows)
            found += [CostPart(source.name, None, model, None, *rest) for model, *rest in models]
            beside = month - sum(row.cost_nanodollars for row in models)
            found.append(CostPart(source.name, None, None, None, beside, 0))
        return found

    def local_parts(
        self, tx: Transaction, org_id: str, tag_value: str, period: Period
    ) -> Sequence[CostPart]:
        """The same, of the local store."""
        if self.local is None:
            return ()
        return self.local.day_costs_in(tx, org_id, tag_value, period)

    async def remote_tags(self, org_id: str, since: date) -> list[TagCost]:
        """Cost by tag value since a day, of all sources but the local one."""
        found: list[TagCost] = []
        for source in self.remote:
            found.extend(_checked(source, TagCost, await source.tag_costs(org_id, since)))
        return found

    def local_tags(self, tx: Transaction, org_id: str, since: date) -> Sequence[TagCost]:
        """The same, of the local store."""
        if self.local is None:
            return ()
        return self.local.tag_costs_in(tx, org_id, day_number(since))


def cost_columns(
    months: Months, cells: Iterable[MonthCost], known: Iterable[dict[str, int]] | None = None
) -> CostColumns:
    """``cells`` by month and tag value, added to what is ``known`` already."""
    columns = [{} for _ in months] if known is None else [*known]
    first = months.first.index
    for tag_value, month, nanodollars in cells:
        column = columns[month - first]
        column[tag_value] = column.get(tag_value, 0) + nanodollars
    return columns


async def _month_costs(
    source: AggregatingCostSource, org_id: str, first: Period, last: Period
) -> Sequence[MonthCost]:
    """A source's answer, checked: a month beyond the range would count in another one."""
    cells = _checked(source, MonthCost, await source.month_costs(org_id, first, last))
    if all(first.index <= cell.month <= last.index for cell in cells):
        return cells
    raise ServiceUnavailable(
        f"The cost source {source.name} answered with months it was not asked for."
    )


def _checked(
    source: AggregatingCostSource, kind: type[Row], rows: Sequence[Row] | None
) -> Sequence[Row]:
    """Rows of the right type. A ``Decimal``, as databases add up, would reach JSON as a string."""
    found: object = rows
    if isinstance(rows, Sequence):
        wrong = [row for row in rows if not _is_row(kind, row)]
        if not wrong:
            return rows
        found = wrong[0]
    raise TypeError(
        f"cost source {source.name!r} answered with {repr(found)[:200]}, not with rows of "
        f"{kind.__name__}, a str and two int each"
    )


def _is_row(kind: type, row: MonthCost | ModelCost | TagCost) -> bool:
    return isinstance(row, kind) and type(row[1]) is type(row[2]) is int
