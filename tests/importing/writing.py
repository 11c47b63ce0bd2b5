"""Writes the same rows in every format, as others write them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet

from nullspend_margins.importing import (
    Charge,
    ChargeMaker,
    ImportOptions,
    LeftOut,
    Problem,
    find_layout,
    open_rows,
)

Rows = Sequence[Mapping[str, str]]


def as_csv(rows: Rows, path: Path, delimiter: str = ",") -> Path:
    path.write_text(_csv_text(rows, delimiter), "utf-8", newline="")
    return path


def as_semicolons(rows: Rows, path: Path) -> Path:
    path.write_bytes(b"\xef\xbb\xbf" + _csv_text(rows, ";").encode())
    return path


def as_gzip(rows: Rows, path: Path) -> Path:
    path.write_bytes(gzip.compress(_csv_text(rows, "\t").encode(), 1))
    return path


def as_jsonl(rows: Rows, path: Path) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def as_parquet(rows: Rows, path: Path) -> Path:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    pyarrow.parquet.write_table(pyarrow.table(columns), path, row_group_size=7)
    return path


WRITERS: Mapping[str, Callable[[Rows, Path], Path]] = {
    "csv": as_csv,
    "semicolons": as_semicolons,
    "gzip": as_gzip,
    "jsonl": as_jsonl,
    "parquet": as_parquet,
}


def read(path: Path, **options: object) -> list[Charge | LeftOut | Problem]:
    """All that is in a file."""
    given = ImportOptions(**{"org_id": "org_1", **options})  # type: ignore[arg-type]
    reader = open_rows(path, given)
    try:
        maker = ChargeMaker(find_layout(reader.columns, given), given)
        return list(maker.charges(reader))
    finally:
        reader.close()


def told(path: Path, **options: object) -> list[str]:
    """The problems of a file, as they are told."""
    return [str(each) for each in read(path, **options) if isinstance(each, Problem)]


def _csv_text(rows: Rows, delimiter: str) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
