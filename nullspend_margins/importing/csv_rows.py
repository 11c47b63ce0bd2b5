"""Rows of a CSV file: UTF-8, a header, and fields separated by what the header shows."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from operator import itemgetter

from nullspend_margins.errors import ValidationFailed
from nullspend_margins.importing.csv_records import first_records, likeliest, records
from nullspend_margins.importing.files import OpenFile
from nullspend_margins.importing.names import is_usual
from nullspend_margins.importing.options import DELIMITERS, ImportOptions
from nullspend_margins.importing.rows import MAX_LINE_BYTES, Problem, Row


class CsvRows:
    """A CSV file, a problem for each record that can't be read."""

    def __init__(self, file: OpenFile, sample: bytes, options: ImportOptions) -> None:
        self._file = file
        headers = first_records(sample.decode("utf-8", "replace"))
        name = options.delimiter or _sniffed(file, headers, set(options.columns.values()))
        if name not in headers:
            raise ValidationFailed(f"{file.path}: its first line can't be read as CSV ({name}).")
        self.format: str = f"CSV ({name})"
        self.columns: Sequence[str] = headers[name]
        self._delimiter = DELIMITERS[name]
        self._wrong: str | None = None

    def rows(
        self,
        wanted: Sequence[str],
        missed: frozenset[str] = frozenset(),  # noqa: ARG002 - the protocol's
    ) -> Iterator[Row | Problem]:
        """See ``RowReader``."""
        pick = itemgetter(*(self.columns.index(name) for name in wanted))
        width = len(self.columns)
        found = records(self._lines(), self._delimiter)
        self._pass_header(found)
        for line, record in found:
            wrong, self._wrong = self._wrong, None
            if isinstance(record, csv.Error):
                yield Problem(line, "", f"is no CSV: {record}; are its quotes in pairs?")
            elif wrong is not None:
                yield Problem(line, "", wrong)
            elif not any(record):
                continue  # spreadsheets end with such rows
            elif len(record) == width:
                yield line, pick(record)
            else:
                yield Problem(line, "", f"has {len(record)} fields, the header has {width}")

    def fraction(self) -> float:
        """See ``RowReader``."""
        return self._file.fraction()

    def close(self) -> None:
        """See ``RowReader``."""
        self._file.close()

    def _pass_header(self, found: Iterator[tuple[int, list[str] | csv.Error]]) -> None:
        """What is wrong with it is wrong with the file, and no fault of the row after it."""
        _, header = next(found)
        if isinstance(header, csv.Error):
            raise ValidationFailed(
                f"{self._file.path}: its first line can't be read as CSV: are its quotes in pairs, "
                "and do lines end with a line feed?"
            ) from header
        if self._wrong is not None:
            raise ValidationFailed(f"{self._file.path}: its first line {self._wrong}.")

    def _lines(self) -> Iterator[str]:
        """Each line's text; of what is wrong with one, its record is told."""
        for line in self._file.lines():
            if line is None:
                self._wrong = f"is longer than {MAX_LINE_BYTES:,} bytes"
                yield "\n"
                continue
            try:
                text = line.decode()
            except UnicodeDecodeError as problem:
                self._wrong = f"is not UTF-8 at byte {problem.start + 1}: save the file as UTF-8"
                text = line.decode("utf-8", "replace")
            if "\0" in text:
                self._wrong = "has a NUL character"
            yield text


def _sniffed(file: OpenFile, headers: dict[str, list[str]], given: set[str]) -> str:
    """The delimiter that makes the most known columns of the header, then the most columns."""

    ordered = likeliest(
        headers, lambda fields: sum(is_usual(field) or field in given for field in fields)
    )
    if not ordered:
        raise ValidationFailed(f"{file.path}: its first line can't be read as CSV.")
    (best, score), *others = ordered
    if len(headers[best]) > 1 and others and score == others[0][1]:
        raise ValidationFailed(
            f"{file.path}: its columns may be separated by {best} or by {others[0][0]}: "
            f"say --delimiter {best}, or the other."
        )
    return best
