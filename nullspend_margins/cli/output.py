"""What commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TextIO

import typer


def say(line: str) -> None:
    """One line of the result, at once. Raises ``ServiceUnavailable`` where it can't be written."""
    try:
        typer.echo(line)
    except BrokenPipeError:
        raise  # whoever reads it has seen enough
    except OSError as problem:
        from nullspend_margins.errors import ServiceUnavailable

        raise ServiceUnavailable(
            f"The result cannot be written: {problem.strerror or problem}."
        ) from problem


def say_safely(line: str) -> None:
    """The same, of a line that quotes what somebody sent."""
    from nullspend_margins.domain.text import printable

    say(printable(line))


def complain(message: str) -> None:
    """A problem, for the person at the terminal."""
    typer.echo(message, err=True)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A drawn table on a terminal; elsewhere tab-separated lines without a heading.

    Cells may quote what somebody sent: they hold printable characters alone.
    """
    from nullspend_margins.domain.text import printable

    cleaned = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout is None or not sys.stdout.isatty():  # None: closed by whoever started us
        for row in cleaned:
            say("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in cleaned:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def counted(number: int, thing: str) -> str:
    """``1 org``, ``2,000 orgs``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def moment_text(moment: datetime | None) -> str:
    """An instant in a table, in UTC; ``-`` for none."""
    from nullspend_margins.domain.period import format_instant

    return "-" if moment is None else format_instant(moment)


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
