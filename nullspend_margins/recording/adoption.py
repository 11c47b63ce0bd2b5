"""Replays what processes left that are no more: killed, or stopped during an outage."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nullspend_margins.recording.counters import Tally
from nullspend_margins.recording.delivery import Delivery, Fate
from nullspend_margins.recording.disk import Disk
from nullspend_margins.recording.journal import claim
from nullspend_margins.recording.segments import LOCK_SUFFIX, SUFFIX, read_lines

if TYPE_CHECKING:
    from filelock import BaseFileLock

BATCH_LINES = 500

_log = logging.getLogger("nullspend_margins.recording")


class Adoption:
    """Takes over the segments of a folder whose owner no longer holds its lock."""

    def __init__(self, folder: Path, delivery: Delivery, tally: Tally, disk: Disk) -> None:
        self._folder = folder
        self._delivery = delivery
        self._tally = tally
        self._disk = disk
        self._told: set[str] = set()

    async def run(self, seconds: float | None = None) -> bool:
        """Replay all there is, for at most so long; whether nothing is left to replay.

        What is stored is deleted. What waits for the database stays for the next time.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        left = await asyncio.to_thread(self._left)
        for owner, paths in left.items():
            lock = await asyncio.to_thread(self._claim, owner)
            if lock is None:
                continue
            try:
                if not await self._replay_all(owner, paths, deadline):
                    return False
            finally:
                lock.release()
        return True

    def _left(self) -> dict[str, list[Path]]:
        """The segments of each owner, in their order."""
        found: dict[str, list[Path]] = {}
        try:
            names = sorted(name for name, _ in self._disk.files(self._folder))
        except OSError as problem:
            self._tell_once(str(self._folder), problem.strerror or str(problem))
            return {}
        for name in names:
            if name.endswith(SUFFIX):
                found.setdefault(name.partition(".")[0], []).append(self._folder / name)
        return found

    def _claim(self, owner: str) -> BaseFileLock | None:
        try:
            return claim(self._lock_file(owner))
        except OSError as problem:
            self._tell_once(owner, problem.strerror or str(problem))
            return None

    async def _replay_all(self, owner: str, paths: list[Path], deadline: float | None) -> bool:
        is_clean = True
        for path in paths:
            fates = await self._replay(path, deadline)
            if Fate.WAITS in fates:
                return False
            if Fate.UNKNOWN in fates:
                self._tell_once(str(path), "holds what nothing here reads; it stays")
                is_clean = False
            else:
                await asyncio.to_thread(self._disk.delete, path)
        if is_clean:
            await asyncio.to_thread(self._disk.delete, self._lock_file(owner))
        return True

    async def _replay(self, path: Path, deadline: float | None) -> set[Fate]:
        """All lines of a file; the fates there were."""
        offset, seen = 0, set[Fate]()
        while True:
            try:
                lines, offset, rest = await asyncio.to_thread(
                    read_lines, self._disk, path, offset, BATCH_LINES
                )
            except FileNotFoundError:  # another process was quicker, and is done with it
                return seen
            if not lines:
                if rest:
                    _log.warning("%s: ends within a line, which was never taken", path)
                return seen
            fates = await self._delivery.deliver(lines)
            self._tally.add(written=fates.count(Fate.WRITTEN), refused=fates.count(Fate.REFUSED))
            seen.update(fates)
            is_late = deadline is not None and time.monotonic() >= deadline
            if Fate.WAITS in seen or is_late:
                return seen | {Fate.WAITS}

    def _lock_file(self, owner: str) -> Path:
        return self._folder / (owner + LOCK_SUFFIX)

    def _tell_once(self, what: str, reason: str) -> None:
        if what not in self._told:
            self._told.add(what)
            _log.warning("%s: %s", what, reason)
