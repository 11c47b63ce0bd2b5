"""SELECTs that are asked all the time: compiled once, then asked of the driver itself.

SQLAlchemy takes longer over a statement that finds a few rows than SQLite does over the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Dialect, Select

from nullspend_margins.storage.bulk import Row


class Question:
    """``statement`` with its parameters open: texts and integers, and lists of them.

    A list, one value at least, is for a ``bindparam(..., expanding=True)``. Rows are as the
    driver gives them: an instant is text in SQLite. Errors are the driver's too; ``Database``
    knows them.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._compiled: dict[tuple[str, ...], _Compiled] = {}

    def rows(self, tx: Connection, **given: object) -> list[Row]:
        """What the statement finds."""
        lists = {name: value for name, value in given.items() if isinstance(value, list | range)}
        form = (tx.dialect.name, *(f"{name} {len(values)}" for name, values in lists.items()))
        compiled = self._compiled.get(form)
        if compiled is None:
            compiled = self._compiled[form] = self._compile(tx.dialect, lists)
        for name, values in lists.items():
            # As SQLAlchemy names the members of a list.
            given |= {f"{name}_{nth}": value for nth, value in enumerate(values, 1)}
        cursor = tx.connection.cursor()
        try:
            cursor.execute(compiled.text, cast("Any", compiled.arguments(given)))
            return cast("list[Row]", cursor.fetchall())
        finally:
            cursor.close()

    def _compile(self, dialect: Dialect, lists: Mapping[str, Sequence[object]]) -> _Compiled:
        compiled = cast("Any", self._statement.compile(dialect=dialect))
        # What the statement says itself has a value; what it leaves open gets one when asked.
        given = {name: None for name, bind in compiled.binds.items() if bind.required}
        state = compiled.construct_expanded_state({**given, **lists})
        constants = {name: at for name, at in state.parameters.items() if at is not None}
        return _Compiled(state.statement, constants, state.positiontup)


class _Compiled(NamedTuple):
    """A text, the values it holds itself, and the order of all where they go by order."""

    text: str
    constants: Mapping[str, object]
    order: Sequence[str] | None

    def arguments(self, given: Mapping[str, object]) -> Mapping[str, object] | Sequence[object]:
        values = {**self.constants, **given}
        return values if self.order is None else [values[name] for name in self.order]
