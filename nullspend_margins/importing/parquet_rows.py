"""Rows of a Parquet file, by pyarrow, some thousands at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nullspend_margins.errors import ConfigurationError, ValidationFailed
from nullspend_margins.importing.rows import Problem, Row

try:
    import pyarrow  # type: ignore[import-untyped]  # it has no types
    import pyarrow.parquet  # type: ignore[import-untyped]  # the same
except ImportError as _missing:
    raise ConfigurationError(
        'Parquet files need pyarrow: pip install "nullspend-margins[parquet]"'
    ) from _missing

_AT_ONCE = 4096
_BUFFER_BYTES = 1 << 20
_DAMAGED = (pyarrow.ArrowException, OSError)
_BEYOND = (OverflowError, ValueError)
"""Times that Parquet has and Python has not: far years, nanoseconds of a day."""


class ParquetRows:
    """A Parquet file. The pages of the wanted columns are read one after the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.format: str = "Parquet"
        try:
            self._file = pyarrow.parquet.ParquetFile(
                path, buffer_size=_BUFFER_BYTES, pre_buffer=False
            )
            self.columns: Sequence[str] = self._file.schema_arrow.names
        except _DAMAGED as problem:
            raise ValidationFailed(f"{path} is no whole Parquet file: {problem}.") from problem
        self._total = self._file.metadata.num_rows
        self._done = 0

    def rows(
        self,
        wanted: Sequence[str],
        missed: frozenset[str] = frozenset(),  # noqa: ARG002 - the protocol's
    ) -> Iterator[Row | Problem]:
        """See ``RowReader``."""
        columns = list(dict.fromkeys(wanted))
        try:
            for batch in self._file.iter_batches(_AT_ONCE, columns=columns, use_threads=False):
                lists = {name: _plain(batch.column(name)) for name in columns}
                yield from enumerate(
                    zip(*(lists[name] for name in wanted), strict=True), self._done + 1
                )
                self._done += batch.num_rows
        except _DAMAGED as problem:
            where = f"after row {self._done}"
            raise ValidationFailed(f"{self._path} is damaged {where}: {problem}.") from problem
        except _BEYOND as problem:
            where = f"after row {self._done}"
            raise ValidationFailed(
                f"{self._path} has a value that can't be read {where}: {problem}"
            ) from problem

    def fraction(self) -> float:
        """See ``RowReader``."""
        return self._done / self._total if self._total else 1.0

    def close(self) -> None:
        """See ``RowReader``."""
        self._file.close()


def _plain(column: Any) -> list[object]:
    """Python's own values. ``datetime`` has no nanoseconds, and a day is all that is needed."""
    if pyarrow.types.is_timestamp(column.type):
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    values: list[object] = column.to_pylist()
    return values
