"""What commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

import typer


def say(line: str) -> None:
    """One line of the result, at once."""
    typer.echo(line)


def complain(message: str) -> None:
    """A problem, for the person at the terminal."""
    typer.echo(message, err=True)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A drawn table on a terminal; elsewhere tab-separated lines without a heading."""
    if not sys.stdout.isatty():
        for row in rows:
            say("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Show the product's log from ``level`` on, and other packages' warnings, on stderr."""
    handler = _StderrHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING))
    for name in ("nullspend_margins", "uvicorn"):
        logging.getLogger(name).setLevel(level)


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what ``sys.stderr`` is now: a progress bar replaces it while it is drawn."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)
