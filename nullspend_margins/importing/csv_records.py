"""Records of CSV texts, and what separates their fields."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from nullspend_margins.importing.options import DELIMITERS


def records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Each record with the line that it begins on, from 1; or why it is none, and on with the
    next."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield line, problem


def first_records(text: str) -> dict[str, list[str]]:
    """The first record as it is read with each delimiter, by the delimiter's name."""
    found = {}
    for name, delimiter in DELIMITERS.items():
        try:
            record = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), None)
        except csv.Error:
            continue
        if record:
            found[name] = [field.strip() for field in record]
    return found


Score = tuple[int, int]


def likeliest(
    firsts: Mapping[str, Sequence[str]], known: Callable[[Sequence[str]], int]
) -> list[tuple[str, Score]]:
    """Delimiters by how many columns are ``known`` with them, then by how many columns there are.

    The likeliest comes first, with what it is judged by.
    """
    scores = {name: (known(fields), len(fields)) for name, fields in firsts.items()}
    return sorted(scores.items(), key=lambda each: each[1], reverse=True)
