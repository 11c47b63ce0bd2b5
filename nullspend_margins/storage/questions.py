"""SELECTs that are asked all the time: compiled once, then asked of the driver itself.

SQLAlchemy takes longer over a statement that finds a few rows than SQLite does over the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Dialect,
    Executable,
    Select,
    any_,
    bindparam,
    literal_column,
    null,
    union_all,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from nullspend_margins.storage.bulk import Row


class OneOf(ColumnElement[bool]):
    """``column`` is one of the integers that a question is given as ``name``, one at least.

    A parameter for each in SQLite; one array in PostgreSQL, so that however many there are it is
    one statement, prepared once, and short: psycopg goes through one of more than 4,096 characters
    anew each time it is asked, which takes as long as many an answer.
    """

    # No type: as a boolean it would be compared with 1 in SQLite, and no index be used.
    inherit_cache: bool | None = False

    def __init__(self, column: ColumnElement[int], name: str) -> None:
        self.in_list: ColumnElement[bool] = column.in_(bindparam(name, expanding=True))
        array: BindParameter[Any] = bindparam(name, type_=ARRAY(column.type))
        self.in_array: ColumnElement[bool] = column == any_(array)


@compiles(OneOf)
def _listed(element: OneOf, compiler: SQLCompiler, **given: Any) -> str:
    return compiler.process(element.in_list, **given)


@compiles(OneOf, "postgresql")
def _arrayed(element: OneOf, compiler: SQLCompiler, **given: Any) -> str:
    return compiler.process(element.in_array, **given)


class Question:
    """``statement`` with its parameters open: texts and integers, and integers for ``OneOf``.

    Rows are as the driver gives them: an instant is text in SQLite. Errors are the driver's too;
    ``Database`` knows them.
    """

    def __init__(
        self, statement: Select[Any] | CompoundSelect[Any] | Callable[[str], Select[Any]]
    ) -> None:
        """A function is given the dialect's name, and makes the statement where it is compiled."""
        self._statement = statement
        self._compiled: dict[tuple[object, ...], _Compiled] = {}

    def rows(self, tx: Connection, **given: object) -> list[Row]:
        """What the statement finds."""
        if tx.dialect.name == "postgresql":
            given = {name: _array(value) for name, value in given.items()}
        values: list[object] = []
        form: list[object] = [tx.dialect.name]
        for name, value in given.items():
            form.append(name)
            if isinstance(value, list | range):
                form.append(len(value))
                values += value
            else:
                values.append(value)
        compiled = self._compiled.get(tuple(form))
        if compiled is None:
            compiled = self._compiled[tuple(form)] = self._compile(tx.dialect, given)
        # Both drivers' connections make a cursor themselves, and close it with the last of it.
        driver = cast("Any", tx.connection.driver_connection)
        return cast(
            "list[Row]", driver.execute(compiled.text, compiled.arguments(values)).fetchall()
        )

    def _compile(self, dialect: Dialect, given: Mapping[str, object]) -> _Compiled:
        made = self._statement
        statement = made if isinstance(made, Executable) else made(dialect.name)
        compiled = cast("Any", statement.compile(dialect=dialect))
        # What the statement says itself has a value; what it leaves open gets one when asked.
        known = {name: None for name, bind in compiled.binds.items() if bind.required}
        state = compiled.construct_expanded_state({**known, **given})
        names = [name for name, value in given.items() for name in _names(name, value)]
        constants = [name for name in state.parameters if name not in {*names, *given, *known}]
        places = {name: place for place, name in enumerate([*names, *constants])}
        order = state.positiontup
        return _Compiled(
            state.statement,
            [state.parameters[name] for name in constants],
            [places[name] for name in (places if order is None else order)],
            [*places] if order is None else None,
        )


class _Compiled(NamedTuple):
    """A text, the values it holds itself, and which of all values goes where.

    ``names`` is for a driver that takes them by name.
    """

    text: str
    constants: Sequence[object]
    order: Sequence[int]
    names: Sequence[str] | None

    def arguments(self, given: list[object]) -> Mapping[str, object] | Sequence[object]:
        """``given`` has the open values, lists spread out, in the order of their names."""
        given += self.constants
        values = tuple(map(given.__getitem__, self.order))
        return values if self.names is None else dict(zip(self.names, values, strict=True))


class Questions:
    """Several statements as one: they take one round trip, which counts in PostgreSQL.

    Each has columns of its own in every row, NULL in the rows of the others. A name that two
    leave open stands for the same value in both.
    """

    def __init__(self, *statements: Select[Any]) -> None:
        columns = [[*statement.selected_columns] for statement in statements]
        ends = [*accumulate(map(len, columns), initial=1)]  # behind the statement's number
        self._slices = [slice(*pair) for pair in pairwise(ends)]
        numbered = (
            statement.with_only_columns(
                literal_column(str(number)),
                *_own_among(columns, number),
                maintain_column_froms=True,
            )
            for number, statement in enumerate(statements)
        )
        self._question = Question(union_all(*numbered))

    def rows(self, tx: Connection, **given: object) -> list[list[Row]]:
        """What each finds, in their order."""
        found: list[list[Row]] = [[] for _ in self._slices]
        for row in self._question.rows(tx, **given):
            found[row[0]].append(row[self._slices[row[0]]])
        return found


def _own_among(
    columns: Sequence[Sequence[ColumnElement[Any]]], own: int
) -> Iterator[ColumnElement[Any]]:
    """All columns, those of other statements as NULL: of their type, which PostgreSQL wants."""
    for number, theirs in enumerate(columns):
        for column in theirs:
            yield column if number == own else sql_cast(null(), column.type)


def _array(value: object) -> object:
    """Integers as PostgreSQL writes an array; anything else as it is."""
    return f"{{{','.join(map(str, value))}}}" if isinstance(value, list | range) else value


def _names(name: str, value: object) -> list[str]:
    """As SQLAlchemy names the members of a list."""
    if isinstance(value, list | range):
        return [f"{name}_{nth}" for nth in range(1, len(value) + 1)]
    return [name]
