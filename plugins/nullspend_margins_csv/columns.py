"""Which column of a file is what, by its header."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from nullspend_margins_csv.problems import Problem, Unreadable, shown

NAMES: Mapping[str, Sequence[str]] = {
    "customer": ("customer", "customer_id"),
    "date": ("date", "day"),
    "amount": ("amount",),
    "currency": ("currency", "currency_code"),
    "kind": ("kind", "type"),
    "service_start": ("service_start", "period_start"),
    "service_end": ("service_end", "period_end"),
    "id": ("id",),
    "name": ("name", "customer_name"),
    "email": ("email", "customer_email"),
    "tag": ("tag", "tag_value"),
    "description": ("description",),
}
"""What a column can be, and what it may be called."""
REQUIRED = ("customer", "date", "amount")
DELIMITERS = ",;\t"

_FIELDS = {name: field for field, names in NAMES.items() for name in names}
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])")
_NOT_MAJOR = ("cents", "minor")


def normal(name: str) -> str:
    """A column's words: ``Service Start``, ``serviceStart`` and ``service_start`` are one."""
    return "_".join(_WORDS.findall(name)).casefold()


@dataclass(frozen=True, slots=True)
class Columns:
    """``names`` as they stand there; ``places`` by field, for those that are there."""

    delimiter: str
    names: Sequence[str]
    places: Mapping[str, int]

    def called(self, field: str) -> str:
        """What the file itself calls it."""
        place = self.places.get(field)
        return field if place is None else self.names[place]


def read_header(line: str) -> Columns:
    """The columns that the first line names. Raises ``Unreadable``, quoting no strange text.

    Separated by what makes the most known columns of it.
    """
    if "\r" in line.rstrip("\r\n"):
        raise _wrong("does not end with a line feed: save the file with line ends of today")
    read = {delimiter: _split(line, delimiter) for delimiter in DELIMITERS}
    delimiter = max(read, key=lambda each: sum(normal(name) in _FIELDS for name in read[each]))
    names = read[delimiter]
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        field = _FIELDS.get(normal(name))
        if field is None:
            continue
        if field in places:
            first = names[places[field]]
            raise _wrong(f"{first} and {name} are both its {field}: rename one of them")
        places[field] = place
    missing = [field for field in REQUIRED if field not in places]
    if missing:
        raise _wrong(_missing(missing, names, is_header=bool(places)))
    return Columns(delimiter, names, places)


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except (csv.Error, StopIteration):
        return []


def _missing(missing: Sequence[str], names: Sequence[str], *, is_header: bool) -> str:
    if not is_header:
        return (
            "is no header: the first line must name the columns, customer,date,amount at least, "
            "separated by commas, semicolons or tabs"
        )
    said = f"names no column {' and no column '.join(missing)}"
    unknown = {normal(name): name for name in names if normal(name)}
    for field in missing:
        for guess in get_close_matches(field, unknown, 1):
            if any(word in guess for word in _NOT_MAJOR):
                return f"{said}: {shown(unknown[guess])} looks like one in cents; write 12.50"
            return f"{said}: is it {shown(unknown[guess])}? Rename that"
    return said


def _wrong(message: str) -> Unreadable:
    return Unreadable(Problem(1, "", message))
