"""The progress bars of ``sync`` and ``rebuild``, on stderr."""

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
    TextColumn,
    TimeElapsedColumn,
)

if TYPE_CHECKING:
    from nullspend_margins.services.sync_staging import ProgressListener, SyncProgress


class SyncBar:
    """Connections done of those to do, and the invoices read so far."""

    def __init__(self, total: int) -> None:
        self._progress = _drawn("Syncing revenue", "{task.fields[invoices]:,} invoices")
        self._task = self._progress.add_task("sync", total=total, invoices=0)
        self._invoices: Counter[tuple[str, str]] = Counter()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._progress.stop()

    def begin(self, connection: tuple[str, str]) -> ProgressListener:
        """A sync starts; its progress goes to the bar."""

        def listener(progress: SyncProgress) -> None:
            self._invoices[connection] = progress.invoices_fetched
            self._progress.update(self._task, invoices=self._invoices.total())

        return listener

    def end(self, connection: tuple[str, str]) -> None:  # noqa: ARG002 - the protocol's
        """A sync is over."""
        self._progress.advance(self._task)


class RebuildBar:
    """Orgs done of those to do, and the cells compared so far."""

    def __init__(self, total: int) -> None:
        self._progress = _drawn("Adding up", "{task.fields[cells]:,} cells")
        self._task = self._progress.add_task("rebuild", total=total, cells=0)
        self._cells = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._progress.stop()

    def advance(self, cells: int) -> None:
        """An org is done."""
        self._cells += cells
        self._progress.update(self._task, advance=1, cells=self._cells)


def _drawn(doing: str, so_far: str) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(so_far),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        # A result that goes to a file must not end up on the terminal.
        redirect_stdout=sys.stdout.isatty(),
    )
