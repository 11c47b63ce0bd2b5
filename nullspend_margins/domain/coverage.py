"""How much of a period's cost and revenue a margin table covers. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from nullspend_margins.domain.connection import ConnectionStatus
from nullspend_margins.domain.currency import REPORTING_CURRENCY
from nullspend_margins.domain.delivery import SourceState
from nullspend_margins.domain.money import MICRODOLLARS_PER_CENT, split_microdollars
from nullspend_margins.domain.revenue_part import Basis


class CostCoverage(NamedTuple):
    """A period's cost in microdollars: of mapped tag values, of others, and of none.

    Rounded together, so that the parts add up to the rounded total.
    """

    attributed: int
    unmapped: int
    unattributed: int

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self)


class SkippedRevenue(NamedTuple):
    """What one provider was paid in one currency that does not count as revenue.

    In US dollars: by nobody that it names, or more than can be stored. ``amount_minor`` is in the
    currency's minor unit, and ``nobodys_minor`` what of it nobody paid.
    """

    provider: str
    currency: str
    invoices: int
    amount_minor: int
    nobodys_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueCoverage:
    """One provider's revenue of a period, in microdollars; ``skipped`` by currency."""

    provider: str
    mapped: int
    unmatched: int
    skipped: Sequence[SkippedRevenue]

    @property
    def without_customer(self) -> int:
        """What was paid in US dollars by nobody that the provider names."""
        minor = sum(each.nobodys_minor for each in self.skipped if _is_reporting(each))
        return minor * MICRODOLLARS_PER_CENT

    @property
    def total(self) -> int:
        """All that the provider was paid in US dollars."""
        return self.mapped + self.unmatched + self.without_customer


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCoverage:
    """A cost source and whether it is stale. ``lag``: since its last delivery."""

    state: SourceState
    lag: timedelta | None
    is_stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCoverage:
    """A connection to a revenue provider. ``lag``: since its last good sync.

    ``gaps`` are what its credential may not read, as ``RevenueGap`` has it; ``None``: not known.
    """

    provider: str
    status: ConnectionStatus
    last_sync_at: datetime | None
    lag: timedelta | None
    gaps: Sequence[Mapping[str, Any]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a margin table of one period is made of, and what it leaves out.

    ``mapped_tags`` is how many tag values have a mapping, with costs or without.
    """

    basis: Basis
    cost: CostCoverage
    revenue: Sequence[RevenueCoverage]
    sources: Sequence[SourceCoverage]
    providers: Sequence[ProviderCoverage]
    mapped_tags: int = 0


def cost_coverage(nanodollars: Mapping[str, int], mapped: Collection[str]) -> CostCoverage:
    """Of a period's cost by tag value; ``""`` is cost of no customer."""
    unattributed = nanodollars.get("", 0)
    attributed = sum(nanodollars.get(tag_value, 0) for tag_value in mapped if tag_value)
    unmapped = sum(nanodollars.values()) - attributed - unattributed
    return CostCoverage._make(split_microdollars([attributed, unmapped, unattributed]))


def revenue_coverage(
    paid: Mapping[str, Mapping[str, int]],
    mapped: Mapping[str, Collection[str]],
    skipped: Iterable[SkippedRevenue],
) -> list[RevenueCoverage]:
    """Each provider with any revenue, by name.

    ``paid`` are microdollars by provider and customer id, ``mapped`` the customers with a
    mapping, by provider.
    """
    left_out: dict[str, list[SkippedRevenue]] = {}
    for each in skipped:
        left_out.setdefault(each.provider, []).append(each)
    found = []
    for provider in sorted({*paid, *left_out}):
        customers, known = paid.get(provider, {}), mapped.get(provider, ())
        joined = sum(amount for customer, amount in customers.items() if customer in known)
        found.append(
            RevenueCoverage(
                provider=provider,
                mapped=joined,
                unmatched=sum(customers.values()) - joined,
                skipped=sorted(left_out.get(provider, [])),
            )
        )
    return found


def _is_reporting(skipped: SkippedRevenue) -> bool:
    return skipped.currency == REPORTING_CURRENCY
