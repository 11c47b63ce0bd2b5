"""Revenue that does not count: in other currencies than the reporting one, of no customer, or more
than can be stored.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
)

from nullspend_margins.domain.coverage import SkippedRevenue
from nullspend_margins.domain.period import Period
from nullspend_margins.domain.revenue import INVOICE
from nullspend_margins.domain.revenue_part import BASES, MAX_COUNTED_CENTS, Basis
from nullspend_margins.storage.revenue_sums import opened_cells
from nullspend_margins.storage.sums import halves, joined
from nullspend_margins.storage.tables import revenue_facts

_facts = revenue_facts.c


def skipped_in(
    tx: Connection, org_id: str, providers: Collection[str], period: Period, basis: Basis
) -> list[SkippedRevenue]:
    """What ``providers`` told of one month that is in no sum, by provider and currency.

    From an index of such facts alone: however many counted ones there are plays no part.
    """
    cell, month, amounts = opened_cells(tx.dialect.name, revenue_facts.c.cells)
    amount = amounts[BASES.index(basis)]
    wanted: list[ColumnElement[bool]] = [
        _facts.org_id == org_id,
        _facts.provider.in_(providers),
        # As the index has it: a parameter would be something else to both databases.
        literal_column("counted = 0", Boolean),
        month == period.index,
        or_(amount != 0, and_(_facts.kind == INVOICE, _facts.month == period.index)),
    ]
    if basis == "invoiced":
        wanted.append(_facts.month == period.index)  # never in another month than its own
    found = tx.execute(
        select(
            _facts.provider,
            _facts.currency,
            func.count(),
            *halves(amount),
            *halves(case((_is_nobodys(amount), amount), else_=0)),
        )
        .select_from(revenue_facts.join(cell, true()))
        .where(*wanted)
        .group_by(_facts.provider, _facts.currency)
        .order_by(_facts.provider, _facts.currency)
    )
    return [
        SkippedRevenue(
            provider, currency, invoices, joined(high, low), joined(nobodys_high, nobodys_low)
        )
        for provider, currency, invoices, high, low, nobodys_high, nobodys_low in found
    ]


def _is_nobodys(amount: ColumnElement[int]) -> ColumnElement[bool]:
    """Of no customer; in US dollars only what would count if it had one."""
    most = MAX_COUNTED_CENTS
    return and_(_facts.customer_id.is_(None), amount.between(-most, most))
