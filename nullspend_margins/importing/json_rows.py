"""Rows of a file with one JSON object on each line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from nullspend_margins.errors import ValidationFailed
from nullspend_margins.importing.files import OpenFile
from nullspend_margins.importing.names import normal
from nullspend_margins.importing.rows import MAX_LINE_BYTES, SAMPLE_BYTES, Problem, Row

# Fractions stay the text they are: as floats they would lose digits.
_decode = msgspec.json.Decoder(float_hook=str).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class JsonRows:
    """JSON lines. The columns are the members of the objects at the beginning of the file."""

    def __init__(self, file: OpenFile, sample: bytes) -> None:
        self._file = file
        self.format: str = "JSON lines"
        self.columns: Sequence[str] = _members(sample)
        if not self.columns:
            raise ValidationFailed(f"{file.path}: its beginning has no line that is a JSON object.")

    def rows(
        self, wanted: Sequence[str], missed: frozenset[str] = frozenset()
    ) -> Iterator[Row | Problem]:
        """See ``RowReader``. A member that a line lacks is ``None``."""
        known = set(self.columns)
        for number, line in enumerate(self._file.lines(), 1):
            if line is None:
                yield Problem(number, "", f"is longer than {MAX_LINE_BYTES:,} bytes")
                continue
            try:
                row = _decode(line)
            except _UNREADABLE as problem:
                if line.strip():
                    yield Problem(number, "", f"is no JSON: {problem}")
                continue
            if not isinstance(row, dict):
                yield Problem(number, "", "is no JSON object")
            elif row.keys() <= known or not (late := _late(row, known, missed)):
                yield number, tuple([row.get(name) for name in wanted])
            else:
                message = "comes here for the first time: give the first line one too, null"
                yield Problem(number, late, message)

    def fraction(self) -> float:
        """See ``RowReader``."""
        return self._file.fraction()

    def close(self) -> None:
        """See ``RowReader``."""
        self._file.close()


def _members(sample: bytes) -> list[str]:
    lines = sample.split(b"\n")
    if len(sample) == SAMPLE_BYTES:
        lines.pop()  # cut off
    members: dict[str, None] = {}
    for line in lines:
        try:
            row: Any = _decode(line)
        except _UNREADABLE:
            continue  # told in its turn
        if isinstance(row, dict):
            members.update(dict.fromkeys(row))
    return list(members)


def _late(row: dict[str, object], known: set[str], missed: frozenset[str]) -> str | None:
    """A member that would have been taken for something, had it been seen in time."""
    return next((name for name in row if name not in known and normal(name) in missed), None)
