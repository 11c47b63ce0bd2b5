"""Records of a CSV file: UTF-8, a header, and fields separated by what the header shows."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from typing import BinaryIO

from nullspend_margins_csv.columns import Columns, read_header
from nullspend_margins_csv.problems import Problem, Unreadable

MOST_LINE_BYTES = 64 * 1024
"""The longest line; a record has as many at most."""

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Records:
    """The columns of a file, and then its records. Raises ``Unreadable`` where it can't go on."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._line = 0
        self.columns: Columns = read_header(self._next_line())

    def __iter__(self) -> Iterator[tuple[int, list[str]] | Problem]:
        """The line that each begins in, and its fields; those with nothing in them are left out."""
        width = len(self.columns.names)
        lines = iter(self._next_line, "")
        reader = csv.reader(lines, delimiter=self.columns.delimiter, strict=True)
        while True:
            line = self._line + 1
            try:
                record = next(reader, None)
            except csv.Error as problem:
                raise Unreadable(
                    Problem(line, "", f"is no CSV ({problem}): are its quotes in pairs?")
                ) from None
            if record is None:
                return
            if len(record) == width:
                if any(record):
                    yield line, [field.strip() for field in record]
            elif any(record):
                yield Problem(
                    line,
                    "",
                    f"has {len(record)} fields, and the header has {width}: a text or a number "
                    "with a separator in it belongs between quotes",
                )

    def _next_line(self) -> str:
        """``""`` at the end."""
        raw = self._file.readline(MOST_LINE_BYTES + 1)
        self._line += 1
        if len(raw) > MOST_LINE_BYTES:
            self._refuse(f"is longer than {MOST_LINE_BYTES:,} bytes. Do lines end with line feeds?")
        if self._line == 1:
            if raw.startswith(_UTF_16):
                self._refuse("is UTF-16: save the file as UTF-8")
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            text = raw.decode()
        except UnicodeDecodeError as problem:
            self._refuse(f"is not UTF-8 at byte {problem.start + 1}: save the file as UTF-8")
        if "\0" in text:
            self._refuse("has a NUL character: it is no text")
        return text

    def _refuse(self, message: str) -> None:
        raise Unreadable(Problem(self._line, "", message))
