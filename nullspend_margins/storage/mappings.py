"""Which customer is which tag value, and which pairs people turned down."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, and_, bindparam, select
from sqlalchemy.exc import IntegrityError

from nullspend_margins.domain.mapping import CustomerMapping
from nullspend_margins.domain.mapping_changes import Pair
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
    return _read(tx, _of_org.where(dialects.is_among(tx, mappings.c.id, [*ids])), org_id)


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


def for_customer(
    tx: Connection, org_id: str, provider: str, customer_id: str, tag_key: str
) -> CustomerMapping | None:
    """The mapping of one customer, if any."""
    statement = _of_key.where(
        mappings.c.provider == provider, mappings.c.customer_id == customer_id
    )
    return next(iter(_read(tx, statement, org_id, tag_key=tag_key)), None)


def holder(
    tx: Connection, org_id: str, provider: str, tag_key: str, tag_value: str
) -> CustomerMapping | None:
    """The mapping that has a tag value among one provider's customers, if any."""
    statement = _of_key.where(mappings.c.provider == provider, mappings.c.tag_value == tag_value)
    return next(iter(_read(tx, statement, org_id, tag_key=tag_key)), None)


def involved(
    tx: Connection,
    org_id: str,
    provider: str,
    tag_key: str,
    customer_ids: Collection[str],
    tag_values: Collection[str],
) -> list[CustomerMapping]:
    """The mappings of any of these customers, or of any of these tag values, each once."""
    of_provider = _of_key.where(mappings.c.provider == provider)
    found: dict[str, CustomerMapping] = {}
    for column, wanted in (
        (mappings.c.customer_id, customer_ids),
        (mappings.c.tag_value, tag_values),
    ):
        for some in dialects.chunks(tx, sorted(set(wanted))):
            statement = of_provider.where(dialects.is_among(tx, column, some))
            found.update((each.id, each) for each in _read(tx, statement, org_id, tag_key=tag_key))
    return [*found.values()]


def replace(
    tx: Connection, org_id: str, gone: Iterable[str], new: Sequence[CustomerMapping]
) -> None:
    """Remove the mappings with the ids ``gone``, then store ``new``, which may have those ids.

    Raises ``Conflict`` when a customer or tag value of ``new`` is mapped already.
    """
    for some in dialects.chunks(tx, sorted(set(gone))):
        is_gone = dialects.is_among(tx, mappings.c.id, some)
        tx.execute(sa.delete(mappings).where(mappings.c.org_id == org_id, is_gone))
    if not new:
        return
    try:
        with tx.begin_nested():
            tx.execute(sa.insert(mappings), [each._asdict() | {"org_id": org_id} for each in new])
    except IntegrityError as problem:
        raise Conflict("One of the customers or tag values is mapped already.") from problem


def insert(tx: Connection, mapping: CustomerMapping) -> CustomerMapping:
    """Store a new mapping and return it.

    Raises ``Conflict`` when customer or tag value is mapped already; the transaction goes on.
    """
    try:
        with tx.begin_nested():
            tx.execute(sa.insert(mappings).values(**mapping._asdict()))
    except IntegrityError as problem:
        raise _taken(mapping) from problem
    return mapping


def update(tx: Connection, mapping: CustomerMapping) -> CustomerMapping:
    """Change tag value, match type and confidence of the mapping with this id; return it.

    Raises ``Conflict`` when the tag value belongs to another customer, or when the mapping has
    gone meanwhile; the transaction goes on.
    """
    statement = (
        sa.update(mappings)
        .where(_is(mapping.org_id, mapping.id))
        .values(
            tag_value=mapping.tag_value,
            match_type=mapping.match_type,
            confidence=mapping.confidence,
        )
    )
    try:
        with tx.begin_nested():
            changed = tx.execute(statement).rowcount
    except IntegrityError as problem:
        raise _taken(mapping) from problem
    if not changed:
        raise Conflict("This mapping was removed at the same time; try again.")
    return mapping


