"""What a reader makes of a file: rows with their place in it, or problems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

Row = tuple[int, tuple[object, ...]]
"""The line on which it begins (of a Parquet file: the row), from 1, and the wanted values.

Values are as the format has them: text in CSV, where numbers and times are to be read from it;
the texts of fractions in JSON, so that no digit is lost.
"""

MAX_LINE_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 18
"""How much of a file is looked at to tell its format and its columns."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that can't be used. ``column`` is ``""`` when it is the row as a whole."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"{self.line}: {f'{self.column}: ' if self.column else ''}{self.message}"


class RowReader(Protocol):
    """An open file of rows."""

    format: str
    """For people: ``CSV (comma)``."""
    columns: Sequence[str]

    def rows(
        self, wanted: Sequence[str], missed: frozenset[str] = frozenset()
    ) -> Iterator[Row | Problem]:
        """Every row's values of these columns, once, in memory that does not grow with the file.

        Where rows may have columns of their own, one whose ``normal`` name is in ``missed`` and
        that was not among ``columns`` is a problem: it would have been wanted.
        Raises ``ValidationFailed`` where the rest can't be read.
        """
        ...

    def fraction(self) -> float:
        """How much has been read, 0 to 1."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
