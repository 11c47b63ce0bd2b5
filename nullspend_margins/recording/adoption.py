"""Replays what processes left that are no more: killed, or stopped during an outage."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from nullspend_margins.recording.counters import Tally
from nullspend_margins.recording.disk import Disk
from nullspend_margins.recording.journal import claim
from nullspend_margins.recording.segments import LOCK_SUFFIX, SUFFIX, read_lines
from nullspend_margins.recording.storing import BATCH_LINES, Fate, LineStore

if TYPE_CHECKING:
    from filelock import BaseFileLock

_log = logging.getLogger("nullspend_margins.recording")


class Adoption:
    """Takes over the segments of a folder whose owner no longer holds its lock."""

    def __init__(self, folder: Path, store: LineStore, tally: Tally, disk: Disk) -> None:
        self._folder = folder
        self._store = store
        self._tally = tally
        self._disk = disk
        self._told: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock_of_loop = asyncio.Lock()
        self._unread: dict[Path, int] = {}
        """Files with lines that nobody read, and how many kinds could be read then."""
        self._waited: dict[str, int] = {}
        """Owners at whose files a run ended; the last of them comes last in the next one."""

    async def run(self, seconds: float | None = None) -> bool:
        """Replay all there is; whether nothing is left to replay.

        After ``seconds`` no further file is begun; each call does one at least. What is stored
        is deleted, what waits for the database stays for the next time.
        """
        is_late = _stopwatch(seconds)
        turn = self._turn()
        try:
            async with asyncio.timeout(seconds):
                await turn.acquire()
        except TimeoutError:
            return False
        try:
            return await self._replay_left(is_late)
        finally:
            turn.release()

    def _turn(self) -> asyncio.Lock:
        """One run at a time on a loop, so that nobody is told of an end before the first is done.

        Runs on several loops, or in several processes, pass over what another has locked.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._lock_of_loop = loop, asyncio.Lock()
        return self._lock_of_loop

    async def _replay_left(self, is_late: Callable[[], bool]) -> bool:
        left = await asyncio.to_thread(self._left)
        self._waited = {owner: turn for owner, turn in self._waited.items() if owner in left}
        for number, owner in enumerate(sorted(left, key=lambda owner: self._waited.get(owner, 0))):
            if number and is_late():
                return False
            lock = await asyncio.to_thread(self._claim, owner)
            if lock is None:
                continue
            try:
                if not await self._replay_all(owner, left[owner], is_late):
                    self._waited[owner] = max(self._waited.values(), default=0) + 1
                    return False
            finally:
                lock.release()
        return True

    def _load(self) -> None:
        """The first line need not wait for an import, where there were or will be some."""
        if self._folder.exists() or self._store.kinds > 1:
            import_module("filelock")

    def _left(self) -> dict[str, list[Path]]:
        """The segments of each owner, in their order."""
        self._load()
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

    async def _replay_all(self, owner: str, paths: list[Path], is_late: Callable[[], bool]) -> bool:
        is_clean = True
        for number, path in enumerate(paths):
            if number and is_late():
                return False
            if self._unread.get(path) == self._store.kinds:
                is_clean = False
                continue
            fates = await self._replay(path)
            if Fate.WAITS in fates:
                return False
            if Fate.UNKNOWN in fates:
                self._tell_once(str(path), "holds what nothing here reads; it stays")
                self._unread[path] = self._store.kinds
                is_clean = False
            elif is_clean and path is paths[-1]:
                # Both at once: whoever stops us between the two would leave the lock for ever.
                await asyncio.to_thread(self._delete, path, self._lock_file(owner))
            else:
                await asyncio.to_thread(self._delete, path)
        return True

    def _delete(self, *paths: Path) -> None:
        for path in paths:
            self._disk.delete(path)

    async def _replay(self, path: Path) -> set[Fate]:
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
            fates = await self._store.store(lines)
            self._tally.add(written=fates.count(Fate.WRITTEN), refused=fates.count(Fate.REFUSED))
            seen.update(fates)
            if Fate.WAITS in seen:
                return seen

    def _lock_file(self, owner: str) -> Path:
        return self._folder / (owner + LOCK_SUFFIX)

    def _tell_once(self, what: str, reason: str) -> None:
        if what not in self._told:
            self._told.add(what)
            _log.warning("%s: %s", what, reason)


def _stopwatch(seconds: float | None) -> Callable[[], bool]:
    """Whether so many seconds have passed since now."""
    began = time.monotonic()
    return lambda: seconds is not None and time.monotonic() - began >= seconds
