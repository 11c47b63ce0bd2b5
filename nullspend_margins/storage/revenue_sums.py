"""What revenue facts add up to. Rebuilt, never incremented: it cannot drift."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    Text,
    and_,
    case,
    cast,
    collate,
    delete,
    extract,
    func,
    insert,
    literal,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB

from nullspend_margins.domain.revenue import INVOICE
from nullspend_margins.domain.revenue_part import BASES
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.storage.dialects import chunks, is_among, overflow_as
from nullspend_margins.storage.sums import Total, plain_total, total
from nullspend_margins.storage.tables import customer_months, revenue_customers, revenue_facts

_LONG = 10**18
"""Added to microseconds since 1970, it makes all of them as long."""
_MICROSECONDS = literal(10**6, BigInteger)
_BREAK = "\x01"
"""Before everything that an object's id may have in it."""
_facts = revenue_facts.c


class SumTooLarge(ValidationFailed):
    """A sum of one customer exceeds 2^63 microdollars. Keep nothing of the transaction."""

    def __init__(self) -> None:
        super().__init__(
            "A customer's revenue is beyond 9.2 trillion dollars, more than can be stored."
        )


def rebuild_sums(
    tx: Connection, org_id: str, provider: str, touched: Collection[tuple[str | None, int]]
) -> None:
    """Rebuild the (customer, month) pairs in ``touched``, and those customers' profiles.

    Facts without a customer belong to no pair and are passed over. Raises ``SumTooLarge``.
    """
    months = sorted({month for _, month in touched})
    customers = sorted({customer for customer, _ in touched if customer is not None})
    for some in chunks(tx, customers):
        mine = and_(_of(revenue_facts, org_id, provider), is_among(tx, _facts.customer_id, some))
        for table, of_them in (
            (customer_months, customer_months.c.month.in_(months)),
            (revenue_customers, true()),
        ):
            is_one = is_among(tx, table.c.customer_id, some)
            tx.execute(delete(table).where(_of(table, org_id, provider), of_them, is_one))
        _add_up(tx, org_id, mine, months)


def build_sums(tx: Connection, org_id: str, provider: str) -> None:
    """Build all that the provider's facts add up to. Raises ``SumTooLarge``."""
    for table in (customer_months, revenue_customers):
        tx.execute(delete(table).where(_of(table, org_id, provider)))
    known = and_(_of(revenue_facts, org_id, provider), _facts.customer_id.is_not(None))
    _add_up(tx, org_id, known)


def _of(table: Table, org_id: str, provider: str) -> ColumnElement[bool]:
    return and_(table.c.org_id == org_id, table.c.provider == provider)


def _add_up(
    tx: Connection,
    org_id: str,
    chosen: ColumnElement[bool],
    months: Sequence[int] | None = None,
) -> None:
    """Insert what the facts ``chosen`` add up to, with ``months`` in these alone."""
    dialect = tx.dialect.name
    for table, cells in (
        (customer_months, partial(month_cells, dialect, chosen, months)),
        (revenue_customers, partial(customer_cells, dialect, chosen)),
    ):
        _insert(tx, table, org_id, cells)


def month_cells(
    dialect: str,
    chosen: ColumnElement[bool],
    months: Sequence[int] | None = None,
    *,
    total: Total = total,
) -> Select[Any]:
    """The right rows of ``customer_months``, without the org, from the facts ``chosen``.

    With ``months``, of these alone. ``total``: how sums are made.
    """
    one = _fact_months(dialect, chosen, months).subquery().c
    return select(
        one.month,
        one.provider,
        one.customer_id,
        *(total(dialect, one[basis]).label(basis) for basis in BASES),
        func.sum(one.is_invoice).label("invoice_count"),
        func.max(one.invoice_at).label("last_invoice_at"),
        latest(dialect, one.customer_name).label("customer_name"),
        latest(dialect, one.avatar_url).label("avatar_url"),
    ).group_by(one.customer_id, one.month, one.provider)  # what differs most first: it is sorted


