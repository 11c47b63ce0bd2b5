"""``Recorder``: from a host's request path to the database, without waiting for it."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from nullspend_margins.recording.adoption import Adoption
from nullspend_margins.recording.backlog import Backlog
from nullspend_margins.recording.counters import RecordingCounters, Tally
from nullspend_margins.recording.disk import Disk
from nullspend_margins.recording.events import EVENT, read_event
from nullspend_margins.recording.flusher import Flusher, Pace
from nullspend_margins.recording.journal import SEGMENT_BYTES, Journal
from nullspend_margins.recording.storing import Check, LineStore, Read, Submit, is_kind

CLOSE_SECONDS = 3.0
_JOIN_SECONDS = 5.0
_NEWLINE = ord("\n")
_LEAST_SEGMENTS = 8
"""Only whole segments are deleted: of a small journal the active one must not be all."""

_log = logging.getLogger("nullspend_margins.recording")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Where the journal is, and how much there may be: lines in memory, bytes in the folder."""

    folder: Path
    queue_events: int
    max_bytes: int
    segment_bytes: int = SEGMENT_BYTES


class Recorder:
    """Takes lines from any thread and any event loop, and has one flusher store them.

    The flusher runs on the loop that first appends (or starts it); where no loop runs, or none
    that lasts, on one of its own in a thread. ``leave`` lets go of what ``submit`` opened on that
    loop.
    """

    def __init__(
        self,
        bounds: Bounds,
        submit: Submit,
        *,
        check: Check = lambda _event: None,
        leave: Callable[[], Awaitable[object]] | None = None,
        pace: Pace | None = None,
        disk: Disk | None = None,
    ) -> None:
        self._bounds = bounds
        self._disk = disk or Disk()
        self._pace = pace or Pace()
        self._leave = leave
        self._prefixes: dict[str, bytes] = {}
        self._readers: dict[bytes, Read] = {}
        self._store = LineStore(self._readers, submit, check)
        self._starting = threading.Lock()
        self._flusher: Flusher | None = None
        self._thread: threading.Thread | None = None
        self._backlog, self._adoption = self._opened()
        self.register(EVENT, read_event)
        _recorders.add(self)

    def register(self, kind: str, read: Read) -> None:
        """``read`` turns the bodies of ``kind``, a word in ASCII, into events.

        It is called in a thread, after the request. What it raises refuses the line.
        """
        if not is_kind(kind.encode()):
            raise ValueError(f"a kind is a word of ASCII letters, not {kind!r}")
        self._readers[kind.encode()] = read
        self._prefixes[kind] = kind.encode() + b" "

    def append(self, kind: str, body: bytes) -> bool:
        """Take one line without newline, from any thread, and return at once.

        It is in the file when this returns, so that the end of the process loses nothing. False:
        dropped, since neither the file nor the memory takes it. Raises ``KeyError`` for a kind
        that is not registered.
        """
        if _NEWLINE in body:
            raise ValueError("a recorded body is one line")
        is_taken = self._backlog.append(self._prefixes[kind] + body + b"\n")
        flusher = self._flusher
        if flusher is None or not flusher.is_alive:
            self.start()
        elif flusher.is_idle:
            flusher.wake()
        return is_taken

    @property
    def counters(self) -> RecordingCounters:
        """What became of the events so far."""
        return self._backlog.counters

    def start(self) -> None:
        """Have a flusher run: on this event loop, or in a thread.

        In a thread where no loop runs, and where one ended before without closing: a host that
        has a loop for each of its jobs would have none that lasts.
        """
        with self._starting:
            if self._flusher is not None and self._flusher.is_alive:
                return
            if self._flusher is None and _is_on_a_loop():
                self._flusher = self._new_flusher()
                return
            is_ready = threading.Event()
            self._thread = threading.Thread(
                target=self._serve_in_thread,
                args=(is_ready,),
                name="margins-recording",
                daemon=True,
            )
            self._thread.start()
            is_ready.wait(_JOIN_SECONDS)  # so that closing finds the flusher

    async def adopt(self, seconds: float | None = None) -> bool:
        """Replay what dead processes left, for at most so long; whether nothing is left of it."""
        return await self._adoption.run(seconds)

    async def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Write what waits, for at most so long; the rest stays in the journal.

        Does nothing while the flusher runs on the loop of somebody else. The next line begins
        anew.
        """
        flusher, thread = self._flusher, self._thread
        if flusher is not None and flusher.is_alive:
            if flusher.loop is asyncio.get_running_loop():
                await flusher.stop(seconds)
            elif thread is not None and thread.is_alive():
                await asyncio.to_thread(_end_thread, thread, flusher, seconds)
            else:
                return
        with self._starting:
            if self._flusher is flusher:
                self._flusher = None
        stuck = await asyncio.to_thread(self._backlog.close)
        if stuck:
            _log.error("%d cost events are in memory alone: they end with this process", stuck)

    def _new_flusher(self) -> Flusher:
        return Flusher(self._backlog, self._store, self._adoption.run, self._pace)

    def _serve_in_thread(self, is_ready: threading.Event) -> None:
        try:
            asyncio.run(self._serve(is_ready))
        except Exception:
            _log.exception("the thread that stores recorded cost events ended")

    async def _serve(self, is_ready: threading.Event) -> None:
        self._flusher = flusher = self._new_flusher()
        is_ready.set()
        await flusher.wait()
        if self._leave is not None:
            await self._leave()

    def _opened(self) -> tuple[Backlog, Adoption]:
        bounds = self._bounds
        tally = Tally()
        journal = Journal(
            bounds.folder,
            max_bytes=bounds.max_bytes,
            segment_bytes=min(bounds.segment_bytes, bounds.max_bytes // _LEAST_SEGMENTS),
            disk=self._disk,
        )
        backlog = Backlog(journal, tally, bounds.queue_events)
        return backlog, Adoption(bounds.folder, self._store, tally, self._disk)

    def begin_in_child(self) -> None:
        """After a fork: what waits, the files and their lock are the parent's."""
        _inherited.append(self._backlog)
        self._backlog.journal.forget()
        self._starting = threading.Lock()
        self._flusher = self._thread = None
        self._backlog, self._adoption = self._opened()


def _is_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _end_thread(thread: threading.Thread, flusher: Flusher, seconds: float) -> None:
    flusher.call_soon(flusher.finish)
    thread.join(seconds)
    if thread.is_alive():
        flusher.call_soon(flusher.cancel)
        thread.join(_JOIN_SECONDS)


_recorders: weakref.WeakSet[Recorder] = weakref.WeakSet()
_inherited: list[Backlog] = []
"""Kept, for a lock that is collected may be unlocked, and it is the parent's."""


def _after_fork() -> None:
    for recorder in list(_recorders):
        recorder.begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
