"""What a PostgreSQL server says of the types of a source's columns."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, false, select

from nullspend_margins import ServiceUnavailable
from nullspend_margins_sql.relation import Relation, value

Kind: TypeAlias = Literal["integer", "numeric", "float", "text", "uuid", "time", "aware", "other"]

_KINDS: Mapping[int, Kind] = {
    **dict.fromkeys((20, 21, 23), "integer"),
    1700: "numeric",
    **dict.fromkeys((700, 701), "float"),
    **dict.fromkeys((25, 705, 1043), "text"),
    2950: "uuid",
    **dict.fromkeys((1082, 1114), "time"),
    1184: "aware",
}
"""By the number that PostgreSQL's catalog has for the type, the same on every server."""
_COSTS: tuple[Kind, ...] = ("integer", "numeric", "float", "text")
_TIMES: tuple[Kind, ...] = ("time", "aware")
Kinds: TypeAlias = Mapping[str, Kind]


def kinds_of(connection: Connection, relation: Relation, source: str) -> Kinds:
    """Each column's kind. Reads no row.

    Raises ``ServiceUnavailable`` when costs or times are of a type that could only be guessed at.
    """
    columns = list(relation.rows.c)
    with connection.execute(select(*columns).where(false())) as result:
        described = result.cursor.description if result.cursor is not None else ()
        kinds = {
            each.name: _KINDS.get(int(str(found[1])), "other")
            for each, found in zip(columns, described or (), strict=True)
        }
    wanted = [
        (relation.columns.cost, "cost", _COSTS, "numeric"),
        *((name, "time", _TIMES, "timestamptz") for name in _times(relation)),
    ]
    for name, noun, known, example in wanted:
        if kinds[name] not in known:
            raise ServiceUnavailable(
                f"The cost source {source} can't be read: its column {name!r} is of a type that "
                f"is no {noun}. A select can make a {example} of it."
            )
    return kinds


def _times(relation: Relation) -> list[str]:
    return list(dict.fromkeys((relation.columns.time, relation.moved)))


def is_text(relation: Relation, name: str, kind: Kind, wanted: str) -> ColumnElement[bool]:
    """Whether the column, read as text, is ``wanted``; so that an index on it can be used."""
    found = relation.column(name)
    if kind == "text":
        return found == value(wanted)
    if kind == "integer":
        return found == value(int(wanted)) if _is_written_as(int, wanted) else false()
    if kind == "uuid":
        return found == value(wanted) if _is_written_as(uuid.UUID, wanted) else false()
    return relation.text(name) == value(wanted)


def _is_written_as(kind: type[int | uuid.UUID], text: str) -> bool:
    """Whether PostgreSQL would write such a value in just this way."""
    try:
        return str(kind(text)) == text
    except ValueError:
        return False
