"""Which format a file has, and its reader."""

from __future__ import annotations

import codecs
from pathlib import Path

from nullspend_margins.errors import ValidationFailed
from nullspend_margins.importing.csv_rows import CsvRows
from nullspend_margins.importing.files import OpenFile
from nullspend_margins.importing.json_rows import JsonRows
from nullspend_margins.importing.options import ImportOptions
from nullspend_margins.importing.rows import RowReader

_PARQUET = b"PAR1"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def open_rows(path: Path, options: ImportOptions) -> RowReader:
    """Open a file of costs. The caller closes it.

    Raises ``ValidationFailed`` when it can't be read as what it is, or is said to be, and
    ``ConfigurationError`` for Parquet without pyarrow.
    """
    file = OpenFile(path)
    try:
        sample = file.sample()
        if not _is_parquet(path, sample, options):
            return _text_rows(file, sample, options)
    except BaseException:
        file.close()
        raise
    file.close()
    if file.is_compressed:
        raise ValidationFailed(f"{path} is Parquet inside gzip: unpack it first.")
    from nullspend_margins.importing.parquet_rows import ParquetRows

    return ParquetRows(path)


def _is_parquet(path: Path, sample: bytes, options: ImportOptions) -> bool:
    if options.format in {"csv", "jsonl"}:
        return False
    # A file that is cut off at its beginning is still meant to be Parquet by its name.
    return options.format == "parquet" or sample[:4] == _PARQUET or path.suffix == ".parquet"


def _text_rows(file: OpenFile, sample: bytes, options: ImportOptions) -> RowReader:
    if not sample:
        raise ValidationFailed(f"{file.path} is empty.")
    if sample.startswith(_UTF16):
        raise ValidationFailed(f"{file.path} is UTF-16: save it as UTF-8.")
    first = sample.lstrip()[:1]
    if options.format != "csv" and (options.format == "jsonl" or first in {b"{", b"["}):
        if first == b"[":
            raise ValidationFailed(
                f"{file.path} is one JSON array: it needs one object on each line, as "
                "jq -c '.[]' writes them."
            )
        return JsonRows(file, sample)
    return CsvRows(file, sample, options)
