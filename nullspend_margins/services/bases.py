"""One period's revenue of each customer by every basis, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nullspend_margins.domain.mapping import CUSTOMER_TAG_KEY
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue_part import BASES, Basis
from nullspend_margins.services.revision_cache import RevisionCache
from nullspend_margins.storage import customer_revenue, mappings, month_revenue, revisions
from nullspend_margins.storage.customer_revenue import MappedCustomer
from nullspend_margins.storage.database import Transaction

Bases = Mapping[str, Sequence[int]]
"""Microdollars in the order of ``BASES``, by tag value; without revenue there is none."""


class ToldBases:
    """Which bases any revenue of a month is in; remembered while nothing is written."""

    def __init__(self) -> None:
        self._kept: RevisionCache[tuple[str, Period], Sequence[Basis]] = RevisionCache()

    def read(self, tx: Transaction, org_id: str, period: Period) -> Sequence[Basis]:
        """In the order of ``BASES``."""
        revision = revisions.current(tx, org_id)
        known = self._kept.get((org_id, period), revision)
        if known is None:
            known = month_revenue.told_bases(tx, org_id, period)
            self._kept.put((org_id, period), revision, known)
        return known


def read_bases(tx: Transaction, org_id: str, period: Period) -> Bases:
    """Revenue of every mapped tag value, all of its customers together."""
    mapped = mappings.tag_values(tx, org_id, CUSTOMER_TAG_KEY)
    found: dict[str, Sequence[int]] = {}
    for provider, customers in month_revenue.month_bases(tx, org_id, period).items():
        tags = mapped.get(provider, {})
        for customer_id, amounts in customers.items():
            tag_value = tags.get(customer_id)
            if tag_value is not None:
                known = found.get(tag_value)
                found[tag_value] = amounts if known is None else _sums(known, amounts)
    return found


def read_customer_bases(
    tx: Transaction, org_id: str, customers: Sequence[MappedCustomer], period: Period
) -> Sequence[int]:
    """The same of the few customers that are one tag value, each by its own index."""
    sums: Sequence[int] = [0] * len(BASES)
    for each in customers:
        amounts = customer_revenue.customer_bases(
            tx, org_id, each.provider, each.customer_id, period
        )
        sums = _sums(sums, amounts)
    return sums


def _sums(one: Sequence[int], other: Sequence[int]) -> Sequence[int]:
    return [a + b for a, b in zip(one, other, strict=True)]
