"""How much of a month is in its table, and what keeps the rest out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nullspend_margins.domain.coverage import Coverage, ProviderCoverage, SourceCoverage
from nullspend_margins.domain.currency import REPORTING_CURRENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Paid invoices of one currency that are not revenue: how many, and in its minor unit."""

    currency: str
    invoices: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """What a table says of itself.

    ``cost`` and ``revenue`` are the shares that belong to a customer of the table, in hundredths
    of a percent, ``None`` of nothing; ``cost_elsewhere`` and ``revenue_elsewhere`` are what does
    not, in microdollars. ``foreign`` was paid in other currencies in this month, ``nameless`` in
    US dollars by nobody known.
    """

    cost: int | None
    revenue: int | None
    cost_elsewhere: int
    revenue_elsewhere: int
    silent: Sequence[SourceCoverage]
    failing: Sequence[SourceCoverage]
    troubled: Sequence[ProviderCoverage]
    foreign: Sequence[LeftOut]
    nameless: LeftOut | None
    is_connected: bool
    has_costs: bool
    has_mappings: bool

    @property
    def is_set_up(self) -> bool:
        """Everything has been done that a table needs."""
        return self.is_connected and self.has_costs and self.has_mappings


def completeness_of(coverage: Coverage) -> Completeness:
    """From what the services found."""
    cost, paid = coverage.cost, coverage.revenue
    left_out = _left_out(coverage)
    cost_elsewhere = cost.unmapped + cost.unattributed
    revenue_elsewhere = sum(each.unmatched + each.without_customer for each in paid)
    return Completeness(
        cost=share(cost.attributed, cost.unmapped, cost.unattributed),
        revenue=share(
            sum(each.mapped for each in paid),
            sum(each.unmatched for each in paid),
            sum(each.without_customer for each in paid),
        ),
        cost_elsewhere=cost_elsewhere,
        revenue_elsewhere=revenue_elsewhere,
        silent=[each for each in coverage.sources if each.is_stale],
        failing=[
            each
            for each in coverage.sources
            if each.state.last_error is not None and not each.is_stale
        ],
        troubled=[each for each in coverage.providers if each.status != "active"],
        foreign=[each for each in left_out if each.currency != REPORTING_CURRENCY],
        nameless=next((each for each in left_out if each.currency == REPORTING_CURRENCY), None),
        is_connected=bool(coverage.providers),
        has_costs=cost.total != 0 or any(_has_delivered(each) for each in coverage.sources),
        has_mappings=coverage.mapped_tags > 0,
    )


def share(part: int, *others: int) -> int | None:
    """``part`` of all in hundredths of a percent, ``None`` of nothing.

    To a tenth of a percent, rounded down: what is not all is never shown as 100 %, and what is
    something as 0.1 % at least. What was taken back weighs as much as what was given.
    """
    whole = abs(part) + sum(abs(other) for other in others)
    if not whole:
        return None
    tenths = abs(part) * 1000 // whole
    return max(tenths, 1 if part else 0) * 10


def _has_delivered(source: SourceCoverage) -> bool:
    state = source.state
    known = state.newest_at, state.newest_day
    return state.kind == "aggregating" or any(each is not None for each in known)


def _left_out(coverage: Coverage) -> list[LeftOut]:
    """By currency, of all providers together."""
    found: dict[str, tuple[int, int]] = {}
    for provider in coverage.revenue:
        for each in provider.skipped:
            invoices, amount = found.get(each.currency, (0, 0))
            found[each.currency] = invoices + each.invoices, amount + each.amount_minor
    return [
        LeftOut(currency=currency, invoices=invoices, amount_minor=amount)
        for currency, (invoices, amount) in sorted(found.items())
    ]
