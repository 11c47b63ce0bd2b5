"""Which customer is which tag value, and which pairs people turned down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, bindparam, select
from sqlalchemy.exc import IntegrityError

from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.mapping_changes import Name, Pair, customer_of
from nullspend_margins.errors import Conflict
from nullspend_margins.storage import dialects
from nullspend_margins.storage.bulk import Row, fetch_tuples, json_object
from nullspend_margins.storage.dialects import insert_into
from nullspend_margins.storage.questions import Question
from nullspend_margins.storage.tables import mappings
from nullspend_margins.storage.tables import rejected_pairs as rejected_table

_FIELDS = CustomerMapping._fields
_of_org = select(*(mappings.c[name] for name in _FIELDS)).where(
    mappings.c.org_id == bindparam("the_org")
)
_of_key = _of_org.where(mappings.c.tag_key == bindparam("tag_key"))
_rejected = select(*(rejected_table.c[name] for name in Pair._fields)).where(
    rejected_table.c.org_id == bindparam("the_org")
)
_forgive = sa.delete(rejected_table).where(
    *(rejected_table.c[name] == bindparam(name) for name in ("org_id", *Pair._fields))
)
_in_order = (mappings.c.created_at, mappings.c.id)
_by_provider = Question(
    lambda dialect: (
        select(
            mappings.c.provider, json_object(dialect, mappings.c.customer_id, mappings.c.tag_value)
        )
        .where(mappings.c.org_id == bindparam("org_id"), mappings.c.tag_key == bindparam("tag_key"))
        .group_by(mappings.c.provider)
    )
)
_tag_values = msgspec.json.Decoder(dict[str, str])


def lock(tx: Connection, org_id: str) -> None:
    """Nobody else changes the org's mappings before this transaction ends.

    Whoever looks first and changes then takes it before the look.
    """
    dialects.lock(tx, "mappings", org_id)


def list_mappings(tx: Connection, org_id: str) -> list[CustomerMapping]:
    """All mappings of the org, oldest first."""
    return _read(tx, _of_org.order_by(*_in_order), org_id)


def of_ids(tx: Connection, org_id: str, ids: Collection[str]) -> list[CustomerMapping]:
    """Those with these ids, few at a time, in no order."""
    return _read(tx, _of_org.where(_is_among(tx, mappings.c.id, [*ids])), org_id)


def of_key(tx: Connection, org_id: str, tag_key: str) -> list[CustomerMapping]:
    """All mappings of one tag key, in no order."""
    return _read(tx, _of_key, org_id, tag_key=tag_key)


def pending(tx: Connection, org_id: str, tag_key: str) -> list[CustomerMapping]:
    """Those of one tag key that nobody has confirmed, oldest first."""
    statement = _of_key.where(mappings.c.match_type == "auto").order_by(*_in_order)
    return _read(tx, statement, org_id, tag_key=tag_key)


def tag_values(tx: Connection, org_id: str, tag_key: str) -> dict[str, dict[str, str]]:
    """Every mapping of one tag key: tag value by provider and customer id."""
    found = _by_provider.rows(tx, org_id=org_id, tag_key=tag_key)
    return {provider: _tag_values.decode(customers) for provider, customers in found}


def for_tag(tx: Connection, org_id: str, tag_key: str, tag_value: str) -> list[CustomerMapping]:
    """Every provider's customer that is this tag value, oldest first."""
    statement = _of_key.where(mappings.c.tag_value == tag_value).order_by(*_in_order)
    return _read(tx, statement, org_id, tag_key=tag_key)


def involved(
    tx: Connection, org_id: str, customers: Iterable[Name], tags: Iterable[Name]
) -> list[CustomerMapping]:
    """The mappings of any of these customers, or of any of these tag values, each once."""
    found = [
        *_among(tx, org_id, _of_org, mappings.c.customer_id, customers),
        *_among(tx, org_id, _of_org, mappings.c.tag_value, tags),
    ]
    return [*{each.id: each for each in _made_of(found)}.values()]


