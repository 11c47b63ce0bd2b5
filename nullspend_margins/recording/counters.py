"""What became of the events that were recorded."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingCounters:
    """Of one process since it began: ``queued`` is what waits now, the others only grow.

    ``written``: stored, or found stored already; what a dead process left counts here too.
    ``spilled``: found the memory full and waited in the journal alone. ``refused``: could not be
    stored, each is in the log. ``dropped``: lost, since the journal could not be written while
    the memory was full; 0 while the disk lasts.
    """

    queued: int
    """Waits now."""
    written: int
    """Is stored."""
    spilled: int
    """Waited in the journal alone."""
    refused: int
    """Could not be stored."""
    dropped: int
    """Is lost."""


class Tally:
    """Adds up from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.written: int = 0
        self.refused: int = 0

    def add(self, *, written: int, refused: int) -> None:
        """Count lines that are done with."""
        with self._lock:
            self.written += written
            self.refused += refused
