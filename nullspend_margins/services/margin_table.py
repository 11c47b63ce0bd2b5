"""The margin table of one period, built from an org's ledger. No questions are asked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from msgspec import Raw, Struct

from nullspend_margins.domain.connection import ConnectionStatus
from nullspend_margins.domain.health import HealthThresholds
from nullspend_margins.domain.margin import (
    CustomerMargin,
    MarginSummary,
    customer_margin,
    summarize,
)
from nullspend_margins.domain.period import Period
from nullspend_margins.services.ledger import LedgerRow, speaks_first
from nullspend_margins.storage.connections import Standing


class TableRow(Struct, gc=False):
    """One customer of the table with what is known of it.

    ``rendering`` is for whoever shows the table: the row's JSON, once there is one. A row that
    stays the same from one table to the next keeps it.
    """

    margin: CustomerMargin
    stripe_customer_id: str
    customer_name: str | None
    avatar_url: str | None
    rendering: Raw | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """How the org's connection is doing."""

    last_sync_at: datetime | None = None
    sync_status: ConnectionStatus | Literal["disconnected"] = "disconnected"
    skipped_currencies: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTable:
    """The table of one period, worst customer first.

    ``renderings`` is for whoever shows it: what was made of this very table, by format.
    ``known`` has every row with what it was made of, by tag value: the next table's start.
    ``is_large``: nothing that is made of it shall be kept with it.
    """

    period: Period
    summary: MarginSummary
    rows: Sequence[TableRow]
    status: SyncStatus
    renderings: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)
    known: Mapping[str, tuple[LedgerRow, TableRow]] = field(
        default_factory=dict, repr=False, compare=False
    )
    is_large: bool = field(default=False, repr=False, compare=False)


def build_table(
    period: Period,
    ledger: Sequence[LedgerRow],
    connections: Sequence[Standing],
    thresholds: HealthThresholds,
    before: MarginTable | None = None,
) -> MarginTable:
    """The table of ``ledger``'s last three months.

    ``before`` is an earlier table of the same org and period. Its rows are taken over where
    nothing they are made of has changed, which is most of them: what a table costs after a write
    is reading its numbers, not computing them again.
    """
    earlier = before.known if before is not None else {}
    known: dict[str, tuple[LedgerRow, TableRow]] = {}
    for made_of in ledger:
        if made_of.revenues[-1] or made_of.costs[-1]:
            tag_value = made_of.tag_value
            was = earlier.get(tag_value)
            if was is None or was[0] != made_of:
                was = made_of, _row(made_of, thresholds)
            known[tag_value] = was
    rows = [row for _, row in known.values()]
    rows.sort(key=lambda row: row.margin.sort_key)
    return MarginTable(
        period=period,
        summary=summarize(row.margin for row in rows),
        rows=rows,
        status=_status(connections),
        known=known,
    )


def without_known(table: MarginTable) -> MarginTable:
    """A large table, to be kept in half the room: the next one is made anew, as it is read anew."""
    return replace(table, known={}, renderings={}, is_large=True)


def _row(made_of: LedgerRow, thresholds: HealthThresholds) -> TableRow:
    return TableRow(
        customer_margin(made_of.tag_value, made_of.revenues, made_of.costs, thresholds),
        made_of.customer_id,
        made_of.customer_name,
        made_of.avatar_url,
    )


def _status(found: Sequence[Standing]) -> SyncStatus:
    """Stripe's connection speaks for the org; without one, the first other provider's does."""
    if not found:
        return SyncStatus()
    connection = min(found, key=lambda each: speaks_first(each.provider))
    return SyncStatus(
        last_sync_at=connection.last_sync_at,
        sync_status=connection.status,
        skipped_currencies=connection.skipped_currencies or None,
    )