def replace(
    tx: Connection, org_id: str, gone: Iterable[str], new: Sequence[CustomerMapping]
) -> None:
    """Remove the mappings with the ids ``gone``, then store ``new``, which may have those ids.

    Raises ``Conflict`` when a customer or tag value of ``new`` is mapped already: what the
    transaction has done is to be rolled back then.
    """
    for some in dialects.chunks(tx, sorted(set(gone))):
        is_gone = _is_among(tx, mappings.c.id, some)
        tx.execute(sa.delete(mappings).where(mappings.c.org_id == org_id, is_gone))
    if not new:
        return
    try:
        tx.execute(sa.insert(mappings), [each._asdict() | {"org_id": org_id} for each in new])
    except IntegrityError as problem:
        raise Conflict("One of the customers or tag values is mapped already.") from problem


def insert_auto(
    tx: Connection, org_id: str, provider: str, matches: Sequence[CustomerMapping]
) -> int:
    """Store the matcher's mappings, less those that somebody else's came before.

    Returns how many were stored.
    """
    rows = [
        match._asdict() | {"org_id": org_id, "provider": provider}
        for match in sorted(matches, key=lambda match: (match.tag_key, match.customer_id))
    ]
    if not rows:
        return 0
    # Not rowcount: psycopg does not know it for many rows at once.
    statement = insert_into(tx, mappings).on_conflict_do_nothing().returning(mappings.c.id)
    return len(tx.execute(statement, rows).fetchall())


def turn_down(
    tx: Connection, org_id: str, rejected: Sequence[Pair], forgiven: Sequence[Pair]
) -> None:
    """Never match ``rejected`` by themselves again; ``forgiven`` may be."""
    if rejected:
        insert = insert_into(tx, rejected_table).on_conflict_do_nothing()
        tx.execute(insert, [{"org_id": org_id, **pair._asdict()} for pair in rejected])
    if forgiven:
        tx.execute(_forgive, [{"org_id": org_id, **pair._asdict()} for pair in forgiven])


def rejected_pairs(tx: Connection, org_id: str) -> set[Pair]:
    """Every pair that people of the org turned down."""
    return {Pair._make(row) for row in fetch_tuples(tx, _rejected, {"the_org": org_id})}


def rejected_among(tx: Connection, org_id: str, pairs: Collection[Pair]) -> set[Pair]:
    """Which of these pairs people turned down."""
    found = _among(tx, org_id, _rejected, rejected_table.c.customer_id, map(customer_of, pairs))
    return {*map(Pair._make, found)}.intersection(pairs)


def delete_provider(tx: Connection, org_id: str, provider: str) -> None:
    """Forget all mappings and rejections of one provider's customers."""
    lock(tx, org_id)
    for table in (mappings, rejected_table):
        tx.execute(sa.delete(table).where(table.c.org_id == org_id, table.c.provider == provider))


def _read(
    tx: Connection, statement: sa.Select[Any], org_id: str, **parameters: object
) -> list[CustomerMapping]:
    return _made_of(fetch_tuples(tx, statement, {"the_org": org_id, **parameters}))


def _among(
    tx: Connection,
    org_id: str,
    statement: sa.Select[Any],
    column: sa.Column[Any],
    names: Iterable[Name],
) -> list[Row]:
    """What ``statement`` finds where ``column`` has one of these names, at its place."""
    by_place: dict[tuple[str, str], set[str]] = defaultdict(set)
    for provider, tag_key, name in names:
        by_place[provider, tag_key].add(name)
    found: list[Row] = []
    at = column.table.c
    for (provider, tag_key), wanted in by_place.items():
        of_place = statement.where(at.provider == provider, at.tag_key == tag_key)
        for some in dialects.chunks(tx, sorted(wanted)):
            is_one = _is_among(tx, column, some)
            found += fetch_tuples(tx, of_place.where(is_one), {"the_org": org_id})
    return found


def _is_among(tx: Connection, column: sa.Column[Any], values: Sequence[str]) -> ColumnElement[bool]:
    """PostgreSQL keeps its plan for a single value, and plans anew for each array."""
    return column == values[0] if len(values) == 1 else dialects.is_among(tx, column, values)


def _made_of(rows: Sequence[Row]) -> list[CustomerMapping]:
    if not rows or not isinstance(rows[0][-1], str):
        return [*map(CustomerMapping._make, rows)]
    # SQLite gives created_at, the last column, as text.
    parse, new = datetime.fromisoformat, tuple.__new__
    return [new(CustomerMapping, (*row[:-1], parse(row[-1]))) for row in rows]
