"""Moves what waits into the database, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nullspend_margins.recording.backlog import Backlog
from nullspend_margins.recording.storing import BATCH_LINES, Fate, LineStore

_log = logging.getLogger("nullspend_margins.recording")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the flusher waits, in seconds.

    ``gather``: after the first line, for more of them. ``backoff`` to ``most_backoff``: after a
    try that failed, doubling. ``adopt``: between looks for what dead processes left.
    """

    gather: float = 0.1
    backoff: float = 0.5
    most_backoff: float = 30.0
    adopt: float = 60.0


class Flusher:
    """Runs from ``start`` to ``stop``, on the loop of both."""

    def __init__(
        self,
        backlog: Backlog,
        store: LineStore,
        adopt: Callable[[], Awaitable[object]],
        pace: Pace,
    ) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.is_idle: bool = False
        """Whether it wants to be woken. Read from any thread, after a line was appended."""
        self._backlog = backlog
        self._store = store
        self._adopt = adopt
        self._pace = pace
        self._work = asyncio.Event()
        self._stop = asyncio.Event()
        self._backoff = pace.backoff
        self._is_away = False
        self._tasks = [
            self.loop.create_task(self._flush(), name="margins-recording"),
            self.loop.create_task(self._look(), name="margins-adoption"),
        ]

    @property
    def is_alive(self) -> bool:
        """Whether it goes on; a loop that was closed took it along."""
        return not self._tasks[0].done() and not self.loop.is_closed()

    def wake(self) -> None:
        """There is work. From any thread."""
        self.is_idle = False
        self.call_soon(self._work.set)

    def call_soon(self, what: Callable[[], object]) -> None:
        """Call ``what`` on its loop, from any thread; nothing happens once the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(what)

    async def wait(self) -> None:
        """Until it has come to its end."""
        await asyncio.wait(self._tasks[:1])

    async def stop(self, seconds: float) -> None:
        """Write what waits, for at most so long and without waiting for an outage to end."""
        self.finish()
        await asyncio.wait(self._tasks[:1], timeout=seconds)
        self.cancel()
        await asyncio.wait(self._tasks)

    def finish(self) -> None:
        """Come to an end: on its loop."""
        self._stop.set()
        self._work.set()
        self._tasks[1].cancel()

    def cancel(self) -> None:
        """End: on its loop."""
        for task in self._tasks:
            task.cancel()

    async def _flush(self) -> None:
        while True:
            await self._wait_for_work()
            await self._rest(self._pace.gather)
            try:
                await self._drain()
            except OSError as problem:
                self._tell_away(f"the journal cannot be read back: {problem}")
                await self._back_off()
            except Exception as problem:
                if _is_process_ending(problem):
                    return  # the journal has it all
                _log.exception("storing recorded cost events failed; it is tried again")
                await self._back_off()
            if self._stop.is_set():
                return

    async def _wait_for_work(self) -> None:
        self._work.clear()
        self.is_idle = True  # first, so that a line appended from now on wakes us
        if not self._backlog.waits and not self._stop.is_set():
            await self._work.wait()
        self.is_idle = False

    async def _drain(self) -> None:
        """Until nothing waits; while stopping, until the first failure."""
        while batch := await asyncio.to_thread(self._backlog.take, BATCH_LINES):
            fates = await self._store.store([line for line, _ in batch])
            pairs = list(zip(batch, fates, strict=True))
            written = [each for each, fate in pairs if fate is Fate.WRITTEN]
            refused = [each for each, fate in pairs if fate in {Fate.REFUSED, Fate.UNKNOWN}]
            await asyncio.to_thread(self._backlog.settle, written, refused)
            if len(written) + len(refused) == len(batch):
                self._recover()
            elif self._stop.is_set():
                return
            else:
                self._tell_away("the database does not take them")
                await self._back_off()

    async def _back_off(self) -> None:
        # Workers that lost the database at the same moment; jitter is no secret.
        await self._rest(self._backoff * random.uniform(0.5, 1))  # noqa: S311
        self._backoff = min(self._backoff * 2, self._pace.most_backoff)

    async def _rest(self, seconds: float) -> None:
        """A pause that stopping ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    async def _look(self) -> None:
        while True:
            try:
                await self._adopt()
            except Exception as problem:
                if _is_process_ending(problem):
                    return
                _log.exception("looking for what other processes left failed; it is tried again")
            await asyncio.sleep(self._pace.adopt)

    def _tell_away(self, reason: str) -> None:
        """Once an outage."""
        if not self._is_away:
            self._is_away = True
            _log.warning("recorded cost events wait: %s", reason)

    def _recover(self) -> None:
        self._backoff = self._pace.backoff
        if self._is_away:
            self._is_away = False
            _log.warning("recorded cost events are stored again")


_ENDS = ("new futures after", "new thread at interpreter shutdown")  # the second from 3.12 on


def _is_process_ending(problem: Exception) -> bool:
    """A thread with an event loop goes on when the main thread is through, with no executor.

    Which is told a moment before the main thread counts as ended.
    """
    refused = isinstance(problem, RuntimeError) and any(end in str(problem) for end in _ENDS)
    return refused or not threading.main_thread().is_alive()
