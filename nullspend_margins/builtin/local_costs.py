"""The product's own cost store as a cost source.

SQL loads with its first question: a host that only starts should not wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nullspend_margins.domain.cost import CostPart, TagCost
from nullspend_margins.domain.period import Months, Period

if TYPE_CHECKING:
    from nullspend_margins.storage.database import Transaction


class LocalCostStore:
    """What came in as events and facts, added up in the product's own database.

    Its reads happen in the caller's transaction, so that a table shows costs, revenue and
    mappings of one moment. Costs are in nanodollars.
    """

    name = "local"

    def month_costs_in(self, tx: Transaction, org_id: str, months: Months) -> list[dict[str, int]]:
        """Cost by tag value in each month, in order."""
        from nullspend_margins.storage import costs

        return costs.month_costs(tx, org_id, months)

    def customer_month_costs_in(
        self, tx: Transaction, org_id: str, tag_value: str, first: Period, last: Period
    ) -> Mapping[int, int]:
        """One customer's cost by month index; months without costs are absent."""
        from nullspend_margins.storage import costs

        return costs.customer_month_costs(tx, org_id, tag_value, first, last)

    def day_costs_in(
        self, tx: Transaction, org_id: str, tag_value: str, period: Period
    ) -> Sequence[CostPart]:
        """Cost and request count by day, source, AI provider and model, of one customer."""
        from nullspend_margins.storage import costs

        return costs.day_costs(tx, org_id, tag_value, period)

    def tag_costs_in(self, tx: Transaction, org_id: str, since_day: int) -> Sequence[TagCost]:
        """Cost and request count by tag value, from the UTC day ``since_day`` on."""
        from nullspend_margins.storage import costs

        return costs.tag_costs(tx, org_id, since_day)
