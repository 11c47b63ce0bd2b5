"""Reads a file in threads, page by page."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import AsyncGenerator, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import BinaryIO, TypeAlias

from nullspend_margins import ProviderUnavailable, RevenueFact
from nullspend_margins_csv.problems import Problem, Unreadable
from nullspend_margins_csv.records import Records
from nullspend_margins_csv.rows import read_rows
from nullspend_margins_csv.threads import in_thread

Row: TypeAlias = RevenueFact | Problem

_PAGE = 500
"""Rows at a time: some milliseconds of one thread."""


async def pages(file: BinaryIO) -> AsyncGenerator[Sequence[Row], None]:
    """Every row of ``file``, in order; the last one may say why it can't be read on.

    Raises ``ProviderUnavailable`` when a disk fails.
    """
    rows = read_rows(file)
    try:
        while page := await in_thread(partial(_page, rows)):
            yield page
    finally:
        await in_thread(rows.close)


def count_rows(text: str) -> int | Problem:
    """How many rows a text has; looks at its header and its quotes alone."""
    try:
        return sum(1 for _ in Records(io.BytesIO(text.encode())))
    except Unreadable as found:
        return found.problem


def _page(rows: Iterator[Row]) -> Sequence[Row]:
    try:
        return list(islice(rows, _PAGE))
    except OSError as problem:
        raise ProviderUnavailable(f"The file can't be read on: {problem.strerror}.") from None
    except sqlite3.Error as problem:
        raise ProviderUnavailable(
            f"The server's temporary folder fails while rows are counted: {problem}."
        ) from None
