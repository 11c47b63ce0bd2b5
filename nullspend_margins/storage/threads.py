"""Threads that run SQL beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")


class EngineThreads:
    """Threads that run work on an engine, each transaction on one of them from end to end.

    A host's event loop does not stand still while thousands of rows are read or written, and a
    synchronous driver takes less of the processor than an asynchronous one.
    """

    def __init__(self, engine: Engine, count: int, name: str) -> None:
        self.engine = engine
        self._executor = ThreadPoolExecutor(count, name)

    async def run(self, work: Callable[[Connection], T], engine: Engine | None = None) -> T:
        """Run ``work`` in a transaction, of ``engine`` where that is another view of ours.

        A cancelled caller leaves work that waits unstarted and work that runs to its end.
        """
        chosen = engine or self.engine
        return await self.call(lambda: _transact(chosen, work))

    async def call(self, function: Callable[[], T]) -> T:
        """Run ``function`` on a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, function)

    def abandon(self) -> None:
        """Stop at once; the threads are idle when their loop is gone."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        self.engine.dispose()

    async def close(self) -> None:
        """Run what was submitted, then stop."""
        await asyncio.to_thread(self._executor.shutdown)
        # SQLite's last connection writes the log back into the file, which takes a while.
        await asyncio.to_thread(self.engine.dispose)


def opened(threads: EngineThreads | None) -> EngineThreads:
    """``threads``, once there are any. Raises ``RuntimeError`` before."""
    if threads is None:
        raise RuntimeError("The database is not open: call start() first.")
    return threads


def _transact(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)
