"""The files of one process: a lock that says it lives, and segments beside it."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nullspend_margins.recording.disk import Disk
from nullspend_margins.recording.segments import LOCK_SUFFIX, SUFFIX, Segment

if TYPE_CHECKING:
    from filelock import BaseFileLock

SEGMENT_BYTES = 8 << 20
_EMPTY_FROM_BYTES = 64 << 10
"""A smaller file is left as it is: replaying it is cheaper than cutting it so often."""
_TRY_AGAIN_SECONDS = 1.0

_log = logging.getLogger("nullspend_margins.recording")


class Journal:
    """Append-only, opened with the first line. Not thread-safe: the backlog's lock guards it."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        segment_bytes: int = SEGMENT_BYTES,
        disk: Disk | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.disk: Disk = disk or Disk()
        self.segments: list[Segment] = []
        """Those with lines that are not done, and the one that is appended to; oldest first."""
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._monotonic = monotonic
        self._active: Segment | None = None
        self._room = 0
        self._lock: BaseFileLock | None = None
        self._name = ""
        self._number = 0
        self._is_failing = False
        self._not_before = 0.0

    def append(self, line: bytes) -> Segment | None:
        """The segment that ``line`` went into; ``None`` when none takes it, which is logged."""
        segment = self._active
        if segment is None or segment.size + len(line) > self._room:
            segment = self._next(len(line))
            if segment is None:
                return None
        try:
            segment.append(line)
        except OSError as problem:
            self._fail(problem.strerror or str(problem))
            if segment.is_torn:
                self._seal_active()
            return None
        if self._is_failing:
            self._is_failing = False
            _log.warning("%s: the journal takes cost events again", self.folder)
        return segment

    def after(self, segment: Segment) -> Segment | None:
        """The segment that was opened next."""
        place = self.segments.index(segment) + 1
        return self.segments[place] if place < len(self.segments) else None

    def tidy(self, touched: Iterable[Segment]) -> list[Path]:
        """Make room where all is done; the files returned are to be deleted."""
        gone: list[Path] = []
        for segment in touched:
            if not segment.is_done or segment not in self.segments:
                continue
            if segment.is_sealed:
                self.segments.remove(segment)
                gone.append(segment.path)
            elif segment.is_gone:
                self.abandon(segment)
            elif segment.size >= _EMPTY_FROM_BYTES:
                try:
                    segment.empty()
                except OSError as problem:
                    _log.warning("%s: cannot be cut: %s", segment.path, problem.strerror)
                    self._seal_active()
        return gone

    def abandon(self, segment: Segment) -> None:
        """Its file was deleted: what is appended to it now would be lost."""
        if segment is self._active:
            self._seal_active()
        self.segments.remove(segment)

    def delete(self, paths: Iterable[Path]) -> None:
        """Delete segments; what stays is replayed by the next process, which does no harm."""
        for path in paths:
            try:
                self.disk.delete(path)
            except OSError as problem:
                _log.warning("%s: cannot be deleted: %s", path, problem.strerror)

    def close(self) -> None:
        """Delete what is done, leave the rest to whoever starts next. May be opened again."""
        self._seal_active()
        self.delete(segment.path for segment in self.segments if segment.is_done)
        is_empty = all(segment.is_done for segment in self.segments)
        self.segments.clear()
        lock, self._lock = self._lock, None
        if lock is not None:
            if is_empty:
                self.delete([self._path(LOCK_SUFFIX)])
            lock.release()

    def forget(self) -> None:
        """In a forked child: these files are the parent's."""
        if self._active is not None:
            self._active.seal()

    def _next(self, needed: int) -> Segment | None:
        """A new segment with room for ``needed`` bytes."""
        if self._monotonic() < self._not_before:
            return None
        self._seal_active()
        self.delete(self.tidy(list(self.segments)))
        try:
            self._open(needed)
        except OSError as problem:
            self._not_before = self._monotonic() + _TRY_AGAIN_SECONDS
            self._fail(problem.strerror or str(problem))
            return None
        return self._active

    def _open(self, needed: int) -> None:
        files = dict(self.disk.files(self.folder))
        if self._lock is None or self._name + LOCK_SUFFIX not in files:
            self._begin()
        used = sum(size for name, size in files.items() if name.endswith(SUFFIX))
        if used + needed > self._max_bytes:
            raise OSError("[recording] max_megabytes is reached")
        self._number += 1
        self._active = Segment(self._path(f".{self._number:06}{SUFFIX}"), self.disk)
        self._room = max(needed, min(self._segment_bytes, self._max_bytes - used))
        self.segments.append(self._active)

    def _begin(self) -> None:
        """Take a name. Another one when the lock was deleted: without it files are adopted."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        self.disk.make_folder(self.folder)
        self._name = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._lock = claim(self._path(LOCK_SUFFIX))
        if self._lock is None:
            raise OSError("its lock file is taken")  # of a random name: by chance, once

    def _path(self, suffix: str) -> Path:
        return self.folder / (self._name + suffix)

    def _seal_active(self) -> None:
        active, self._active = self._active, None
        if active is not None:
            try:
                active.seal()
            except OSError as problem:
                _log.warning("%s: %s", active.path, problem.strerror)

    def _fail(self, reason: str) -> None:
        """Once an outage, however many lines it takes."""
        if not self._is_failing:
            self._is_failing = True
            _log.error(
                "%s: the journal cannot be written: %s; cost events are kept in memory alone",
                self.folder,
                reason,
            )


def claim(path: Path) -> BaseFileLock | None:
    """The lock at ``path``; ``None`` while another process holds it. Raises ``OSError``."""
    from filelock import FileLock, Timeout  # with the first line: it takes a while

    lock = FileLock(path, mode=0o600, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    except NotImplementedError as problem:  # older releases say so of a file system without locks
        raise OSError(str(problem)) from problem
    return lock
