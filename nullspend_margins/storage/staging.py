"""A sync's revenue, page by page, until one short transaction puts it in place.

Pages are kept here as they come, so a sync needs constant memory and no transaction that waits for
the provider, and one that fails half way leaves the numbers as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    distinct,
    func,
    not_,
    select,
)

from nullspend_margins.domain.currency import REPORTING_CURRENCY
from nullspend_margins.domain.period import month_index
from nullspend_margins.domain.recognition import Conversion
from nullspend_margins.domain.revenue import INVOICE, RevenueFact, RevenueWindow
from nullspend_margins.storage.bulk import BulkInsert, Row, replacing
from nullspend_margins.storage.dialects import chunks, is_among
from nullspend_margins.storage.revenue_parts import recognition
from nullspend_margins.storage.revenue_sums import dated, latest
from nullspend_margins.storage.tables import revenue_facts, revenue_staging
from nullspend_margins.storage.types import instant_text

_put = BulkInsert(revenue_staging, replacing(revenue_staging))
_staged, _facts = revenue_staging.c, revenue_facts.c
_KEYS = [_staged.org_id, _staged.provider, _staged.sync_id]


class StagedReport(NamedTuple):
    """What a sync has read. ``skipped`` facts do not count as revenue.

    ``customers`` and ``customer_months`` count distinct ones with counted facts.
    ``suggested_tags`` has every customer that was met, with the latest tag value that its records
    suggest, if any.
    """

    fetched: int
    skipped: int
    skipped_currencies: dict[str, int]
    customers: int
    customer_months: int
    suggested_tags: dict[str, str | None]


def fact_rows(
    org_id: str, provider: str, sync_id: str, facts: Sequence[RevenueFact], conversion: Conversion
) -> dict[str, Row]:
    """A page as ``stage`` wants it, by object. Pure: done before a transaction is open."""
    return {fact.object_id: _row(org_id, provider, sync_id, fact, conversion) for fact in facts}


def stage(tx: Connection, rows: Mapping[str, Row]) -> None:
    """Keep a page of ``fact_rows``. An object that comes again replaces itself."""
    _put.write(tx, [rows[object_id] for object_id in sorted(rows)])


def whole_objects(
    tx: Connection,
    org_id: str,
    provider: str,
    sync_id: str,
    window: RevenueWindow,
    object_ids: Sequence[str],
) -> set[str]:
    """Which of these objects are stored whole, or staged so by this sync.

    What is stored of the window does not count: it is told anew, or goes.
    """
    found: set[str] = set()
    for some in chunks(tx, object_ids):
        stored = and_(
            _facts.org_id == org_id,
            _facts.provider == provider,
            _facts.partial == 0,
            not_(_facts.month.between(window.first.index, window.last.index)),
        )
        named = is_among(tx, _facts.object_id, some), is_among(tx, _staged.object_id, some)
        found.update(tx.scalars(select(_facts.object_id).where(stored, named[0])))
        mine = and_(of_sync(org_id, provider, sync_id), _staged.partial == 0)
        found.update(tx.scalars(select(_staged.object_id).where(mine, named[1])))
    return found


def staged_report(
    tx: Connection, org_id: str, provider: str, sync_id: str, window: RevenueWindow
) -> StagedReport:
    """Add up the invoices of ``window`` that a sync has staged, and the customers it met."""
    mine = of_sync(org_id, provider, sync_id)
    told = and_(
        _staged.kind == INVOICE, _staged.month.between(window.first.index, window.last.index)
    )
    by_currency = tx.execute(
        select(_staged.currency, func.count(), func.sum(_staged.counted))
        .where(mine, told)
        .group_by(_staged.currency)
        .order_by(_staged.currency)
    ).all()
    skipped = {currency: count - int(used) for currency, count, used in by_currency}
    dialect = tx.dialect.name
    counted_month = case((and_(told, _staged.counted == 1), _staged.month))
    customers = tx.execute(
        select(
            _staged.customer_id,
            latest(dialect, dated(dialect, revenue_staging, "suggested_tag")),
            func.count(distinct(counted_month)),
        )
        .where(mine, _staged.customer_id.is_not(None))
        .group_by(_staged.customer_id)
    ).all()
    return StagedReport(
        fetched=sum(count for _, count, _ in by_currency),
        skipped=sum(skipped.values()),
        skipped_currencies={
            currency: count
            for currency, count in skipped.items()
            if count and currency != REPORTING_CURRENCY
        },
        customers=sum(months > 0 for _, _, months in customers),
        customer_months=sum(months for _, _, months in customers),
        suggested_tags={customer_id: tag for customer_id, tag, _ in customers},
    )


def discard_staged(
    tx: Connection,
    org_id: str,
    provider: str,
    *,
    sync_id: str | None = None,
) -> None:
    """Clear the staging: of one sync, or of all."""
    whose = (org_id, provider) if sync_id is None else (org_id, provider, sync_id)
    if tx.dialect.name == "sqlite" and _is_all(tx, whose):
        tx.execute(delete(revenue_staging))  # SQLite lets go of the pages without writing them
        return
    mine = (column == value for column, value in zip(_KEYS, whose, strict=False))
    tx.execute(delete(revenue_staging).where(*mine))


def _is_all(tx: Connection, whose: tuple[str, ...]) -> bool:
    """Whether nothing else is staged: the first and the last in the order of the key say so."""
    ends = [
        tx.execute(select(*_KEYS[: len(whose)]).order_by(*order).limit(1)).first()
        for order in (_KEYS, [column.desc() for column in _KEYS])
    ]
    return all(end is not None and tuple(end) == whose for end in ends)


def _row(
    org_id: str, provider: str, sync_id: str, fact: RevenueFact, conversion: Conversion
) -> Row:
    found = recognition(fact, conversion)
    return (
        org_id,
        provider,
        sync_id,
        fact.object_id,
        fact.kind,
        fact.customer_id,
        month_index(fact.occurred_at),
        fact.amount_minor,
        fact.currency,
        fact.digits,
        found.microdollars,
        int(found.is_counted),
        int(fact.is_partial),
        instant_text(fact.occurred_at),
        fact.customer_name,
        fact.customer_email,
        fact.avatar_url,
        fact.suggested_tag,
        found.parts,
        found.cells,
    )


def of_sync(org_id: str, provider: str, sync_id: str) -> ColumnElement[bool]:
    """What one sync has staged."""
    return and_(_staged.org_id == org_id, _staged.provider == provider, _staged.sync_id == sync_id)
