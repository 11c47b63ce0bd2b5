"""Mappings in a CSV file: reading one, within limits, and writing one to fill in."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nullspend_margins.domain.text import isolated, one_line, text_problem
from nullspend_margins.errors import ValidationFailed
from nullspend_margins.importing.csv_records import first_records, likeliest, records
from nullspend_margins.importing.names import normal
from nullspend_margins.importing.options import DELIMITERS
from nullspend_margins.services.mapping_batches import MOST_AT_ONCE
from nullspend_margins.web.csv_table import FORMULA_STARTS

MAX_FILE_BYTES = 1024 * 1024

CUSTOMER, TAG, PROVIDER = "customer id", "tag value", "provider"
_NAMES: Mapping[str, Sequence[str]] = {
    CUSTOMER: (
        "stripe_customer_id", "customer_id", "stripe_id", "stripe_customer", "customerid", "id",
        "customer",
    ),
    TAG: (
        "tag_value", "tag", "customer_tag", "nullspend_customer", "tenant_id", "tenant", "slug",
        "account_id", "account",
    ),
    PROVIDER: ("provider", "revenue_provider"),
}  # fmt: skip
"""What columns are usually called, the surest name first."""
_WIDEST = 200
_NOT_UTF8 = re.compile(r"[\udc80-\udcff]")


class UploadRow(NamedTuple):
    """A line with a tag value, from 1. ``provider`` is empty where the line names none."""

    line: int
    provider: str
    customer_id: str
    tag_value: str


class UploadProblem(NamedTuple):
    """A line that can't be used, and why."""

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What a file says. ``blank`` counts lines without a tag value; they are passed over.

    ``remarks`` tell how its columns were understood where that is not plain.
    """

    rows: Sequence[UploadRow]
    problems: Sequence[UploadProblem]
    blank: int
    remarks: Sequence[str]


def read_upload(content: bytes) -> Upload:
    """The rows of a CSV file. Raises ``ValidationFailed`` when it can't be read as a whole."""
    lines = _records(_text(content))
    _, header = next(lines, (1, []))
    if isinstance(header, UploadProblem) or not header:
        raise ValidationFailed("The first line can't be read: it must name the columns.")
    columns, remarks = _columns(header)
    rows: list[UploadRow] = []
    problems: list[UploadProblem] = []
    blank = 0
    for line, record in lines:
        if isinstance(record, UploadProblem):
            problems.append(record)
            continue
        row = _row(line, record, columns)
        if not row.tag_value:
            blank += any(record)
            continue
        wrong = _wrong(row, len(record), len(header))
        if wrong is None:
            rows.append(row)
        else:
            problems.append(UploadProblem(line, wrong))
        if len(rows) + len(problems) > MOST_AT_ONCE:
            raise ValidationFailed(
                f"The file has more than {MOST_AT_ONCE:,} lines with a tag value. Split it."
            )
    return Upload(rows=rows, problems=problems, blank=blank, remarks=remarks)


def _text(content: bytes) -> str:
    if not content:
        raise ValidationFailed("Choose a CSV file that is not empty.")
    if len(content) > MAX_FILE_BYTES:
        raise ValidationFailed(f"The file has more than {MAX_FILE_BYTES:,} bytes. Split it.")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValidationFailed("The file is UTF-16. Save it as CSV in UTF-8.")
    # What is not UTF-8 is told by line, where the bytes stay as lone surrogates.
    return content.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")


def _records(text: str) -> Iterator[tuple[int, list[str] | UploadProblem]]:
    """Each record with the line that it begins on."""
    for line, record in records(io.StringIO(text, newline=""), DELIMITERS[_delimiter(text)]):
        if isinstance(record, csv.Error):
            why = f"It can't be read as CSV ({record}). Are its quotes in pairs?"
            yield line, UploadProblem(line, why)
        else:
            yield line, [_plain(field.strip()) for field in record]


def _delimiter(text: str) -> str:
    def known(fields: Sequence[str]) -> int:
        there = {normal(field) for field in fields}
        return sum(not there.isdisjoint(names) for names in _NAMES.values())

    found = likeliest(first_records(text), known)
    return found[0][0] if found else "comma"


def _columns(header: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """The places of the columns, and what is to be said of them."""
    names = [normal(field) for field in header[:_WIDEST]]
    found: dict[str, int] = {}
    remarks: list[str] = []
    for what, usual in _NAMES.items():
        fitting = [name for name in usual if name in names]
        if not fitting:
            continue
        found[what] = names.index(fitting[0])
        others = [header[names.index(name)] for name in fitting[1:]]
        if others or fitting[0] not in usual[:2]:
            beside = f", and not the column {isolated(others[0])}" if others else ""
            taken = isolated(header[found[what]])
            remarks.append(f"The column {taken} is taken for the {what}{beside}.")
    missing = [what for what in (CUSTOMER, TAG) if what not in found]
    if missing:
        there = isolated(one_line(", ".join(header))[:200])
        raise ValidationFailed(
            f"The first line names no column for the {' and the '.join(missing)}. It needs "
            f"customer_id and tag_value; it has: {there}."
        )
    return found, remarks


def _row(line: int, record: Sequence[str], columns: Mapping[str, int]) -> UploadRow:
    def value(what: str) -> str:
        at = columns.get(what)
        return record[at] if at is not None and at < len(record) else ""

    return UploadRow(line, value(PROVIDER), value(CUSTOMER), value(TAG))


def _wrong(row: UploadRow, fields: int, columns: int) -> str | None:
    if fields != columns:
        return f"It has {fields} fields, the first line has {columns}."
    for what, value in (
        (CUSTOMER, row.customer_id),
        (TAG, row.tag_value),
        (PROVIDER, row.provider or "-"),
    ):
        if _NOT_UTF8.search(value):
            return f"The {what} is not UTF-8. Save the file as CSV in UTF-8."
        problem = text_problem(value)
        if problem is not None:
            return f"The {what} {problem}."
    return None


def _plain(field: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from taking a text for a formula."""
    return field[1:] if field[:1] == "'" and field[1:].startswith(FORMULA_STARTS) else field