def delete(tx: Connection, org_id: str, mapping_id: str) -> CustomerMapping | None:
    """Remove a mapping and return it; ``None`` when the org has none with that id."""
    found = _read(tx, _of_org.where(mappings.c.id == mapping_id), org_id)
    if not found:
        return None
    gone = tx.execute(sa.delete(mappings).where(_is(org_id, mapping_id))).rowcount
    return found[0] if gone else None


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


def reject(
    tx: Connection, org_id: str, provider: str, customer_id: str, tag_key: str, tag_value: str
) -> None:
    """Never match this pair by itself again."""
    tx.execute(
        insert_into(tx, rejected_table)
        .values(
            org_id=org_id,
            provider=provider,
            tag_key=tag_key,
            customer_id=customer_id,
            tag_value=tag_value,
        )
        .on_conflict_do_nothing()
    )


def forget_rejection(
    tx: Connection, org_id: str, provider: str, customer_id: str, tag_key: str, tag_value: str
) -> None:
    """The pair may be matched again."""
    tx.execute(
        sa.delete(rejected_table).where(
            rejected_table.c.org_id == org_id,
            rejected_table.c.provider == provider,
            rejected_table.c.tag_key == tag_key,
            rejected_table.c.customer_id == customer_id,
            rejected_table.c.tag_value == tag_value,
        )
    )


def turn_down(
    tx: Connection, org_id: str, rejected: Sequence[Pair], forgiven: Sequence[Pair]
) -> None:
    """Never match ``rejected`` by themselves again; ``forgiven`` may be."""
    if rejected:
        rows = [{"org_id": org_id, **pair._asdict()} for pair in rejected]
        tx.execute(insert_into(tx, rejected_table).on_conflict_do_nothing(), rows)
    for pair in forgiven:
        forget_rejection(tx, org_id, pair.provider, pair.customer_id, pair.tag_key, pair.tag_value)


def rejected_pairs(
    tx: Connection, org_id: str, provider: str, tag_key: str
) -> set[tuple[str, str]]:
    """The (customer, tag value) pairs that people turned down."""
    found = tx.execute(
        select(rejected_table.c.customer_id, rejected_table.c.tag_value).where(
            rejected_table.c.org_id == org_id,
            rejected_table.c.provider == provider,
            rejected_table.c.tag_key == tag_key,
        )
    )
    return {(row[0], row[1]) for row in found}


def all_rejected(tx: Connection, org_id: str) -> set[Pair]:
    """Every pair that people of the org turned down."""
    columns = (rejected_table.c[name] for name in Pair._fields)
    statement = select(*columns).where(rejected_table.c.org_id == bindparam("the_org"))
    return {Pair._make(row) for row in fetch_tuples(tx, statement, {"the_org": org_id})}


def delete_provider(tx: Connection, org_id: str, provider: str) -> None:
    """Forget all mappings and rejections of one provider's customers."""
    lock(tx, org_id)
    for table in (mappings, rejected_table):
        tx.execute(sa.delete(table).where(table.c.org_id == org_id, table.c.provider == provider))


def _read(
    tx: Connection, statement: sa.Select[Any], org_id: str, **parameters: object
) -> list[CustomerMapping]:
    return _made_of(fetch_tuples(tx, statement, {"the_org": org_id, **parameters}))


def _made_of(rows: Sequence[Row]) -> list[CustomerMapping]:
    if not rows or not isinstance(rows[0][-1], str):
        return [*map(CustomerMapping._make, rows)]
    # SQLite gives created_at, the last column, as text.
    parse, new = datetime.fromisoformat, tuple.__new__
    return [new(CustomerMapping, (*row[:-1], parse(row[-1]))) for row in rows]


def _is(org_id: str, mapping_id: str) -> ColumnElement[bool]:
    return and_(mappings.c.org_id == org_id, mappings.c.id == mapping_id)


def _taken(mapping: CustomerMapping) -> Conflict:
    return Conflict(
        f"The customer {mapping.customer_id} or the tag value {mapping.tag_value!r} is already "
        "mapped; remove that mapping first."
    )