def _fact_months(
    dialect: str, chosen: ColumnElement[bool], months: Sequence[int] | None
) -> Select[Any]:
    """A row for each month of each fact; what an invoice tells is of the month it was made in."""
    cell, month, amounts = opened_cells(dialect, _facts.cells)
    made = and_(_facts.kind == INVOICE, _facts.month == month)
    wanted = [chosen, _facts.counted == 1]
    if months is not None:
        wanted.append(month.in_(months))
    return (
        select(
            _facts.provider,
            _facts.customer_id,
            month.label("month"),
            *(amount.label(basis) for basis, amount in zip(BASES, amounts, strict=True)),
            case((made, 1), else_=0).label("is_invoice"),
            case((made, _facts.occurred_at)).label("invoice_at"),
            *(
                case((made, dated(dialect, revenue_facts, name))).label(name)
                for name in ("customer_name", "avatar_url")
            ),
        )
        .select_from(revenue_facts.join(cell, true()))
        .where(*wanted)
    )


def opened_cells(
    dialect: str, cells: ColumnElement[str]
) -> tuple[FromClause, ColumnElement[int], list[ColumnElement[int]]]:
    """The ``cells`` of facts as rows: what to join with, the month, the amount of each basis."""
    places = range(len(BASES) + 1)
    opened: FromClause
    numbers: list[ColumnElement[int]]
    if dialect == "sqlite":
        each = func.json_each(cells).table_valued("value")
        numbers = [func.json_extract(each.c.value, f"$[{at}]", type_=BigInteger) for at in places]
        opened = each
    else:
        elements = func.jsonb_array_elements(cast(cells, JSONB))
        lateral = elements.table_valued(Column("value", JSONB)).lateral()
        numbers = [cast(lateral.c.value.op("->>")(at), BigInteger) for at in places]
        opened = lateral
    return opened, numbers[0], numbers[1:]


def customer_cells(
    dialect: str, chosen: ColumnElement[bool], *, total: Total = total
) -> Select[Any]:
    """The right rows of ``revenue_customers``, without the org, from the facts ``chosen``.

    Customers with uncounted revenue alone are kept too, for their names. ``total``: how sums are
    made.
    """
    name, email, avatar_url = (
        latest(dialect, dated(dialect, revenue_facts, column))
        for column in ("customer_name", "customer_email", "avatar_url")
    )
    invoices = case((_facts.kind == INVOICE, _facts.counted), else_=0)
    found = select(
        _facts.provider,
        _facts.customer_id,
        name.label("name"),
        email.label("email"),
        avatar_url.label("avatar_url"),
        total(dialect, _facts.amount_microdollars).label("total_microdollars"),
        func.sum(invoices).label("invoice_count"),
        func.max(_facts.occurred_at).label("last_invoice_at"),
    )
    return found.where(chosen).group_by(_facts.provider, _facts.customer_id)


def _insert(tx: Connection, table: Table, org_id: str, cells: Callable[..., Select[Any]]) -> None:
    """Insert ``cells``, which takes ``total``."""

    def put(total: Total) -> None:
        rows = cells(total=total).subquery()
        values = select(literal(org_id), rows)
        with overflow_as(SumTooLarge):
            tx.execute(insert(table).from_select(["org_id", *rows.c.keys()], values))

    try:
        put(plain_total)
    except SumTooLarge:
        # Some sum leaves 64 bits, on its way perhaps.
        if tx.dialect.name == "postgresql":
            raise  # it adds up exactly anyway, and this transaction is over
        put(total)


def dated(dialect: str, table: Table, name: str) -> ColumnElement[str]:
    """A text of each fact, after what puts it in the order of time: for ``latest``.

    ``table`` has facts. NULL where there is no text.
    """
    time: ColumnElement[str]
    if dialect == "sqlite":
        time = type_coerce(table.c.occurred_at, Text)  # always as long
    else:
        ticks = cast(extract("epoch", table.c.occurred_at) * _MICROSECONDS, BigInteger)
        time = cast(ticks + literal(_LONG, BigInteger), Text)
    dated_text = time.concat(table.c.object_id).concat(_BREAK).concat(table.c[name])
    if dialect != "sqlite":
        dated_text = collate(dated_text, "C")
    return case((table.c[name].is_not(None), dated_text))


def latest(dialect: str, dated_text: ColumnElement[str]) -> ColumnElement[str]:
    """An aggregate over what is ``dated``: the text of the last fact that has one.

    One pass over a group for any number of columns, where a window would sort all of them.
    """
    last = func.max(dated_text)
    if dialect == "sqlite":
        return func.substr(last, func.instr(last, _BREAK) + 1)
    return collate(func.substr(last, func.strpos(last, _BREAK) + 1), "default")
