"""The progress bars of ``sync``, ``rebuild`` and ``import-costs``, on stderr."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

if TYPE_CHECKING:
    from nullspend_margins.domain.period import Period
    from nullspend_margins.services.sync_staging import ProgressListener, SyncProgress


class _Bar:
    """Drawn while it is entered."""

    def __init__(self, doing: str, so_far: str, *, counted: bool = True) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn(doing),
            BarColumn(),
            MofNCompleteColumn() if counted else TaskProgressColumn(),
            TextColumn(so_far),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            # A result that goes to a file must not end up on the terminal.
            redirect_stdout=sys.stdout.isatty(),
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._progress.stop()


class SyncBar(_Bar):
    """Connections done of those to do, and the invoices read so far."""

    def __init__(self, total: int) -> None:
        super().__init__("Syncing revenue", "{task.fields[invoices]:,} invoices")
        self._task = self._progress.add_task("sync", total=total, invoices=0)
        self._total = total
        self._invoices: Counter[tuple[str, str, Period | None]] = Counter()

    def begin(self, connection: tuple[str, str]) -> ProgressListener:
        """A sync starts; its progress goes to the bar."""

        months: set[Period | None] = set()

        def listener(progress: SyncProgress) -> None:
            if months and progress.month not in months:
                self._progress.advance(self._task)
            months.add(progress.month)
            self._invoices[*connection, progress.month] = progress.invoices_fetched
            self._progress.update(self._task, invoices=self._invoices.total())

        return listener

    def expect(self, months: int) -> None:
        """A backfill of so many months starts; each counts as much as a sync."""
        self._total += months
        self._progress.update(self._task, total=self._total)

    def end(self, connection: tuple[str, str]) -> None:  # noqa: ARG002 - the protocol's
        """A sync is over."""
        self._progress.advance(self._task)


class RebuildBar(_Bar):
    """Orgs done of those to do, and the cells compared so far."""

    def __init__(self, total: int) -> None:
        super().__init__("Adding up", "{task.fields[cells]:,} cells")
        self._task = self._progress.add_task("rebuild", total=total, cells=0)
        self._cells = 0

    def advance(self, cells: int) -> None:
        """An org is done."""
        self._cells += cells
        self._progress.update(self._task, advance=1, cells=self._cells)


class ImportBar(_Bar):
    """How much of the file is read, then how many of its facts are compared or stored."""

    def __init__(self) -> None:
        super().__init__(
            "{task.description}", "{task.fields[done]:,} {task.fields[things]}", counted=False
        )
        self._task = self._progress.add_task("", total=1, done=0, things="rows")

    def update(self, doing: str, things: str, done: int, fraction: float) -> None:
        """So far."""
        self._progress.update(
            self._task, description=doing, things=things, done=done, completed=fraction
        )
