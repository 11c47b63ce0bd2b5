"""A database that can be away, a disk that can fail, and recorders between them."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nullspend_margins import CostEvent, ServiceUnavailable, ValidationFailed
from nullspend_margins.errors import InternalError
from nullspend_margins.recording import EVENT, Bounds, Recorder, encode_event
from nullspend_margins.recording.disk import Disk
from nullspend_margins.recording.flusher import Pace
from tests.world import NOW, ORG

PATIENCE_SECONDS = 30
AT_ONCE = Pace(gather=0, backoff=0, most_backoff=0, adopt=3600)


def event(number: int, **changes: object) -> CostEvent:
    values = {
        "event_id": f"e{number}",
        "provider": "openai",
        "model": "gpt-4o",
        "cost_nanodollars": 1_000_000 + number,
        "occurred_at": NOW,
        "tag_value": "acme",
        **changes,
    }
    return CostEvent(**values)  # type: ignore[arg-type]


def body(number: int) -> bytes:
    """The line of ``event(number)``."""
    return encode_event(ORG, "host", event(number))


@dataclass
class FakeDatabase:
    """Stores by id, as ingest does. ``overflowing`` are refused, ``defective`` break it."""

    is_away: bool = False
    overflowing: set[str] = field(default_factory=set)
    defective: set[str] = field(default_factory=set)
    stored: dict[str, CostEvent] = field(default_factory=dict)
    submissions: list[list[str]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    """If set, submissions wait for it."""
    _changed: threading.Condition = field(default_factory=threading.Condition)

    async def submit(self, org_id: str, source: str, events: Sequence[CostEvent]) -> None:
        ids = [each.event_id for each in events]
        with self._changed:
            self.submissions.append(ids)
            self._changed.notify_all()
        if self.gate is not None:
            await self.gate.wait()
        if self.is_away:
            raise ServiceUnavailable("The database does not answer; try again.")
        if self.overflowing.intersection(ids):
            raise ValidationFailed.of(("costMicrodollars", "is too much for this day"))
        if self.defective.intersection(ids):
            raise InternalError("These cost events could not be stored.")
        with self._changed:
            for each in events:
                self.stored.setdefault(each.event_id, each)
            self._changed.notify_all()

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events that are stored."""
        return sorted(int(name[1:]) for name in self.stored)

    async def holds(self, count: int) -> None:
        """Wait until so many events are stored."""
        await asyncio.to_thread(self._await, lambda: len(self.stored) >= count)

    async def asked(self, count: int) -> None:
        """Wait until there were so many submissions."""
        await asyncio.to_thread(self._await, lambda: len(self.submissions) >= count)

    def _await(self, reached: object) -> None:
        with self._changed:
            assert self._changed.wait_for(reached, PATIENCE_SECONDS)  # type: ignore[arg-type]


class FaultyDisk(Disk):
    """A disk that fails as it is told."""

    def __init__(self) -> None:
        self.is_full = False
        self.is_read_only = False
        self.is_unreadable = False
        self.can_cut = True
        self.at_once: int | None = None
        """How many bytes of a line go in before the disk is full."""
        self.writes = 0
        self.deleted: threading.Event | None = None
        """If set, it is told when a file was deleted, which then waits for ``may_delete``."""
        self.may_delete = threading.Event()

    def delete(self, path: Path) -> None:
        super().delete(path)
        if self.deleted is not None:
            self.deleted.set()
            assert self.may_delete.wait(PATIENCE_SECONDS)

    def make_folder(self, folder: Path) -> None:
        self._may_change()
        super().make_folder(folder)

    def create(self, path: Path) -> int:
        self._may_change()
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().create(path)

    def write(self, handle: int, data: bytes) -> int:
        self.writes += 1
        if self.is_full:
            if self.at_once:
                data, self.at_once = data[: self.at_once], None
                return super().write(handle, data)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(handle, data)

    def read(self, path: Path, offset: int, size: int) -> bytes:
        if self.is_unreadable:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(path, offset, size)

    def truncate(self, handle: int, size: int) -> None:
        if not self.can_cut:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().truncate(handle, size)

    def _may_change(self) -> None:
        if self.is_read_only:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))


@dataclass
class Computer:
    """A folder, a disk and a database, and the recorders of any number of processes."""

    folder: Path
    database: FakeDatabase = field(default_factory=FakeDatabase)
    disk: FaultyDisk = field(default_factory=FaultyDisk)
    queue_events: int = 1000
    max_bytes: int = 10**8
    segment_bytes: int = 10**6

    def recorder(self, pace: Pace = AT_ONCE) -> Recorder:
        """That of a new process."""
        return Recorder(
            Bounds(
                folder=self.folder,
                queue_events=self.queue_events,
                max_bytes=self.max_bytes,
                segment_bytes=self.segment_bytes,
            ),
            self.database.submit,
            pace=pace,
            disk=self.disk,
        )

    def files(self, suffix: str = "") -> list[Path]:
        """What is in the folder."""
        return sorted(self.folder.glob(f"*{suffix}")) if self.folder.exists() else []

    async def is_empty(self) -> None:
        """Wait until nothing is in the folder: threads may still be at work there."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.files():  # noqa: ASYNC110 - a thread deletes them
                await asyncio.sleep(0.01)


def record(recorder: Recorder, *numbers: int) -> list[bool]:
    return [recorder.append(EVENT, body(number)) for number in numbers]


def kill(recorder: Recorder) -> None:
    """What the kernel does for a killed process: its files are closed, its locks given up."""
    flusher, journal = recorder._flusher, recorder._backlog.journal
    if flusher is not None:
        for task in flusher._tasks:
            task.cancel()
    journal.forget()
    if journal._lock is not None:
        journal._lock.release()
